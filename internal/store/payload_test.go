package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What is written by hand is what is read by encoding/json.
func TestResultsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := models.Result{
			ResourceID: rapid.String().Draw(t, "resource"), Status: models.StatusCreated,
			Expense: anyExpense(t), Current: anyExpense(t), Error: rapid.String().Draw(t, "error"),
		}
		b := []byte(store.EncodeResult(&want))
		got, err := store.DecodeResult(b)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || !json.Valid(b) {
			t.Fatalf("%s: %v\n%s", b, err, diff)
		}
	})
}

func anyExpense(t *rapid.T) *models.Expense {
	text := func(name string) string { return rapid.String().Draw(t, name) }
	moment := func(name string) time.Time {
		return time.UnixMilli(rapid.Int64Range(-1<<40, 1<<42).Draw(t, name)).UTC()
	}
	return rapid.OneOf(rapid.Just[*models.Expense](nil), rapid.Just(&models.Expense{
		ID: text("id"), UserID: text("user"), Description: text("description"),
		Amount: models.Money(rapid.Int64().Draw(t, "amount")), Category: text("category"), Type: text("type"),
		Date: moment("date"), Day: models.Day(rapid.Int64Range(-1<<20, 1<<22).Draw(t, "day")), Currency: text("currency"), Merchant: text("merchant"), Notes: text("notes"),
		Version: rapid.Int64().Draw(t, "version"), LastSyncedAt: moment("synced"),
		CreatedAt: moment("created"), UpdatedAt: moment("updated"),
	})).Draw(t, "expense")
}
