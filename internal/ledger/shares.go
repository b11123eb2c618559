package ledger

import (
	"context"
	"fmt"
	"slices"

	"expenseflow/models"
)

// CodeForbidden is the code of what a role does not allow, and CodeShareLimit of
// one share too many.
const (
	CodeForbidden  = "FORBIDDEN"
	CodeShareLimit = "SHARE_LIMIT"
)

var (
	// errForbidden is for those who know of the expense.
	errForbidden = &models.Error{Kind: models.Forbidden, Msg: "Forbidden", Code: CodeForbidden}
	// errNobody is for those who do not, and for a member who is none.
	errNobody = models.E(models.NotFound, "Expense or user not found")
)

// Share offers whoever has this address a role in the user's expense. What becomes of
// it is told to nobody but them: the answer and the work are the same whether or not
// the address has an account, and whatever its owner decided about this user. From
// then on the expense's owner finds the address among Sharing.Invited until it is
// accepted. To offer the same again changes nothing. Who has the expense already gets
// the role at once.
//
// Errors: *models.InvalidError; models.NotFound for an expense that the user does not
// have; models.Forbidden for those who have it but do not own it; models.Invalid with
// CodeShareSelf for the user's own address, CodeShareLimit for more than
// models.MaxShares users and invitations of one expense, CodeInvitationLimit for more
// than models.MaxInvitationsPair to the address or models.MaxInvitations in all; and
// store.Write's.
func (l *Ledger) Share(ctx context.Context, userID, expenseID, email string, role models.Role, by models.Author) error {
	email = models.NormalizeEmail(email)
	if err := models.InvalidIf(append(models.CheckEmail(email), models.CheckRole(role)...)); err != nil {
		return err
	}
	err := l.Write(ctx, userID, func(w *Work) error { return w.share(expenseID, email, role, by) })
	if err != nil {
		return fmt.Errorf("share an expense: %w", err)
	}
	return nil
}

func (w *Work) share(id, email string, role models.Role, by models.Author) error {
	e, err := w.sharing(id)
	if err != nil {
		return err
	}
	if email == w.Tx.User().Email {
		return errSelf
	}
	for _, s := range w.Tx.Shares(e) {
		if s.Email == email {
			return w.setRole(e, s, role, by)
		}
	}
	if err := w.invite(e, email, role); err != nil {
		return err
	}
	w.announceShares(e, by)
	return nil
}

// setRole gives a member another role.
func (w *Work) setRole(e models.Expense, member models.Share, role models.Role, by models.Author) error {
	if member.Role == role {
		return nil
	}
	e, err := w.Tx.SetShare(e, member.UserID, role)
	if err != nil {
		return err
	}
	t := w.Tx.In(member.UserID)
	t.AppendChange(models.ExpenseUpdated, t.View(e), by)
	w.announceShares(e, by)
	return nil
}

// sharing is allowed in the words of a share, which tell of an expense as little as
// of an address.
func (w *Work) sharing(id string, roles ...models.Role) (models.Expense, error) {
	e, err := w.allowed(id, roles...)
	if models.KindOf(err) == models.NotFound {
		err = errNobody
	}
	return e, err
}

// roleOf is the role that somebody has in an expense of somebody else.
func (w *Work) roleOf(e models.Expense, userID string) models.Role {
	for _, s := range w.Tx.Shares(e) {
		if s.UserID == userID {
			return s.Role
		}
	}
	return models.NoRole
}

// announceShares tells the owner, and gives, with whom an expense is shared now.
func (w *Work) announceShares(e models.Expense, by models.Author) []models.Share {
	shares := w.Tx.Shares(e)
	w.Tx.TouchDevice(by)
	w.Tx.In(e.UserID).Append(models.Change{Kind: models.ShareChanged, EntityID: e.ID, Shares: shares, Author: by})
	return shares
}

// Unshare ends a member's right to an expense, and tells with whom it is shared
// then: the owner takes it away, or the member gives it back. From then on nothing
// in the member's lists, log or answers tells of the expense; in their log it was
// deleted.
//
// Errors: models.Forbidden for those who have the expense and would send others
// away; models.NotFound for an expense that the user does not have, and a member
// who is none; and store.Write's.
func (l *Ledger) Unshare(ctx context.Context, userID, expenseID, memberID string, by models.Author) ([]models.Share, error) {
	var shares []models.Share
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		shares, err = w.unshare(expenseID, memberID, by)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("end a share: %w", err)
	}
	return shares, nil
}

