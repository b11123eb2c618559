package transfer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

func expense(userID string) models.Expense {
	at := models.Millis(time.Now())
	return models.Expense{
		ID: storetest.ID(), UserID: userID, Description: "Mittagessen 🍜 \"quoted\" \\ \u2028 it's", Amount: 12_345_000,
		Category: "food", Type: "expense", Date: at, Day: models.DayOf(at, time.UTC), Currency: "EUR", Version: 1, Tags: "Büro\nit's ☕",
		LastSyncedAt: at, CreatedAt: at, UpdatedAt: at,
	}
}

// createMany stores what a batch of creations stores.
func createMany(tx *store.Tx, batch, size int) error {
	by := models.Author{DeviceID: "device_abc123xyz"}
	for i := range size {
		e := expense(tx.User().ID)
		e.LastSyncedAt = tx.Now()
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, by)
		temp := fmt.Sprintf("temp_%d_%d", batch, i)
		tx.SetAlias(by.DeviceID, temp, e.ID)
		at := int64(1_700_000_000_123)
		tx.InsertOperation(models.QueuedOperation{
			ID: storetest.ID(), UserID: tx.User().ID, Key: fmt.Sprintf("%060d%04d", batch, i), State: models.Applied,
			Operation: models.Operation{
				Action: models.Create, ResourceType: "expense", ResourceID: temp, DeviceID: by.DeviceID, Data: []byte(`{}`), Timestamp: &at,
			},
			Result:    models.Result{ResourceID: temp, Status: models.StatusCreated, Expense: &e},
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		})
	}
	tx.TouchDevice(by)
	return nil
}

func wantWords(t testing.TB, msg string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(msg, w) {
			t.Errorf("%q does not say %q", msg, w)
		}
	}
}
