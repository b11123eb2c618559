package entries_test

import (
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A log of an earlier release does not say who made a change, but for what its own user's
// devices did.
func TestAChangeOfAnEarlierReleaseHasNoActor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		u := storetest.User(t, s)
		e := models.Expense{ID: storetest.ID(), UserID: u.ID, Description: "Lunch", Version: 1}
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, models.Author{TokenID: "jti"})
			tx.AppendChange(models.ExpenseUpdated, e, models.Author{})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			h, err := s.History(t.Context(), u.ID, e.ID, 0, 10)
			if err != nil || len(h.Entries) != 2 || !h.Complete {
				t.Fatalf("%+v, %v", h, err)
			}
			own, unknown := h.Entries[1].Actor, h.Entries[0].Actor
			if own == nil || own.ID != u.ID || (unknown == nil) != (h.Entries[0].Change.ActorID == "") {
				t.Errorf("actors: %v, %v", own, unknown)
			}
			forget := s.Database().Writer.WithContext(t.Context()).Exec("UPDATE changes SET actor_id = ''")
			if err := forget.Error; err != nil {
				t.Fatal(err)
			}
		}
	})
}