func (w *Work) unshare(id, memberID string, by models.Author) ([]models.Share, error) {
	var roles []models.Role // of those who may, beside the owner
	leaves := memberID == w.Tx.User().ID
	if leaves {
		roles = []models.Role{models.RoleEditor, models.RoleViewer}
	}
	e, err := w.sharing(id, roles...)
	switch {
	case err != nil:
		return nil, err
	case w.roleOf(e, memberID) == models.NoRole:
		return nil, errNobody
	}
	if e, err = w.Tx.SetShare(e, memberID, models.NoRole); err != nil {
		return nil, err
	}
	w.Tx.In(memberID).AppendChange(models.ExpenseDeleted, models.Expense{ID: id}, by)
	shares := w.announceShares(e, by)
	if leaves {
		return []models.Share{}, nil
	}
	return shares, nil
}

// Shares is who has an expense, as one of them sees it; models.NotFound for
// everybody else.
func (l *Ledger) Shares(ctx context.Context, userID, expenseID string) (models.Sharing, error) {
	s, err := l.store.Sharing(ctx, userID, expenseID)
	if err != nil {
		return models.Sharing{}, fmt.Errorf("shares: %w", err)
	}
	return s, nil
}

// RightTo is what the user may do with an expense; models.NotFound if they may
// nothing.
func (l *Ledger) RightTo(ctx context.Context, userID, expenseID string) (models.Right, error) {
	r, err := l.store.RightTo(ctx, userID, expenseID)
	if err != nil {
		return models.Right{}, fmt.Errorf("right: %w", err)
	}
	return r, nil
}

// Audience is the users who have an expense; models.NotFound for who does not.
func (l *Ledger) Audience(ctx context.Context, userID, expenseID string) ([]string, error) {
	users, err := l.store.Audience(ctx, expenseID)
	if err == nil && !slices.Contains(users, userID) {
		err = models.E(models.NotFound, "Expense not found")
	}
	if err != nil {
		return nil, fmt.Errorf("audience: %w", err)
	}
	return users, nil
}

// Comment keeps what somebody who has an expense says about it, as it was
// written. Errors: *models.InvalidError, models.NotFound, and store.Write's.
func (l *Ledger) Comment(ctx context.Context, userID, expenseID, text string) (models.Activity, error) {
	if err := models.InvalidIf(models.CheckComment(text)); err != nil {
		return models.Activity{}, err
	}
	var a models.Activity
	err := l.Write(ctx, userID, func(w *Work) error {
		role, err := w.Tx.RoleOf(expenseID)
		if err != nil {
			return err
		}
		if err := w.roomToComment(expenseID); err != nil {
			return err
		}
		u := w.Tx.User()
		a = models.Activity{
			ID: NewID(), ExpenseID: expenseID, UserID: u.ID, UserName: u.Name,
			Type: models.ActivityComment, Text: text, At: w.Tx.Now(),
		}
		if a.Audience, err = w.Tx.Audience(expenseID); err != nil {
			return err
		}
		return w.Tx.InsertActivity(a, role)
	})
	if err != nil {
		return models.Activity{}, fmt.Errorf("comment: %w", err)
	}
	if l.opts.Activity != nil {
		l.opts.Activity(a)
	}
	return a, nil
}

// roomToComment is models.Conflict where an expense has all the comments that it can
// have, or the user has written all that they can.
func (w *Work) roomToComment(expenseID string) error {
	full, err := w.Tx.CommentsFull(expenseID, models.MaxComments, models.MaxCommentsByUser)
	if err == nil && full {
		err = &models.Error{Kind: models.Conflict, Code: "COMMENT_LIMIT", Msg: "There are as many comments as there can be"}
	}
	return err
}

// Activities is one page of what was said and done around an expense, newest
// first, from page 1, and how much there is in all. Errors: models.NotFound for
// who does not have it, and the store's.
func (l *Ledger) Activities(ctx context.Context, userID, expenseID string, page, limit int) ([]models.Activity, int64, error) {
	if _, err := l.store.RightTo(ctx, userID, expenseID); err != nil {
		return nil, 0, fmt.Errorf("activities: %w", err)
	}
	all, total, err := l.store.Activities(ctx, expenseID, page, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("activities: %w", err)
	}
	return all, total, nil
}
