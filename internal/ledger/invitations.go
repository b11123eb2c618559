package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"expenseflow/models"
)

// Error codes of invitations and blocked people.
const (
	CodeShareSelf       = "SHARE_SELF"
	CodeInvitationLimit = "INVITATION_LIMIT"
	CodeBlockLimit      = "BLOCK_LIMIT"
)

var (
	errSelf       = &models.Error{Kind: models.Invalid, Code: CodeShareSelf, Msg: "You cannot share an expense with yourself"}
	errNoPerson   = models.E(models.NotFound, "Person not found")
	errShareLimit = limitError(CodeShareLimit,
		"An expense can be shared with at most "+strconv.Itoa(models.MaxShares)+" users, invited ones included")
	errAddressLimit = limitError(CodeInvitationLimit,
		"At most "+strconv.Itoa(models.MaxInvitationsPerAddress)+" invitations to one address may be open")
	errInvitationLimit = limitError(CodeInvitationLimit,
		"You have "+strconv.Itoa(models.MaxInvitations)+" open invitations, withdraw some first")
	errBlockLimit = limitError(CodeBlockLimit, "You block "+strconv.Itoa(models.MaxBlocked)+" people, unblock some first")
)

func limitError(code, msg string) *models.Error {
	return &models.Error{Kind: models.Invalid, Code: code, Msg: msg, Setting: models.FixedLimit}
}

// invite stores an invitation. It reads only the user's own rows, so neither its result
// nor its running time reveals anything about the address.
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
		return errShareLimit
	case ofPair >= models.MaxInvitationsPerAddress:
		return errAddressLimit
	case all >= models.MaxInvitations:
		return errInvitationLimit
	}
	return w.Tx.InsertInvitation(models.Invitation{ID: NewID(), ExpenseID: e.ID, Email: email, Role: role, CreatedAt: w.Tx.Now()})
}

// WithdrawInvitation withdraws an invitation that was not accepted. It counts towards the limits of
// Share for models.WithdrawnInvitationTTL. Errors: models.NotFound if the user has no access to
// the expense or the address is not invited, models.Forbidden if the user is not the
// owner, and those of store.Write.
func (l *Ledger) WithdrawInvitation(ctx context.Context, userID, expenseID, email string, by models.Author) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		e, err := w.authorizeShare(expenseID)
		if err != nil {
			return err
		}
		open, err := w.Tx.OpenInvitation(e.ID, models.NormalizeEmail(email))
		switch {
		case err != nil:
			return err
		case open.ID == "":
			return errNoShare
		}
		if err := w.Tx.WithdrawInvitation(open.ID); err != nil {
			return err
		}
		w.appendShareChange(e, by)
		return nil
	})
	if err != nil {
		return fmt.Errorf("withdraw an invitation: %w", err)
	}
	return nil
}

// Invitations returns the invitations that wait for the user's answer, newest first.
func (l *Ledger) Invitations(ctx context.Context, userID string) ([]models.Invitation, error) {
	all, err := l.store.ReceivedInvitations(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("invitations: %w", err)
	}
	return all, nil
}

// AcceptInvitation accepts an invitation and returns the expense in the user's view. Later shares
// of the inviting user need no invitation, unless the user blocks them. Errors:
// models.NotFound if the invitation does not wait for this user's answer (any more), and
// those of store.Write.
func (l *Ledger) AcceptInvitation(ctx context.Context, userID, id string, by models.Author) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) error {
		i, err := w.lockInvitation(id)
		if err != nil {
			return err
		}
		w.Tx.TouchDevice(by)
		if err := w.closeInvitation(i, by); err != nil {
			return err
		}
		if e, err = w.acceptShare(i, by); err != nil {
			return err
		}
		return w.Tx.SetContact(i.OwnerID, models.ContactAccepted)
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("accept an invitation: %w", err)
	}
	return e, nil
}

// lockInvitation returns an invitation that waits for the user's answer and locks the row of
// the inviting user.
func (w *Work) lockInvitation(id string) (models.Invitation, error) {
	i, err := w.Tx.ReceivedInvitation(id)
	if err != nil {
		return i, err
	}
	return i, w.Tx.Lock(i.OwnerID)
}

