package store

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// A contact is what a user decided about another.
type contact struct {
	UserID    string `gorm:"primaryKey"`
	OtherID   string `gorm:"primaryKey;index:contacts_other"`
	State     models.Contact
	UpdatedAt time.Time `gorm:"serializer:millis"`
}

// Contact returns what the user has decided about another.
func (tx *Tx) Contact(otherID string) (models.Contact, error) {
	c, _, err := oneIn[contact](tx, tx.orm().Where("user_id = ? AND other_id = ?", tx.user.ID, otherID))
	return c.State, err
}

// SetContact notes what the user decides about another.
func (tx *Tx) SetContact(otherID string, state models.Contact) error {
	if state == models.NoContact {
		return tx.run(tx.orm().Where("user_id = ? AND other_id = ?", tx.user.ID, otherID).Delete(&contact{}))
	}
	row := contact{tx.user.ID, otherID, state, tx.Now()}
	return tx.run(tx.orm().Clauses(rows.Overwrite(row)).Create(&row))
}

// BlockedCount returns how many people the user blocks.
func (tx *Tx) BlockedCount() (int64, error) {
	return tx.count(tx.orm().Model(&contact{}).Where("user_id = ? AND state = 'blocked'", tx.user.ID))
}

// Blocked returns the people whom the user blocks, by name.
func (s *Store) Blocked(ctx context.Context, userID string) ([]models.Person, error) {
	return find.All[models.Person](s.db.Read(ctx).Table("contacts c").Select("u.id, u.name, c.updated_at").
		Joins("JOIN users u ON u.id = c.other_id").Where("c.user_id = ? AND c.state = 'blocked'", userID).Order("u.name, u.id"))
}

// Knows reports whether the user has had to do with another: was invited by them,
// decided about them, or shares an expense with them.
//
// It is written by hand: GORM has no words for a sum of subqueries.
func (tx *Tx) Knows(otherID string) (bool, error) {
	const query = "SELECT " +
		"(SELECT COUNT(*) FROM invitations WHERE user_id = ? AND email = ? AND (state = 'pending' OR state = 'declined')) + " +
		"(SELECT COUNT(*) FROM contacts WHERE user_id = ? AND other_id = ?) + " +
		"(SELECT COUNT(*) FROM shares s JOIN expenses e ON e.id = s.expense_id WHERE s.user_id = ? AND e.user_id = ?) + " +
		"(SELECT COUNT(*) FROM shares s JOIN expenses e ON e.id = s.expense_id WHERE s.user_id = ? AND e.user_id = ?)"
	me := tx.user.ID
	n, _, err := oneIn[int64](tx, tx.orm().Raw(query, otherID, tx.user.Email, me, otherID, me, otherID, otherID, me))
	return n > 0, err
}
