package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

var update = flag.Bool("update", false, "write the golden files anew")

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

func TestDocumentsMatchTheirGoldenFiles(t *testing.T) {
	e, r := lunch(), rent()
	created := payload(models.Change{Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e, Author: models.Author{DeviceID: "device_abc123xyz"}})
	updated := payload(models.Change{Kind: models.ExpenseUpdated, EntityID: r.ID, Expense: r})
	deleted := payload(models.Change{Kind: models.ExpenseDeleted, EntityID: e.ID, Expense: e, Author: models.Author{DeviceID: "device_abc123xyz"}})
	documents := map[string]any{
		"expense":          wire.NewExpense(e),
		"expense_full":     wire.NewExpense(r),
		"pulled":           json.RawMessage(wire.AppendPulled(nil, &e)),
		"event_created":    created,
		"event_updated":    updated,
		"event_deleted":    deleted,
		"result_created":   wire.NewResult(models.Result{ResourceID: "temp_1", Status: models.StatusCreated, Expense: &e}),
		"result_parked":    wire.NewResult(models.Result{ResourceID: "temp_1", Status: models.StatusParked, Error: "why"}),
		"result_conflict":  wire.NewResult(models.Result{ResourceID: e.ID, Status: models.StatusParked, Error: "why", Current: &e}),
		"result_not_found": wire.NewResult(models.Result{ResourceID: e.ID, Status: models.StatusNotFound, Error: "Expense not found"}),
		"results": json.RawMessage(wire.AppendResults(nil, []models.Result{
			{ResourceID: "temp_1", Status: models.StatusDuplicate, Expense: &e},
			{ResourceID: e.ID, Status: models.StatusDeleted, Expense: &e},
		})),
		"results_empty":    json.RawMessage(wire.AppendResults(nil, nil)),
		"queued_parked":    wire.NewQueued(queued(models.Parked, models.Result{Status: models.StatusParked, Error: "why", Current: &e})),
		"queued_applied":   wire.NewQueued(queued(models.Applied, models.Result{Status: models.StatusCreated, Expense: &e})),
		"queued_list":      wire.QueuedList(nil),
		"status":           wire.NewSyncStatus(&later, 2),
		"status_never":     wire.NewSyncStatus(nil, 0),
		"page":             wire.NewPage([]models.Expense{e}, 51, 1, 50),
		"page_empty":       wire.NewPage(nil, 0, 1, 50),
		"session":          wire.Session{Token: "t", User: wire.NewUser(models.User{ID: "65a00000000000000000000f", Name: "Al", Email: "al@b.co"})},
		"profile":          wire.NewProfile(models.User{Name: "Al", Email: "al@b.co", CreatedAt: noon}),
		"failure":          wire.NewFailure(&models.Error{Kind: models.Unauthorized, Msg: "Invalid token.", Code: "TOKEN_EXPIRED", Err: errors.New("secret")}),
		"failure_ours":     wire.NewFailure(errors.New("secret")),
		"failure_rule":     wire.NewFailure(models.InvalidIf([]models.Violation{{Field: "amount", Rule: models.RuleMin}})),
		"failure_conflict": wire.NewFailure(&models.ConflictError{Stored: e}),
		"delta":            delta(e),
		"delta_empty":      wire.NewDelta(nil),
	}
	for name, document := range documents {
		got, err := json.Marshal(document)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name, got)
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

// golden compares a document with its file, which is indented for readers.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", "  "); err != nil {
		t.Fatalf("%s is no JSON: %v\n%s", name, err, got)
	}
	indented.WriteByte('\n')
	path := filepath.Join("testdata", "golden", name+".json")
	if *update {
		if err := os.WriteFile(path, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// Whoever encodes a document, by Append or by encoding/json, writes the same
// bytes; and what is written is read back, whatever a text holds.
func TestExpensesComeBackFromTheirDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := lunch()
		e.Description = rapid.String().Draw(t, "description")
		e.Merchant = rapid.String().Draw(t, "merchant")
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
		}
		if err := json.Unmarshal(appended, &back); err != nil {
			t.Fatal(err)
		}
		date, ok := wire.ParseTime(back.Date)
		if back.Description != e.Description || back.Merchant != e.Merchant || back.Amount.String() != e.Amount.String() || !ok || !date.Equal(e.Date) {
			t.Fatalf("%+v came back as %+v", e, back)
		}
	})
}

func TestCodesOfErrors(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{errors.New("x"), "INTERNAL"},
		{models.E(models.Invalid, "x"), "INVALID"},
		{models.InvalidIf([]models.Violation{{Field: "amount", Rule: models.RuleMin}}), "INVALID"},
		{models.E(models.NotFound, "x"), "NOT_FOUND"},
		{&models.ConflictError{}, "CONFLICT"},
		{&models.Error{Kind: models.Unauthorized, Msg: "x", Code: "TOKEN_EXPIRED"}, "TOKEN_EXPIRED"},
		{models.E(models.Unavailable, "x"), "UNAVAILABLE"},
	}
	for _, tt := range tests {
		if got := wire.Code(tt.err); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestViolationsInMongooseWords(t *testing.T) {
	broken := models.InvalidIf([]models.Violation{{Field: "amount", Rule: models.RuleMin, Value: "-1"}})
	want := "Path `amount` (-1) is less than minimum allowed value (0.01)."
	if got := wire.CreateError(broken); text(got) != "Expense validation failed: amount: "+want {
		t.Errorf("got %v", got)
	}
	if got := wire.UpdateError(broken); text(got) != "Validation failed: amount: "+want {
		t.Errorf("got %v", got)
	}
	other := errors.New("other")
	if got := wire.CreateError(other); !errors.Is(got, other) {
		t.Errorf("got %v", got)
	}
}

func BenchmarkAppendExpense(b *testing.B) {
	e := rent()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.AppendExpense(buf[:0], &e)
	}
}
