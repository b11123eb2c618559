package store

import (
	"context"

	"expenseflow/models"
)

// A row of invitations changes only under the lock of its owner, who offers, and
// what its recipient sees of it under both. What is new or withdrawn waits for
// UndeliveredInvitations.

type invitationRow struct {
	ID        string `gorm:"primaryKey"`
	UserID    string `gorm:"index:invitations_user,priority:1"`
	ExpenseID string `gorm:"uniqueIndex:invitations_open,priority:1"`
	Email     string `gorm:"uniqueIndex:invitations_open,priority:2;index:invitations_user,priority:2;index:invitations_email,priority:1"`
	Role      string
	State     string `gorm:"index:invitations_email,priority:2"`
	CreatedAt int64  `gorm:"index:invitations_undelivered"`
	EndsAt    int64
}

type contactRow struct {
	UserID    string `gorm:"primaryKey"`
	OtherID   string `gorm:"primaryKey;index:contacts_other"`
	State     string
	UpdatedAt int64
}

func (invitationRow) TableName() string { return "invitations" }
func (contactRow) TableName() string    { return "contacts" }

const (
	invitationColumns = "i.id, i.user_id, i.expense_id, i.email, i.role, i.state, i.created_at"

	// openInvitation are those that stand in their owner's list.
	openInvitation = "state <> 'withdrawn' AND state <> 'gone'"

	// withdraw ends an invitation; what its recipient sees of it is still to be taken away.
	withdraw = "state = CASE WHEN state = 'pending' THEN 'withdrawn' ELSE 'gone' END, ends_at = ?"
)

func scanInvitation(row scanner, more ...any) (models.Invitation, error) {
	var i models.Invitation
	var created int64
	err := row.Scan(append([]any{&i.ID, &i.OwnerID, &i.ExpenseID, &i.Email, &i.Role, &i.State, &created}, more...)...)
	i.CreatedAt = fromMillis(created)
	return i, err
}

// invitation reads at most one row; the zero Invitation is none.
func (tx *Tx) invitation(where string, args ...any) (i models.Invitation, err error) {
	query := "SELECT " + invitationColumns + " FROM invitations i WHERE " + where
	err = tx.query(query, args, func(row scanner) (err error) {
		i, err = scanInvitation(row)
		return err
	})
	return i, err
}

// OpenInvitation is the user's invitation of an address to an expense; the zero one
// if there is none.
func (tx *Tx) OpenInvitation(expenseID, email string) (models.Invitation, error) {
	return tx.invitation("user_id = ? AND expense_id = ? AND email = ? AND "+openInvitation, tx.user.ID, expenseID, email)
}

// InvitationCounts is how many invitations of the user there are: to an expense, to
// an address, and in all.
func (tx *Tx) InvitationCounts(expenseID, email string) (expense, pair, all int64, err error) {
	query := "SELECT COALESCE(SUM(CASE WHEN expense_id = ? AND " + openInvitation + " THEN 1 ELSE 0 END), 0), " +
		"COALESCE(SUM(CASE WHEN email = ? THEN 1 ELSE 0 END), 0), COUNT(*) FROM invitations WHERE user_id = ? AND (state <> 'gone' OR ends_at > ?)"
	err = tx.query(query, []any{expenseID, email, tx.user.ID, tx.clock()}, func(row scanner) error { return row.Scan(&expense, &pair, &all) })
	return expense, pair, all, err
}

// InsertInvitation saves a new invitation of the user's.
func (tx *Tx) InsertInvitation(i models.Invitation) error {
	if err := checkText([]any{i.Email}); err != nil {
		return err
	}
	tx.undelivered = true
	err := tx.exec("INSERT INTO invitations (id, user_id, expense_id, email, role, state, created_at, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
		i.ID, tx.user.ID, i.ExpenseID, i.Email, string(i.Role), string(models.InvitationNew), i.CreatedAt.UnixMilli())
	if err != nil {
		return err
	}
	return tx.exec("UPDATE expenses SET traces = 1 WHERE id = ? AND traces = 0", i.ExpenseID)
}

// SetInvitationRole offers another role.
func (tx *Tx) SetInvitationRole(id string, role models.Role) error {
	return tx.exec("UPDATE invitations SET role = ? WHERE id = ?", string(role), id)
}

// WithdrawInvitation ends an invitation of the user's.
func (tx *Tx) WithdrawInvitation(id string) error {
	tx.undelivered = true
	return tx.exec("UPDATE invitations SET "+withdraw+" WHERE id = ?", tx.rested(), id)
}

