package store

import (
	"context"
	"errors"
)

// Rehearse runs fn as Write does, and writes nothing: fn reads a snapshot, without a lock and
// without a turn among the writers. What fn saves with the methods that buffer it is seen by its
// own reads and then forgotten; fn must not call those that write at once (SaveGoal,
// SavePreferences, InsertActivity, Attempt).
//
// fn may run again, so it resets its own results first. Errors are as for Write.
func (s *Store) Rehearse(ctx context.Context, userID string, fn func(tx *Tx) error) error {
	users := []string{userID}
	for {
		err := s.snapshot(ctx, func(v *snapshot) error { return v.rehearse(ctx, userID, users, fn) })
		var more *needsLocksError
		if !errors.As(err, &more) {
			return err
		}
		users = more.with(users)
	}
}

func (v *snapshot) rehearse(ctx context.Context, userID string, users []string, fn func(tx *Tx) error) error {
	st := newTxState(ctx, v.s, v.db, userID, users)
	_, err := st.call(fn, v.db.Where(v.s.db.In("id", users)).Order("id"))
	return err
}
