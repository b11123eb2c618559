package ledger

import (
	"context"
	"fmt"
	"slices"

	"expenseflow/models"
)

// Error codes of sharing.
const (
	CodeForbidden  = "FORBIDDEN"
	CodeShareLimit = "SHARE_LIMIT"
)

var (
	// errForbidden is for users who have access to the expense but not the permission.
	errForbidden = &models.Error{Kind: models.Forbidden, Msg: "Forbidden", Code: CodeForbidden}
	// errNoShare is for users without access, and for an unknown member.
	errNoShare = models.E(models.NotFound, "Expense or user not found")
)

// Share invites the owner of an e-mail address to the user's expense with a role. The
// result and the running time are the same whether or not the address has an account and
// whatever its owner decided about this user. The address is listed in Sharing.Invited
// until the invitation is accepted. Share is idempotent. A user who already has access
// gets the new role at once.
//
// Errors: *models.InvalidError; models.NotFound if the user has no access to the expense;
// models.Forbidden if the user is not the owner; models.Invalid with CodeShareSelf for
// the user's own address, CodeShareLimit for more than models.MaxShares users and
// invitations of the expense, CodeInvitationLimit for more than
// models.MaxInvitationsPerAddress to the address or models.MaxInvitations in all; and those of
// store.Write.
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
	e, err := w.authorizeShare(id)
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
	w.appendShareChange(e, by)
	return nil
}

// setRole changes the role of a member.
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
	w.appendShareChange(e, by)
	return nil
}

// authorizeShare is authorize with the error of a share, which does not reveal whether the
// expense or the user was not found.
func (w *Work) authorizeShare(id string, roles ...models.Role) (models.Expense, error) {
	e, err := w.authorize(id, roles...)
	if models.KindOf(err) == models.NotFound {
		err = errNoShare
	}
	return e, err
}

// roleOf returns the role of a member; models.NoRole for other users.
func (w *Work) roleOf(e models.Expense, userID string) models.Role {
	for _, s := range w.Tx.Shares(e) {
		if s.UserID == userID {
			return s.Role
		}
	}
	return models.NoRole
}

// appendShareChange appends the current shares of an expense to its owner's log and returns
// them.
func (w *Work) appendShareChange(e models.Expense, by models.Author) []models.Share {
	shares := w.Tx.Shares(e)
	w.Tx.TouchDevice(by)
	w.Tx.In(e.UserID).Append(models.Change{Kind: models.ShareChanged, EntityID: e.ID, Shares: shares, Author: by})
	return shares
}

// Unshare ends a member's access to an expense and returns the remaining shares. The
// owner may remove any member, a member may leave. The member's log gets a deletion;
// nothing in their lists, log or responses shows the expense any more.
//
// Errors: models.Forbidden if a member would remove another one; models.NotFound if the
// user has no access to the expense or memberID is not a member; and those of
// store.Write.
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
	var roles []models.Role // that may do it besides the owner
	leaves := memberID == w.Tx.User().ID
	if leaves {
		roles = []models.Role{models.RoleEditor, models.RoleViewer}
	}
	e, err := w.authorizeShare(id, roles...)
	switch {
	case err != nil:
		return nil, err
	case w.roleOf(e, memberID) == models.NoRole:
		return nil, errNoShare
	}
	if e, err = w.Tx.SetShare(e, memberID, models.NoRole); err != nil {
		return nil, err
	}
	w.Tx.In(memberID).AppendChange(models.ExpenseDeleted, models.Expense{ID: id}, by)
	shares := w.appendShareChange(e, by)
	if leaves {
		return []models.Share{}, nil
	}
	return shares, nil
}

// Shares returns the users who have access to an expense, in the user's view. The error
// is models.NotFound if the user has no access.
func (l *Ledger) Shares(ctx context.Context, userID, expenseID string) (models.Sharing, error) {
	s, err := l.store.Sharing(ctx, userID, expenseID)
	if err != nil {
		return models.Sharing{}, fmt.Errorf("shares: %w", err)
	}
	return s, nil
}

// RightTo returns the user's role in an expense. The error is models.NotFound if the user
// has no access.
func (l *Ledger) RightTo(ctx context.Context, userID, expenseID string) (models.Right, error) {
	r, err := l.store.RightTo(ctx, userID, expenseID)
	if err != nil {
		return models.Right{}, fmt.Errorf("right: %w", err)
	}
	return r, nil
}

// Audience returns the IDs of the users who have access to an expense. The error is
// models.NotFound if the user has no access.
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

// Comment stores a comment on an expense, unmodified. Errors: *models.InvalidError,
// models.NotFound if the user has no access, models.Conflict with code COMMENT_LIMIT, and
// those of store.Write.
func (l *Ledger) Comment(ctx context.Context, userID, expenseID, text string) (models.Activity, error) {
	if err := models.InvalidIf(models.CheckComment(text)); err != nil {
		return models.Activity{}, err
	}
	var a models.Activity
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		a, err = w.comment(expenseID, text)
		return err
	})
	if err != nil {
		return models.Activity{}, fmt.Errorf("comment: %w", err)
	}
	if l.opts.OnActivity != nil {
		l.opts.OnActivity(a)
	}
	return a, nil
}

func (w *Work) comment(expenseID, text string) (models.Activity, error) {
	u := w.Tx.User()
	a := models.Activity{
		ID: NewID(), ExpenseID: expenseID, UserID: u.ID, UserName: u.Name,
		Type: models.ActivityComment, Text: text, At: w.Tx.Now(),
	}
	role, err := w.Tx.RoleOf(expenseID)
	if err != nil {
		return a, err
	}
	if a.Audience, err = w.Tx.Audience(expenseID); err != nil {
		return a, err
	}
	if err := w.checkCommentLimit(expenseID); err != nil {
		return a, err
	}
	if w.notifyPeople {
		if err := w.Tx.Lock(a.Audience...); err != nil {
			return a, err
		}
		if err := w.notifyOfComment(&a); err != nil {
			return a, err
		}
	}
	return a, w.Tx.InsertActivity(a, role)
}

// checkCommentLimit returns models.Conflict if the expense has models.MaxComments comments
// or the user has written models.MaxCommentsByUser.
func (w *Work) checkCommentLimit(expenseID string) error {
	full, err := w.Tx.CommentsFull(expenseID, models.MaxComments, models.MaxCommentsByUser)
	if err == nil && full {
		err = &models.Error{
			Kind: models.Conflict, Code: "COMMENT_LIMIT", Setting: models.FixedLimit,
			Msg: "There are as many comments as there can be",
		}
	}
	return err
}

// Activities returns a page of the activities of an expense, newest first, and their
// total number. Pages count from 1. Errors: models.NotFound if the user has no access,
// and those of the store.
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