func (tx *Tx) rested() int64 { return tx.clock() + models.InvitationRest.Milliseconds() }

// withdrawAll ends the invitations to an expense that is removed.
func (tx *Tx) withdrawAll(expenseID string) error {
	tx.undelivered = true
	return tx.exec("UPDATE invitations SET "+withdraw+" WHERE expense_id = ? AND "+openInvitation, tx.rested(), expenseID)
}

// Undelivered reports whether the transaction left invitations to be delivered.
func (tx *Tx) Undelivered() bool { return tx.undelivered }

// ReceivedInvitation is an invitation that waits for the user's answer;
// models.NotFound if there is none of this id.
func (tx *Tx) ReceivedInvitation(id string) (models.Invitation, error) {
	i, err := tx.invitation("id = ? AND email = ? AND state = 'pending'", id, tx.user.Email)
	if err == nil && i.ID == "" {
		return i, models.E(models.NotFound, "Invitation not found")
	}
	return i, err
}

// UndeliveredInvitation is one to the user that is new or withdrawn; the zero one if
// it is neither any more.
func (tx *Tx) UndeliveredInvitation(id string) (models.Invitation, error) {
	return tx.invitation("id = ? AND email = ? AND (state = 'new' OR state = 'withdrawn')", id, tx.user.Email)
}

// SetInvitationState moves an invitation on.
func (tx *Tx) SetInvitationState(id string, state models.InvitationState) error {
	return tx.exec("UPDATE invitations SET state = ? WHERE id = ?", string(state), id)
}

// DeleteInvitation removes an invitation that was accepted, or cannot be any more.
func (tx *Tx) DeleteInvitation(id string) error {
	return tx.exec("DELETE FROM invitations WHERE id = ?", id)
}

