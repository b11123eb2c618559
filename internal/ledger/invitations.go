package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"expenseflow/models"
)

// Codes of what cannot be offered, and of one person too many.
const (
	CodeShareSelf       = "SHARE_SELF"
	CodeInvitationLimit = "INVITATION_LIMIT"
	CodeBlockLimit      = "BLOCK_LIMIT"
)

var (
	errSelf      = &models.Error{Kind: models.Invalid, Code: CodeShareSelf, Msg: "You cannot share an expense with yourself"}
	errNoPerson  = models.E(models.NotFound, "Person not found")
	errShareMost = tooMany(CodeShareLimit, "An expense can be shared with at most "+strconv.Itoa(models.MaxShares)+" users, invited ones included")
	errPairMost  = tooMany(CodeInvitationLimit, "At most "+strconv.Itoa(models.MaxInvitationsPair)+" invitations to one address may be open")
	errOwnMost   = tooMany(CodeInvitationLimit, "You have "+strconv.Itoa(models.MaxInvitations)+" open invitations, withdraw some first")
	errBlockMost = tooMany(CodeBlockLimit, "You block "+strconv.Itoa(models.MaxBlocked)+" people, unblock some first")
)

func tooMany(code, msg string) *models.Error {
	return &models.Error{Kind: models.Invalid, Code: code, Msg: msg}
}

// invite writes an invitation down. It looks at nothing but the user's own rows, so
// nothing about the address can be learned from it.
func (w *Work) invite(e models.Expense, email string, role models.Role) error {
	open, err := w.Tx.OpenInvitation(e.ID, email)
	if err != nil {
		return err
	}
	if open.ID != "" {
		return w.Tx.SetInvitationRole(open.ID, role)
	}
	ofExpense, ofPair, all, err := w.Tx.InvitationCounts(e.ID, email)
	switch {
	case err != nil:
		return err
	case ofExpense+e.Shares >= models.MaxShares:
		return errShareMost
	case ofPair >= models.MaxInvitationsPair:
		return errPairMost
	case all >= models.MaxInvitations:
		return errOwnMost
	}
	return w.Tx.InsertInvitation(models.Invitation{ID: NewID(), ExpenseID: e.ID, Email: email, Role: role, CreatedAt: w.Tx.Now()})
}

// Withdraw takes an invitation back that was not accepted. For one day it still counts
// towards the bounds of Share. Errors: models.NotFound for an expense that the user
// does not have, and an address that is not invited; models.Forbidden for those who
// have it but do not own it; and store.Write's.
func (l *Ledger) Withdraw(ctx context.Context, userID, expenseID, email string, by models.Author) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		e, err := w.sharing(expenseID)
		if err != nil {
			return err
		}
		open, err := w.Tx.OpenInvitation(e.ID, models.NormalizeEmail(email))
		switch {
		case err != nil:
			return err
		case open.ID == "":
			return errNobody
		}
		if err := w.Tx.WithdrawInvitation(open.ID); err != nil {
			return err
		}
		w.announceShares(e, by)
		return nil
	})
	if err != nil {
		return fmt.Errorf("withdraw an invitation: %w", err)
	}
	return nil
}

// Invitations are those that wait for the user's answer, the newest first.
func (l *Ledger) Invitations(ctx context.Context, userID string) ([]models.Invitation, error) {
	all, err := l.store.ReceivedInvitations(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("invitations: %w", err)
	}
	return all, nil
}

// Accept takes what an invitation offers and gives the expense in the user's view.
// Later shares of whoever invited arrive at once, until the user blocks them. Errors:
// models.NotFound for what does not wait for this user's answer (any more), and
// store.Write's.
func (l *Ledger) Accept(ctx context.Context, userID, id string, by models.Author) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) error {
		i, err := w.received(id)
		if err != nil {
			return err
		}
		w.Tx.TouchDevice(by)
		w.Tx.Append(models.Change{Kind: models.InvitationClosed, EntityID: id, Author: by})
		if e, err = w.take(i, by); err != nil {
			return err
		}
		return w.Tx.SetContact(i.OwnerID, models.ContactAccepted)
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("accept an invitation: %w", err)
	}
	return e, nil
}

// received gives an invitation that waits for the user's answer, with its owner's row
// locked too.
func (w *Work) received(id string) (models.Invitation, error) {
	i, err := w.Tx.ReceivedInvitation(id)
	if err != nil {
		return i, err
	}
	return i, w.Tx.Lock(i.OwnerID)
}

