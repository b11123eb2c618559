package store

import (
	"expenseflow/internal/store/access"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A row of invitations changes only under the lock of its owner, who offers; the
// recipient's copy changes only under both locks. What is new or withdrawn waits for
// UndeliveredInvitations.

// OpenInvitation returns the user's invitation of an address to an expense; the zero one
// if there is none.
func (tx *Tx) OpenInvitation(expenseID, email string) (models.Invitation, error) {
	i, _, err := oneIn[models.Invitation](tx, access.Invitations(tx.orm()).
		Where("user_id = ? AND expense_id = ? AND email = ?", tx.user.ID, expenseID, email).Where(access.IsOpen))
	return i, err
}

// InvitationCounts returns how many invitations of the user there are: to an expense, to
// an address, and in all.
func (tx *Tx) InvitationCounts(expenseID, email string) (expense, pair, all int64, err error) {
	type counts struct{ Expense, Pair, Total int64 }
	n, _, err := oneIn[counts](tx, access.Invitations(tx.orm()).
		Select("COALESCE(SUM(CASE WHEN expense_id = ? AND "+access.IsOpen+" THEN 1 ELSE 0 END), 0) AS expense, "+
			"COALESCE(SUM(CASE WHEN email = ? THEN 1 ELSE 0 END), 0) AS pair, COUNT(*) AS total", expenseID, email).
		Where("user_id = ? AND (state <> 'gone' OR ends_at > ?)", tx.user.ID, tx.clock()))
	return n.Expense, n.Pair, n.Total, err
}

// InsertInvitation saves a new invitation of the user's.
func (tx *Tx) InsertInvitation(i models.Invitation) error {
	tx.undelivered = true
	i.OwnerID, i.State = tx.user.ID, models.InvitationNew
	if err := tx.run(tx.orm().Create(&access.InvitationRow{Invitation: i})); err != nil {
		return err
	}
	return tx.markDependents(i.ExpenseID)
}

// SetInvitationRole offers another role.
func (tx *Tx) SetInvitationRole(id string, role models.Role) error {
	return tx.run(access.Invitations(tx.orm()).Where("id = ?", id).UpdateColumn("role", role))
}

// WithdrawInvitation ends an invitation of the user's.
func (tx *Tx) WithdrawInvitation(id string) error {
	return tx.withdraw(access.Invitations(tx.orm()).Where("id = ?", id))
}

// withdrawAll ends the invitations to an expense that is removed.
func (tx *Tx) withdrawAll(expenseID string) error {
	return tx.withdraw(access.Invitations(tx.orm()).Where("expense_id = ?", expenseID).Where(access.IsOpen))
}

// withdraw ends the invitations of a query; what their recipients see of them is still to be
// taken away.
func (tx *Tx) withdraw(of *gorm.DB) error {
	tx.undelivered = true
	return tx.run(of.UpdateColumns(map[string]any{
		"state":   gorm.Expr("CASE WHEN state = 'pending' THEN 'withdrawn' ELSE 'gone' END"),
		"ends_at": tx.clock() + models.WithdrawnInvitationTTL.Milliseconds(),
	}))
}

// Undelivered reports whether the transaction left invitations to be delivered.
func (tx *Tx) Undelivered() bool { return tx.undelivered }

// ReceivedInvitation returns an invitation that waits for the user's answer;
// models.NotFound if there is none of this id.
func (tx *Tx) ReceivedInvitation(id string) (models.Invitation, error) {
	i, found, err := oneIn[models.Invitation](tx, tx.received().Where("id = ?", id))
	if err == nil && !found {
		err = models.E(models.NotFound, "Invitation not found")
	}
	return i, err
}

// received selects the invitations that wait for the user's answer.
func (tx *Tx) received() *gorm.DB {
	return access.Invitations(tx.orm()).Where("email = ? AND state = 'pending'", tx.user.Email)
}

// UndeliveredInvitation returns one to the user that is new or withdrawn; the zero one if
// it is neither any more.
func (tx *Tx) UndeliveredInvitation(id string) (models.Invitation, error) {
	i, _, err := oneIn[models.Invitation](tx, access.Invitations(tx.orm()).
		Where("id = ? AND email = ?", id, tx.user.Email).Where(access.IsUndelivered))
	return i, err
}

// SetInvitationState moves an invitation on.
func (tx *Tx) SetInvitationState(id string, state models.InvitationState) error {
	return tx.run(access.Invitations(tx.orm()).Where("id = ?", id).UpdateColumn("state", state))
}

// DeleteInvitation removes an invitation that was accepted, or cannot be any more.
func (tx *Tx) DeleteInvitation(id string) error {
	return tx.run(tx.orm().Where("id = ?", id).Delete(&access.InvitationRow{}))
}

// ReceivedFrom returns the ids of the invitations of somebody that wait for the user's
// answer, the oldest first.
func (tx *Tx) ReceivedFrom(ownerID string) ([]string, error) {
	return findIn[string](tx, tx.received().Select("id").Where("user_id = ?", ownerID).Order("created_at, id"))
}

// Inviters returns how many invitations wait for the user's answer, who has sent the most
// of them, and how many those are.
func (tx *Tx) Inviters() (all int64, most string, count int64, err error) {
	type inviter struct {
		UserID string
		Sent   int64
	}
	found, err := findIn[inviter](tx, tx.received().Select("user_id, COUNT(*) AS sent").Group("user_id").Order("COUNT(*), user_id"))
	for _, i := range found {
		most, count = i.UserID, i.Sent
		all += i.Sent
	}
	return all, most, count, err
}

// leaveInvitations takes the user, who is removed, out of all invitations and contacts.
func (tx *Tx) leaveInvitations() error {
	tx.undelivered = true
	err := tx.run(access.Invitations(tx.orm()).Where("user_id = ? AND (state = 'pending' OR state = 'withdrawn')", tx.user.ID).
		UpdateColumns(map[string]any{"user_id": "", "state": models.InvitationWithdrawn}))
	if err != nil {
		return err
	}
	err = tx.run(access.Invitations(tx.orm()).Where("email = ? AND (state = 'pending' OR state = 'withdrawn')", tx.user.Email).
		UpdateColumn("state", gorm.Expr("CASE WHEN state = 'pending' THEN 'waiting' ELSE 'gone' END")))
	if err != nil {
		return err
	}
	return tx.run(tx.orm().Where("other_id = ?", tx.user.ID).Delete(&contact{}))
}
