package store

import (
	"context"
	"errors"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Rehearse runs fn as Write does, and writes nothing: fn reads a snapshot, without a lock and
// without a turn among the writers. What fn saves with the methods that buffer it is seen by its
// own reads and then forgotten; fn must not call those that write at once (SaveGoal,
// SavePreferences, InsertActivity, Attempt) or may write what is buffered (EvaluateBudgets,
// MarkAllRead).
//
// fn may run again, so it resets its own results first. Errors are as for Write.
func (s *Store) Rehearse(ctx context.Context, userID string, fn func(tx *Tx) error) error {
	users := []string{userID}
	for {
		err := s.db.Snapshot(ctx, func(db *gorm.DB) error { return s.rehearse(ctx, db, userID, users, fn) })
		var more *needsLocksError
		if !errors.As(err, &more) {
			return err
		}
		users = more.with(users)
	}
}

func (s *Store) rehearse(ctx context.Context, db *gorm.DB, userID string, users []string, fn func(tx *Tx) error) error {
	st := newTxState(ctx, s, db, userID, users)
	_, err := st.call(fn, func(fn func(models.User) error) error {
		return find.Each(db.Where(s.db.In("id", users)).Order("id"), fn)
	})
	return err
}