// take shares the expense of an invitation with the user, who wants it, and removes
// the invitation.
func (w *Work) take(i models.Invitation, by models.Author) (models.Expense, error) {
	owner := w.Tx.In(i.OwnerID)
	if owner == nil {
		return models.Expense{}, models.E(models.NotFound, "Invitation not found")
	}
	e, err := owner.Expense(i.ExpenseID)
	if err != nil {
		return models.Expense{}, err
	}
	if err := w.Tx.DeleteInvitation(i.ID); err != nil {
		return models.Expense{}, err
	}
	if e, err = owner.SetShare(e, w.Tx.User().ID, i.Role); err != nil {
		return models.Expense{}, err
	}
	mine := w.Tx.View(e)
	w.Tx.AppendChange(models.ExpenseCreated, mine, by)
	owner.Append(models.Change{Kind: models.ShareChanged, EntityID: e.ID, Shares: owner.Shares(e)})
	return mine, nil
}

// Decline refuses an invitation; whoever invited is not told. Errors are Accept's.
func (l *Ledger) Decline(ctx context.Context, userID, id string, by models.Author) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		i, err := w.received(id)
		if err != nil {
			return err
		}
		w.Tx.TouchDevice(by)
		return w.suppress(i.ID, by)
	})
	if err != nil {
		return fmt.Errorf("decline an invitation: %w", err)
	}
	return nil
}

// suppress takes an invitation out of the user's sight.
func (w *Work) suppress(id string, by models.Author) error {
	w.Tx.Append(models.Change{Kind: models.InvitationClosed, EntityID: id, Author: by})
	return w.Tx.SetInvitationState(id, models.InvitationDeclined)
}

// Block has no invitation or share of another user arrive any more, and declines those
// that wait. What was accepted before stays: it can be left one by one. Whoever is
// blocked is not told. Errors: models.NotFound, all alike, for nobody, the user
// themselves, and anybody they never had to do with; models.Invalid with CodeBlockLimit
// for more than models.MaxBlocked; and store.Write's.
func (l *Ledger) Block(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error) {
	var p models.Person
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		p, err = w.block(otherID, by)
		return err
	})
	if err != nil {
		return models.Person{}, fmt.Errorf("block a person: %w", err)
	}
	return p, nil
}

func (w *Work) block(otherID string, by models.Author) (models.Person, error) {
	p, err := w.person(otherID)
	if err != nil {
		return p, err
	}
	switch state, err := w.Tx.Contact(otherID); {
	case err != nil || state == models.ContactBlocked:
		return p, err
	}
	if n, err := w.Tx.BlockedCount(); err != nil || n >= models.MaxBlocked {
		return p, errors.Join(err, errBlockMost)
	}
	ids, err := w.Tx.ReceivedFrom(otherID)
	if err != nil {
		return p, err
	}
	w.Tx.TouchDevice(by)
	for _, id := range ids {
		if err := w.suppress(id, by); err != nil {
			return p, err
		}
	}
	w.Tx.Append(models.Change{Kind: models.PersonBlocked, EntityID: otherID, Person: &p, Author: by})
	return p, w.Tx.SetContact(otherID, models.ContactBlocked)
}

// person gives another user, whose row is locked then, to somebody who has had to do
// with them.
func (w *Work) person(otherID string) (models.Person, error) {
	if !models.ID24(otherID) || otherID == w.Tx.User().ID {
		return models.Person{}, errNoPerson
	}
	if known, err := w.Tx.Knows(otherID); err != nil || !known {
		return models.Person{}, errors.Join(err, errNoPerson)
	}
	if err := w.Tx.Lock(otherID); err != nil {
		return models.Person{}, err
	}
	t := w.Tx.In(otherID)
	if t == nil {
		return models.Person{}, errNoPerson
	}
	return models.Person{ID: otherID, Name: t.User().Name}, nil
}

// Unblock forgets what the user decided about somebody they block: from then on that
// one may invite them. Errors: models.NotFound for anybody they do not block, and
// store.Write's.
func (l *Ledger) Unblock(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error) {
	var p models.Person
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if p, err = w.person(otherID); err != nil {
			return err
		}
		switch state, err := w.Tx.Contact(otherID); {
		case err != nil:
			return err
		case state != models.ContactBlocked:
			return errNoPerson
		}
		w.Tx.TouchDevice(by)
		w.Tx.Append(models.Change{Kind: models.PersonUnblocked, EntityID: otherID, Person: &p, Author: by})
		return w.Tx.SetContact(otherID, models.NoContact)
	})
	if err != nil {
		return models.Person{}, fmt.Errorf("unblock a person: %w", err)
	}
	return p, nil
}