// acceptShare shares the expense of an invitation with the user and removes the invitation.
func (w *Work) acceptShare(i models.Invitation, by models.Author) (models.Expense, error) {
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

// DeclineInvitation declines an invitation. The inviting user is not notified. Errors are as for
// Accept.
func (l *Ledger) DeclineInvitation(ctx context.Context, userID, id string, by models.Author) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		i, err := w.lockInvitation(id)
		if err != nil {
			return err
		}
		w.Tx.TouchDevice(by)
		if err := w.closeInvitation(i, by); err != nil {
			return err
		}
		return w.Tx.SetInvitationState(i.ID, models.InvitationDeclined)
	})
	if err != nil {
		return fmt.Errorf("decline an invitation: %w", err)
	}
	return nil
}

// closeInvitation removes an invitation from the user's list, and its notification from what is
// unread; with the last one of its owner also the notification that counts several.
func (w *Work) closeInvitation(i models.Invitation, by models.Author) error {
	w.Tx.Append(models.Change{Kind: models.InvitationClosed, EntityID: i.ID, Author: by})
	if i.OwnerID == "" { // the owner's account was removed, with all of their invitations and their name
		return w.readInvitations("", "")
	}
	waiting, err := w.Tx.ReceivedFrom(i.OwnerID)
	if err != nil {
		return err
	}
	if len(slices.DeleteFunc(waiting, func(id string) bool { return id == i.ID })) == 0 {
		return w.readInvitations(i.OwnerID, "")
	}
	return w.readInvitations(i.OwnerID, i.ExpenseID)
}

// hideInvitation marks an invitation as declined and removes it from the user's list.
func (w *Work) hideInvitation(id string, by models.Author) error {
	w.Tx.Append(models.Change{Kind: models.InvitationClosed, EntityID: id, Author: by})
	return w.Tx.SetInvitationState(id, models.InvitationDeclined)
}

// Block suppresses all further invitations and shares of another user and declines those
// that wait. Expenses accepted before stay shared. The blocked user is not notified.
// Errors: the same models.NotFound for an unknown id, the user's own id and any user
// without a prior contact; models.Invalid with CodeBlockLimit; and those of store.Write.
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
	p, err := w.lockContact(otherID)
	if err != nil {
		return p, err
	}
	switch state, err := w.Tx.Contact(otherID); {
	case err != nil || state == models.ContactBlocked:
		return p, err
	}
	if n, err := w.Tx.BlockedCount(); err != nil || n >= models.MaxBlocked {
		return p, errors.Join(err, errBlockLimit)
	}
	ids, err := w.Tx.ReceivedFrom(otherID)
	if err != nil {
		return p, err
	}
	w.Tx.TouchDevice(by)
	for _, id := range ids {
		if err := w.hideInvitation(id, by); err != nil {
			return p, err
		}
	}
	if err := w.readInvitations(otherID, ""); err != nil {
		return p, err
	}
	w.Tx.Append(models.Change{Kind: models.PersonBlocked, EntityID: otherID, Person: &p, Author: by})
	return p, w.Tx.SetContact(otherID, models.ContactBlocked)
}

