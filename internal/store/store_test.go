package store_test

import (
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
)

func expense(userID string) models.Expense {
	at := models.Millis(time.Now())
	return models.Expense{
		ID: storetest.ID(), UserID: userID, Description: "Mittagessen 🍜 \"quoted\" \\", Amount: 12_345_000,
		Category: "food", Type: "expense", Date: at, Currency: "EUR", Version: 1,
		LastSyncedAt: at, CreatedAt: at, UpdatedAt: at,
	}
}

func TestWriteIsSeenByReaders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		u := storetest.User(t, s)
		e := expense(u.ID)
		by := models.Author{DeviceID: "phone\x00\\", TokenID: "jti"}
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, by)
			return nil
		})
		if err != nil {
			t.Fatalf("Write: %v", err)
		}
		got, err := s.ExpenseOf(t.Context(), u.ID, e.ID)
		if err != nil {
			t.Fatalf("ExpenseOf: %v", err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Errorf("expense (-want +got):\n%s", diff)
		}
		changes, err := s.Changes(t.Context(), u.ID, 0, 10)
		if err != nil || len(changes) != 1 {
			t.Fatalf("Changes: %v %v", changes, err)
		}
		want := models.Change{UserID: u.ID, Seq: 1, Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e, Author: by, At: changes[0].At}
		if diff := cmp.Diff(want, changes[0]); diff != "" {
			t.Errorf("change (-want +got):\n%s", diff)
		}
	})
}