// Blocked are the people whom the user blocks, by name.
func (l *Ledger) Blocked(ctx context.Context, userID string) ([]models.Person, error) {
	all, err := l.store.Blocked(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("blocked people: %w", err)
	}
	return all, nil
}

// Deliveries: how many invitations are looked at together, and how often somebody
// looks for those of other processes and of one that ended.
const (
	deliverBatch = 100
	deliverPoll  = 2 * time.Second
)

// DeliverInvitations has what Share and Withdraw wrote down reach those it is for, and
// tells how many there were. Several processes may do so at once.
func (l *Ledger) DeliverInvitations(ctx context.Context) (n int, err error) {
	for {
		all, err := l.store.UndeliveredInvitations(ctx, deliverBatch)
		if err != nil || len(all) == 0 {
			return n, err
		}
		var failed error
		for _, i := range all {
			if err := l.deliver(ctx, i); err != nil {
				failed = errors.Join(failed, fmt.Errorf("deliver invitation %s: %w", i.ID, err))
			}
			n++
		}
		if failed != nil {
			return n, failed
		}
	}
}

// RunInvitations delivers invitations until ctx ends, soon after each commit of this
// process that left some.
func (l *Ledger) RunInvitations(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(deliverPoll)
	defer tick.Stop()
	missed := l.store.WakeAllInvitations(ctx)
	for {
		_, err := l.DeliverInvitations(ctx)
		if err = errors.Join(err, missed); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "invitations are not delivered yet", slog.Any("error", err))
		}
		missed = nil
		select {
		case <-ctx.Done():
			return nil
		case <-l.undelivered:
		case <-tick.C:
		}
	}
}

func (l *Ledger) deliver(ctx context.Context, i models.Invitation) error {
	u, err := l.store.UserByEmail(ctx, i.Email)
	switch {
	case models.KindOf(err) == models.NotFound:
		return l.store.ShelveInvitation(ctx, i.ID)
	case err != nil:
		return err
	}
	err = l.Write(ctx, u.ID, func(w *Work) error { return w.deliver(i.ID) })
	if models.KindOf(err) == models.NotFound { // the account was removed meanwhile
		return nil
	}
	return err
}

// deliver has one invitation reach the user, as they have decided about its owner.
func (w *Work) deliver(id string) error {
	i, err := w.Tx.UndeliveredInvitation(id)
	if err != nil || i.ID == "" {
		return err
	}
	if i.State == models.InvitationWithdrawn {
		w.Tx.Append(models.Change{Kind: models.InvitationClosed, EntityID: id})
		return w.Tx.SetInvitationState(id, models.InvitationGone)
	}
	if err := w.Tx.Lock(i.OwnerID); err != nil {
		return err
	}
	contact, err := w.Tx.Contact(i.OwnerID)
	switch {
	case err != nil:
		return err
	case w.Tx.In(i.OwnerID) == nil: // removed meanwhile
		return w.Tx.DeleteInvitation(id)
	case contact == models.ContactBlocked:
		return w.Tx.SetInvitationState(id, models.InvitationDeclined)
	case contact == models.ContactAccepted:
		return w.arrive(i)
	}
	return w.present(i)
}

// arrive shares the expense of an invitation that needs no answer.
func (w *Work) arrive(i models.Invitation) error {
	_, err := w.take(i, models.Author{})
	if models.KindOf(err) == models.NotFound { // there is nothing to be shared
		return w.Tx.DeleteInvitation(i.ID)
	}
	return err
}

// present shows an invitation to the user. When models.MaxReceived wait, the oldest of
// whoever sent most of them makes room, and if that is nobody else the new one stays
// hidden: so no sender keeps another's out.
func (w *Work) present(i models.Invitation) error {
	all, most, count, err := w.Tx.Inviters()
	if err != nil {
		return err
	}
	if all >= w.maxReceived {
		if count <= 1 || most == i.OwnerID {
			return w.Tx.SetInvitationState(i.ID, models.InvitationDeclined)
		}
		ids, err := w.Tx.ReceivedFrom(most)
		if err != nil {
			return err
		}
		if err := w.suppress(ids[0], models.Author{}); err != nil {
			return err
		}
	}
	owner := w.Tx.In(i.OwnerID)
	i.OwnerName, i.OwnerEmail = owner.User().Name, owner.User().Email
	w.Tx.Append(models.Change{Kind: models.InvitationReceived, EntityID: i.ID, Invitation: &i})
	return w.Tx.SetInvitationState(i.ID, models.InvitationPending)
}
