package store_test

import (
	"errors"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
)

// An operation that gave a known name to another expense, and was undone, left the
// name unknown to the rest of its transaction: a deletion by that name found nothing
// and was acknowledged, and the next expense of that name could not be stored.
func TestAnUndoneNameHidTheOneBefore(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, undone := storetest.User(t, s), errors.New("undone")
		write(t, s, u.ID, func(tx *store.Tx) { tx.SetAlias("phone", "temp_1", "a") })
		write(t, s, u.ID, func(tx *store.Tx) {
			err := tx.Attempt(func() error { tx.SetAlias("phone", "temp_1", "b"); return undone })
			if !errors.Is(err, undone) {
				t.Errorf("the attempt came to %v", err)
			}
			err = tx.Attempt(func() error {
				if id, ok, err := tx.Alias("phone", "temp_1"); id != "a" || !ok || err != nil {
					t.Errorf("the name means %q, %t, %v", id, ok, err)
				}
				tx.SetAlias("phone", "temp_1", "c")
				return nil
			})
			if err != nil {
				t.Errorf("the next one's name: %v", err)
			}
		})
		if id, ok, err := s.ResolveAlias(t.Context(), u.ID, "phone", "temp_1"); id != "c" || !ok || err != nil {
			t.Errorf("in the end the name means %q, %t, %v", id, ok, err)
		}
	})
}
