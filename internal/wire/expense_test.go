package wire_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

var (
	noon  = time.Date(2026, time.January, 19, 12, 0, 0, 0, time.UTC)
	later = noon.Add(1500 * time.Millisecond)
)

func lunch() models.Expense {
	return models.Expense{
		ID: "65a000000000000000000001", UserID: "65a00000000000000000000f", Description: `Lunch <"&"> ☕`,
		Amount: 12_345_000, Category: "food", Type: "expense", Date: noon, Day: models.DayOf(noon, time.UTC), Version: 1,
		LastSyncedAt: later, CreatedAt: noon, UpdatedAt: later,
	}
}

func rent() models.Expense {
	e := lunch()
	e.Description, e.Category, e.Currency, e.Merchant, e.Notes, e.Version = "Rent", "bills", "USD", "Landlord", "March", 7
	return e
}

func queued(state models.OperationState, r models.Result) models.QueuedOperation {
	at := int64(1795288041641)
	return models.QueuedOperation{
		ID: "65a0000000000000000000aa", UserID: "65a00000000000000000000f", State: state, Result: r,
		Operation: models.Operation{
			Action: models.Create, ResourceType: "expense", ResourceID: "temp_1795288041640",
			DeviceID: "device_abc123xyz", Data: json.RawMessage(`{"amount":-5}`), Timestamp: &at,
		},
		CreatedAt: noon, UpdatedAt: later,
	}
}

func delta(e models.Expense) wire.Delta {
	local, number := json.RawMessage(`"local_1"`), json.RawMessage("5")
	return wire.NewDelta([]models.DeltaResult{
		{Change: models.DeltaChange{Action: models.Create, LocalID: local}, Expense: &e},
		{Change: models.DeltaChange{Action: models.Delete, ID: e.ID, LocalID: number}},
		{Change: models.DeltaChange{Action: models.Update, ID: e.ID, LocalID: number}, Current: &e},
		{Change: models.DeltaChange{ID: "x"}, Error: "Invalid action"},
	})
}

// payload is that of every event of a change.
func payload(c models.Change) json.RawMessage { return wire.Events(&c)[0].Payload }

// The Append functions write the same bytes as encoding/json, and the result is parsed back
// to the same expense for any text.
func TestExpensesComeBackFromTheirDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := lunch()
		e.Description = rapid.String().Draw(t, "description")
		e.Merchant = rapid.String().Draw(t, "merchant")
		e.Tags = models.NewTags(rapid.SliceOf(rapid.String()).Draw(t, "tags"))
		e.Amount = models.Money(rapid.Int64Range(int64(models.MinAmount), int64(models.MaxAmount)).Draw(t, "amount"))
		e.Date = time.UnixMilli(rapid.Int64Range(-62_000_000_000_000, 253_000_000_000_000).Draw(t, "date")).UTC()
		appended := wire.AppendExpense(nil, &e)
		marshalled, err := json.Marshal(wire.NewExpense(e))
		if err != nil || !bytes.Equal(appended, marshalled) {
			t.Fatalf("%v\n%s\n%s", err, appended, marshalled)
		}
		var back struct {
			Description, Merchant string
			Amount                json.Number
			Date                  string
			Tags                  []string
		}
		if err := json.Unmarshal(appended, &back); err != nil {
			t.Fatal(err)
		}
		date, ok := wire.ParseTime(back.Date)
		if back.Description != e.Description || back.Merchant != e.Merchant || back.Amount.String() != e.Amount.String() || !ok ||
			!date.Equal(e.Date) || !slices.Equal(back.Tags, e.Tags.List()) {
			t.Fatalf("%+v came back as %+v", e, back)
		}
	})
}

func BenchmarkAppendExpense(b *testing.B) {
	e := rent()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.AppendExpense(buf[:0], &e)
	}
}

// result is the document of r.
func result(r models.Result) json.RawMessage { return wire.AppendResult(nil, &r) }
