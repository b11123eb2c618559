package access

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// An InvitationRow is an invitation to share an expense.
type InvitationRow struct {
	models.Invitation
	EndsAt int64 // from then on one in state gone is forgotten; milliseconds
}

// TableName implements GORM's Tabler.
func (InvitationRow) TableName() string { return "invitations" }

// Conditions on the state of an invitation.
const (
	IsOpen        = "state <> 'withdrawn' AND state <> 'gone'" // it stands in its owner's list
	IsUndelivered = "state = 'new' OR state = 'withdrawn'"
)

// Invitations selects rows of the table.
func Invitations(db *gorm.DB) *gorm.DB { return db.Model(&InvitationRow{}) }

// UndeliveredInvitations returns at most limit that are new or withdrawn, the oldest
// first, of all users.
func (a Access) UndeliveredInvitations(ctx context.Context, limit int) ([]models.Invitation, error) {
	return find.All[models.Invitation](Invitations(a.db.Read(ctx)).Where(IsUndelivered).Order("created_at, id").Limit(limit))
}

// hasAccount is the condition that an invitation's address has an account.
const hasAccount = "EXISTS (SELECT 1 FROM users u WHERE u.email = invitations.email)"

// ShelveInvitation puts an undelivered invitation aside for an address without an
// account: until there is one, if it was not withdrawn.
func (a Access) ShelveInvitation(ctx context.Context, id string) error {
	_, err := a.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return Invitations(db).Where("id = ?", id).Where(IsUndelivered).Where("NOT "+hasAccount).
			UpdateColumn("state", gorm.Expr("CASE WHEN state = 'new' THEN 'waiting' ELSE 'gone' END"))
	})
	return err
}

// WakeInvitations has the invitations that waited for an address delivered. It names
// new ones too: one that is being shelved at this moment is waited for.
func (a Access) WakeInvitations(ctx context.Context, email string) error {
	return a.wake(ctx, "email = ? AND (state = 'waiting' OR state = 'new')", email)
}

// WakeAllInvitations is WakeInvitations for every address that has an account: for
// those that were registered in a process which ended before it could wake them.
func (a Access) WakeAllInvitations(ctx context.Context) error {
	return a.wake(ctx, "state = 'waiting' AND "+hasAccount)
}

func (a Access) wake(ctx context.Context, condition string, args ...any) error {
	_, err := a.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return Invitations(db).Where(condition, args...).UpdateColumn("state", models.InvitationNew)
	})
	return err
}

// ReceivedInvitations returns those that wait for the user's answer, the newest first.
func (a Access) ReceivedInvitations(ctx context.Context, userID string) ([]models.Invitation, error) {
	return find.All[models.Invitation](a.db.Read(ctx).Table("invitations i").
		Select(rows.Of(models.Invitation{}).NamesOf("i")+", o.name AS owner_name, o.email AS owner_email, e.description").
		Joins("JOIN users u ON u.email = i.email JOIN users o ON o.id = i.user_id JOIN expenses e ON e.id = i.expense_id").
		Where("u.id = ? AND i.state = 'pending'", userID).Order("i.created_at DESC, i.id DESC"))
}

// invitationsTo reads whom an expense's owner has invited, the oldest first.
func invitationsTo(db *gorm.DB, expenseID string) ([]models.Invitation, error) {
	return find.All[models.Invitation](Invitations(db).Where("expense_id = ?", expenseID).Where(IsOpen).Order("created_at, id"))
}
