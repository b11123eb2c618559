package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func someRates(t *testing.T) *models.Rates {
	r, err := models.ParseRates([]byte(`{"base": "EUR", "date": "2026-01-16", "rates": {"INR": 105.3, "USD": 1.16, "JPY": 184}}`),
		noon)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func elsewhere() []models.CurrencyTotal {
	return []models.CurrencyTotal{
		{Currency: "EUR", Income: models.Sum{Units: 10}, Expense: models.Sum{Units: 2, Micros: 500_000}, Count: 3},
		{Currency: "XTS", Expense: models.Sum{Units: 1}, Count: 1},
	}
}

func ratesPage(t *testing.T, base string, r *models.Rates) wire.RatesResponse {
	page, err := wire.NewRatesResponse(base, r, noon)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestLiveDocuments(t *testing.T) {
	untouched := models.BudgetReport{BudgetState: models.BudgetState{
		Budget: food(), From: 20_000, To: 20_031, Currency: "EUR",
		Active: true,
	}}
	report := models.BudgetReport{
		BudgetState: overdrawn(),
		Others:      []models.CurrencySum{{Currency: "EUR", Sum: models.Sum{Units: 8}}, {Currency: "XTS", Sum: models.Sum{Units: 1}}},
	}
	notification := models.Notification{
		ID: "65a0000000000000000000c1", Title: "Budget exceeded", Message: "Why", Type: models.NotifyBudget,
		Priority: models.PriorityCritical, Data: json.RawMessage(`{"budgetId":"x"}`), CreatedAt: noon,
	}
	own := models.CurrencyTotal{
		Currency: "INR", Income: models.Sum{Units: 9_000_000_000_000_000},
		Expense: models.Sum{Units: 9_000_000_000_000_000, Micros: 1}, Count: 9,
	}
	balance := models.Balance{CurrencyTotal: own, Others: elsewhere(), UpdatedAt: noon}
	alone := models.Balance{CurrencyTotal: own, UpdatedAt: noon}
	zone := "Pacific/Auckland"
	e := lunch()
	goldens(t, map[string]any{
		"budget":              wire.NewBudget(food()),
		"budget_state":        wire.NewBudgetState(report, someRates(t)),
		"budget_untouched":    wire.NewBudgetState(untouched, nil),
		"budget_alert":        wire.NewBudgetAlert(overdrawn()),
		"budget_summary":      wire.NewBudgetSummary([]models.BudgetReport{report, untouched}),
		"budget_summary_none": wire.NewBudgetSummary(nil),
		"budget_conflict":     wire.NewErrorBody(&models.ConflictError{Budget: &untouched.Budget}),
		"notification":        wire.NewNotification(notification),
		"notifications":       wire.NewNotificationPage([]models.Notification{notification, {Read: true, CreatedAt: noon}}, 21, 2, 20),
		"notifications_none":  wire.NewNotificationPage(nil, 0, 1, 20),
		"balance":             wire.NewBalance(balance, someRates(t)),
		"balance_unconverted": wire.NewBalance(balance, nil),
		"balance_never":       wire.NewBalance(models.Balance{CurrencyTotal: models.CurrencyTotal{Currency: "INR"}}, nil),
		"balance_change": wire.NewBalanceChange(alone, nil, models.SumOf(-1),
			&models.Change{Kind: models.ExpenseDeleted, EntityID: e.ID}),
		"balance_greeting": wire.NewBalanceChange(alone, nil, models.Sum{}, nil),
		"dashboard":        wire.NewDashboard(dashboard(e), someRates(t)),
		"dashboard_empty": wire.NewDashboard(models.Dashboard{
			From: 20_000, To: 20_000,
			CurrencyTotal: models.CurrencyTotal{Currency: "INR"}, GeneratedAt: noon,
		}, nil),
		"settings":      wire.NewSettings(models.Settings{Zone: zone, Currency: "NZD"}),
		"settings_none": wire.NewSettings(models.Settings{}),
		"preference":    wire.NewCurrencyPreference(&models.User{}),
		"rates":         ratesPage(t, "EUR", someRates(t)),
		"rates_none":    ratesPage(t, "", nil),
		"system_status": wire.Status{Status: wire.StatusDegraded, Message: "why", At: wire.Time(noon)},
	})
}

func goldens(t *testing.T, documents map[string]any) {
	t.Helper()
	for name, document := range documents {
		got, err := json.Marshal(document)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name, got)
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func TestDocumentsMatchTheirGoldenFiles(t *testing.T) {
	e, r, tagged := lunch(), rent(), rent()
	tagged.Tags = "work\n<\"&\"> ☕"
	created := payload(models.Change{
		Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e,
		Author: models.Author{DeviceID: "device_abc123xyz"},
	})
	updated := payload(models.Change{Kind: models.ExpenseUpdated, EntityID: r.ID, Expense: r})
	deleted := payload(models.Change{
		Kind: models.ExpenseDeleted, EntityID: e.ID, Expense: e,
		Author: models.Author{DeviceID: "device_abc123xyz"},
	})
	documents := map[string]any{
		"expense":          wire.NewExpense(e),
		"expense_full":     wire.NewExpense(r),
		"expense_tagged":   wire.NewExpense(tagged),
		"pulled":           json.RawMessage(wire.AppendPulledExpense(nil, &e)),
		"event_created":    created,
		"event_updated":    updated,
		"event_deleted":    deleted,
		"result_created":   result(models.Result{ResourceID: "temp_1", Status: models.StatusCreated, Expense: &e}),
		"result_parked":    result(models.Result{ResourceID: "temp_1", Status: models.StatusParked, Error: "why"}),
		"result_conflict":  result(models.Result{ResourceID: e.ID, Status: models.StatusParked, Error: "why", Current: &e}),
		"result_not_found": result(models.Result{ResourceID: e.ID, Status: models.StatusNotFound, Error: "Expense not found"}),
		"results": json.RawMessage(wire.AppendResults(nil, []models.Result{
			{ResourceID: "temp_1", Status: models.StatusDuplicate, Expense: &e},
			{ResourceID: e.ID, Status: models.StatusDeleted, Expense: &e},
		})),
		"results_empty": json.RawMessage(wire.AppendResults(nil, nil)),
		"queued_parked": wire.NewQueuedOperation(queued(models.Parked,
			models.Result{Status: models.StatusParked, Error: "why", Current: &e})),
		"queued_applied": wire.NewQueuedOperation(queued(models.Applied, models.Result{Status: models.StatusCreated, Expense: &e})),
		"queued_list":    wire.NewQueuedOperations(nil),
		"status":         wire.NewSyncStatus(&later, 2),
		"status_never":   wire.NewSyncStatus(nil, 0),
		"page":           wire.NewExpensePage([]models.Expense{e}, 51, 1, 50),
		"page_empty":     wire.NewExpensePage(nil, 0, 1, 50),
		"session": wire.AuthResponse{
			Token: "t",
			User:  wire.NewUser(models.User{ID: "65a00000000000000000000f", Name: "Al", Email: "al@b.co"}),
		},
		"profile": wire.NewProfile(models.User{Name: "Al", Email: "al@b.co", CreatedAt: noon}),
		"failure": wire.NewErrorBody(&models.Error{
			Kind: models.Unauthorized, Msg: "Invalid token.", Code: "TOKEN_EXPIRED",
			Err: errors.New("secret"),
		}),
		"failure_ours":     wire.NewErrorBody(errors.New("secret")),
		"failure_rule":     wire.NewErrorBody(models.InvalidIf([]models.Violation{{Field: "amount", Rule: models.RuleMin}})),
		"failure_conflict": wire.NewErrorBody(&models.ConflictError{Stored: e}),
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