// lockContact returns another user with whom the user had contact before, and locks their
// row. The error is models.NotFound for anybody else.
func (w *Work) lockContact(otherID string) (models.Person, error) {
	if !models.IsID(otherID) || otherID == w.Tx.User().ID {
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

// Unblock removes a block, so the other user can invite the user again. Errors:
// models.NotFound if they are not blocked, and those of store.Write.
func (l *Ledger) Unblock(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error) {
	var p models.Person
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if p, err = w.lockContact(otherID); err != nil {
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

// Blocked returns the people whom the user blocks, sorted by name.
func (l *Ledger) Blocked(ctx context.Context, userID string) ([]models.Person, error) {
	all, err := l.store.Blocked(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("blocked people: %w", err)
	}
	return all, nil
}

const (
	deliverBatch = 100             // invitations that are read at once
	deliverPoll  = 2 * time.Second // interval of looking for those of other processes
	deliverWarn  = time.Minute     // interval of logging that they cannot be delivered
)

// DeliverInvitations delivers the invitations and withdrawals that Share and Withdraw
// stored, and returns their number. Several processes may call it at the same time.
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

// RunInvitations delivers invitations until ctx ends: at once after a commit of this
// process that added some, else every deliverPoll.
func (l *Ledger) RunInvitations(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(deliverPoll)
	defer tick.Stop()
	missed := l.store.WakeAllInvitations(ctx)
	for warned := (time.Time{}); ; {
		_, err := l.DeliverInvitations(ctx)
		switch err = errors.Join(err, missed); {
		case err == nil:
			warned = time.Time{}
		case ctx.Err() == nil && time.Since(warned) >= deliverWarn:
			warned = time.Now()
			log.WarnContext(ctx, "invitations are not delivered yet, and are tried again", slog.Any("error", err))
		}
		missed = nil
		select {
		case <-ctx.Done():
			return nil
		case <-l.deliverSignal:
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
	if models.KindOf(err) == models.NotFound { // the account was removed in the meantime
		return nil
	}
	return err
}

// deliver delivers one invitation to the user, depending on their decision about its
// owner: it is shown, accepted at once or suppressed.
func (w *Work) deliver(id string) error {
	i, err := w.Tx.UndeliveredInvitation(id)
	if err != nil || i.ID == "" {
		return err
	}
	if i.State == models.InvitationWithdrawn {
		if err := w.closeInvitation(i, models.Author{}); err != nil {
			return err
		}
		return w.Tx.SetInvitationState(id, models.InvitationExpired)
	}
	if err := w.Tx.Lock(i.OwnerID); err != nil {
		return err
	}
	contact, err := w.Tx.Contact(i.OwnerID)
	switch {
	case err != nil:
		return err
	case w.Tx.In(i.OwnerID) == nil: // the account was removed in the meantime
		return w.Tx.DeleteInvitation(id)
	case contact == models.ContactBlocked:
		return w.Tx.SetInvitationState(id, models.InvitationDeclined)
	case contact == models.ContactAccepted:
		return w.shareDirectly(i)
	}
	return w.showInvitation(i)
}

// shareDirectly shares the expense of an invitation without asking the user.
func (w *Work) shareDirectly(i models.Invitation) error {
	_, err := w.acceptShare(i, models.Author{})
	switch {
	case models.KindOf(err) == models.NotFound: // the expense was deleted
		return w.Tx.DeleteInvitation(i.ID)
	case err != nil || !w.notifyPeople:
		return err
	}
	return w.notifyOf(models.NotifyShared, w.Tx.In(i.OwnerID).User(), i.ExpenseID)
}

// showInvitation shows an invitation to the user. If models.MaxPendingInvitations are waiting, it hides
// the oldest of the sender with the most, or the new one if that is the same sender. So
// no sender can keep out the invitations of others.
func (w *Work) showInvitation(i models.Invitation) error {
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
		if err := w.crowdOut(ids[0]); err != nil {
			return err
		}
	}
	owner := w.Tx.In(i.OwnerID)
	i.OwnerName, i.OwnerEmail = owner.User().Name, owner.User().Email
	w.Tx.Append(models.Change{Kind: models.InvitationReceived, EntityID: i.ID, Invitation: &i})
	if w.notifyPeople {
		if err := w.notifyOf(models.NotifyInvited, owner.User(), i.ExpenseID); err != nil {
			return err
		}
	}
	return w.Tx.SetInvitationState(i.ID, models.InvitationPending)
}

// crowdOut hides an invitation that waits, with its notification, to make room for another one.
func (w *Work) crowdOut(id string) error {
	i, err := w.Tx.ReceivedInvitation(id)
	if err != nil {
		return err
	}
	if err := w.closeInvitation(i, models.Author{}); err != nil {
		return err
	}
	return w.Tx.SetInvitationState(id, models.InvitationDeclined)
}