// ReceivedFrom are the ids of the invitations of somebody that wait for the user's
// answer, the oldest first.
func (tx *Tx) ReceivedFrom(ownerID string) (ids []string, err error) {
	query := "SELECT id FROM invitations WHERE email = ? AND state = 'pending' AND user_id = ? ORDER BY created_at, id"
	err = tx.query(query, []any{tx.user.Email, ownerID}, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// Inviters is how many invitations wait for the user's answer, who has sent the most
// of them, and how many those are.
func (tx *Tx) Inviters() (all int64, most string, count int64, err error) {
	query := "SELECT user_id, COUNT(*) FROM invitations WHERE email = ? AND state = 'pending' GROUP BY user_id ORDER BY COUNT(*), user_id"
	err = tx.query(query, []any{tx.user.Email}, func(row scanner) error {
		err := row.Scan(&most, &count)
		all += count
		return err
	})
	return all, most, count, err
}

// Contact is what the user has decided about another.
func (tx *Tx) Contact(otherID string) (state models.Contact, err error) {
	err = tx.query("SELECT state FROM contacts WHERE user_id = ? AND other_id = ?", []any{tx.user.ID, otherID},
		func(row scanner) error { return row.Scan(&state) })
	return state, err
}

// SetContact notes what the user decides about another.
func (tx *Tx) SetContact(otherID string, state models.Contact) error {
	if state == models.NoContact {
		return tx.exec("DELETE FROM contacts WHERE user_id = ? AND other_id = ?", tx.user.ID, otherID)
	}
	return tx.exec("INSERT INTO contacts (user_id, other_id, state, updated_at) VALUES (?, ?, ?, ?) "+
		"ON CONFLICT (user_id, other_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at",
		tx.user.ID, otherID, string(state), tx.now)
}

// BlockedCount is how many people the user blocks.
func (tx *Tx) BlockedCount() (n int64, err error) {
	err = tx.query("SELECT COUNT(*) FROM contacts WHERE user_id = ? AND state = 'blocked'", []any{tx.user.ID},
		func(row scanner) error { return row.Scan(&n) })
	return n, err
}

// Knows reports whether the user has had to do with another: was invited by them,
// decided about them, or shares an expense with them.
func (tx *Tx) Knows(otherID string) (bool, error) {
	var n int64
	query := "SELECT (SELECT COUNT(*) FROM invitations WHERE user_id = ? AND email = ? AND (state = 'pending' OR state = 'declined')) + " +
		"(SELECT COUNT(*) FROM contacts WHERE user_id = ? AND other_id = ?) + " +
		"(SELECT COUNT(*) FROM shares s JOIN expenses e ON e.id = s.expense_id WHERE s.user_id = ? AND e.user_id = ?) + " +
		"(SELECT COUNT(*) FROM shares s JOIN expenses e ON e.id = s.expense_id WHERE s.user_id = ? AND e.user_id = ?)"
	args := []any{otherID, tx.user.Email, tx.user.ID, otherID, tx.user.ID, otherID, otherID, tx.user.ID}
	err := tx.query(query, args, func(row scanner) error { return row.Scan(&n) })
	return n > 0, err
}

// UndeliveredInvitations are at most limit that are new or withdrawn, the oldest
// first, of all users.
func (s *Store) UndeliveredInvitations(ctx context.Context, limit int) (all []models.Invitation, err error) {
	query := "SELECT " + invitationColumns + " FROM invitations i WHERE state = 'new' OR state = 'withdrawn' ORDER BY created_at, id LIMIT ?"
	err = s.rows(ctx, s.r, query, []any{limit}, func(row scanner) error {
		i, err := scanInvitation(row)
		all = append(all, i)
		return err
	})
	return all, err
}

// ShelveInvitation puts an undelivered invitation aside for an address without an
// account: until there is one, if it was not withdrawn.
func (s *Store) ShelveInvitation(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "UPDATE invitations SET state = CASE WHEN state = 'new' THEN 'waiting' ELSE 'gone' END WHERE id = ? AND "+
		"(state = 'new' OR state = 'withdrawn') AND NOT EXISTS (SELECT 1 FROM users u WHERE u.email = invitations.email)", id)
	return err
}

// WakeInvitations has the invitations that waited for an address delivered. It names
// new ones too: one that is being shelved at this moment is waited for.
func (s *Store) WakeInvitations(ctx context.Context, email string) error {
	_, err := s.exec(ctx, "UPDATE invitations SET state = 'new' WHERE email = ? AND (state = 'waiting' OR state = 'new')", email)
	return err
}

// WakeAllInvitations is WakeInvitations for every address that has an account: for
// those that were registered in a process which ended before it could wake them.
func (s *Store) WakeAllInvitations(ctx context.Context) error {
	_, err := s.exec(ctx, "UPDATE invitations SET state = 'new' WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM users u WHERE u.email = invitations.email)")
	return err
}

// ReceivedInvitations are those that wait for the user's answer, the newest first.
func (s *Store) ReceivedInvitations(ctx context.Context, userID string) ([]models.Invitation, error) {
	all := []models.Invitation{}
	query := "SELECT " + invitationColumns + ", o.name, o.email, e.description FROM users u JOIN invitations i ON i.email = u.email " +
		"JOIN users o ON o.id = i.user_id JOIN expenses e ON e.id = i.expense_id WHERE u.id = ? AND i.state = 'pending' ORDER BY i.created_at DESC, i.id DESC"
	err := s.rows(ctx, s.r, query, []any{userID}, func(row scanner) error {
		var name, email, description string
		i, err := scanInvitation(row, &name, &email, &description)
		i.OwnerName, i.OwnerEmail, i.Description = name, email, description
		all = append(all, i)
		return err
	})
	return all, err
}

// Blocked are the people whom the user blocks, by name.
func (s *Store) Blocked(ctx context.Context, userID string) ([]models.Person, error) {
	all := []models.Person{}
	query := "SELECT u.id, u.name, c.updated_at FROM contacts c JOIN users u ON u.id = c.other_id WHERE c.user_id = ? AND c.state = 'blocked' ORDER BY u.name, u.id"
	err := s.rows(ctx, s.r, query, []any{userID}, func(row scanner) error {
		var p models.Person
		var at int64
		err := row.Scan(&p.ID, &p.Name, &at)
		p.At = fromMillis(at)
		all = append(all, p)
		return err
	})
	return all, err
}

// invitationsOf reads whom an expense's owner has invited, the oldest first.
func (g *glance) invitationsOf(expenseID string, sh *models.Sharing) error {
	sh.Invited = []models.Invitation{}
	query := "SELECT " + invitationColumns + " FROM invitations i WHERE expense_id = ? AND " + openInvitation + " ORDER BY created_at, id"
	return g.rows(query, []any{expenseID}, func(row scanner) error {
		i, err := scanInvitation(row)
		sh.Invited = append(sh.Invited, i)
		return err
	})
}
