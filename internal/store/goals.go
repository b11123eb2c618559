package store

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

var errNoGoal = models.E(models.NotFound, "Goal not found")

// Goals returns the user's goals, newest first. There are at most models.MaxGoals.
func (s *Store) Goals(ctx context.Context, userID string) ([]models.Goal, error) {
	return find.All[models.Goal](s.db.Read(ctx).Where("user_id = ?", userID).Order("created_at DESC, id DESC"))
}

// Goal returns the user's goal of this id; models.NotFound if there is none, or it is
// another user's.
func (tx *Tx) Goal(id string) (models.Goal, error) {
	if !models.IsID(id) {
		return models.Goal{}, errNoGoal
	}
	g, found, err := oneIn[models.Goal](tx, tx.orm().Where("user_id = ? AND id = ?", tx.user.ID, id))
	if err == nil && !found {
		err = errNoGoal
	}
	return g, err
}

// CountGoals returns how many goals the user has.
func (tx *Tx) CountGoals() (int, error) {
	n, err := tx.count(tx.orm().Model(&models.Goal{}).Where("user_id = ?", tx.user.ID))
	return int(n), err
}

// SaveGoal stores a goal, new or not. Unlike expenses, goals are written one at a
// time and by no batch, so they need no buffer.
func (tx *Tx) SaveGoal(g models.Goal) error {
	tx.wrote = true
	return tx.run(tx.orm().Clauses(rows.Overwrite(g)).Create(&g))
}

// DeleteGoal removes a goal that Goal returned.
func (tx *Tx) DeleteGoal(id string) error {
	tx.wrote = true
	return tx.run(tx.orm().Where("id = ?", id).Delete(&models.Goal{}))
}
