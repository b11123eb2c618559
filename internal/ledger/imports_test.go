package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// at is a moment of the past.
func at(day int) time.Time { return time.Date(2024, time.March, day, 12, 0, 0, 0, time.UTC) }

func lunchRecord(id string, updated time.Time) *ledger.ExpenseRecord {
	d := lunch()
	d.Date, d.Tags = ptr(at(1)), models.NewTags([]string{"work"})
	return &ledger.ExpenseRecord{RecordMeta: ledger.RecordMeta{ID: id, Version: 3, CreatedAt: at(2), UpdatedAt: updated}, Draft: d}
}

func (h *fixture) apply(
	userID string, o ledger.ImportOptions, records ...ledger.Record,
) (outcomes []ledger.ImportOutcome, results []ledger.ImportResult) {
	h.t.Helper()
	results, err := h.Import(userID, o).Apply(h.t.Context(), records)
	if err != nil {
		h.t.Fatalf("import: %v", err)
	}
	for _, r := range results {
		outcomes = append(outcomes, r.Outcome)
	}
	return outcomes, results
}

func (h *fixture) wantOutcomes(got []ledger.ImportOutcome, want ...ledger.ImportOutcome) {
	h.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

var keepIDs = ledger.ImportOptions{KeepIDs: true}

func TestAnImportedExpenseIsAsItWas(t *testing.T) {
	each(t, func(h *fixture) {
		id := storetest.ID()
		got, _ := h.apply(h.user.ID, keepIDs, ledger.Record{Expense: lunchRecord(id, at(5))})
		h.wantOutcomes(got, ledger.ImportNew)
		e := h.stored(id)
		e.LastSyncedAt = time.Time{}
		want := models.Expense{
			ID: id, UserID: h.user.ID, Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense",
			Date: at(1), Day: models.DayOf(at(1), time.UTC), Tags: "work", Version: 3, CreatedAt: at(2), UpdatedAt: at(5),
		}
		if diff := cmp.Diff(want, e); diff != "" {
			h.t.Errorf("stored (-want +got):\n%s", diff)
		}
		if log := h.log(); len(log) != 1 || log[0].Kind != models.ExpenseCreated {
			h.t.Errorf("log: %v", log)
		}
	})
}

func TestASecondImportChangesNothing(t *testing.T) {
	each(t, func(h *fixture) {
		id := storetest.ID()
		all := append(h.everyKind(id), ledger.Record{Expense: lunchRecord("bank: 17", time.Time{})})
		first, _ := h.apply(h.user.ID, keepIDs, all...)
		h.wantOutcomes(first, slices.Repeat([]ledger.ImportOutcome{ledger.ImportNew}, len(all))...)
		before := len(h.log())
		second, _ := h.apply(h.user.ID, keepIDs, all...)
		h.wantOutcomes(second, slices.Repeat([]ledger.ImportOutcome{ledger.ImportSame}, len(all))...)
		if after := len(h.log()); after != before {
			h.t.Errorf("the second import added %d changes to the log", after-before)
		}
	})
}

// everyKind returns a record of each kind; id is that of the expense.
func (h *fixture) everyKind(id string) []ledger.Record {
	prefs := models.DefaultPreferences()
	prefs.CreatedAt, prefs.UpdatedAt, prefs.Push.Enabled = at(1), at(2), false
	return []ledger.Record{
		{Expense: lunchRecord(id, at(5))},
		{Budget: &ledger.BudgetRecord{
			RecordMeta: ledger.RecordMeta{ID: storetest.ID(), CreatedAt: at(1), UpdatedAt: at(2)},
			Draft:      models.BudgetDraft{Name: "Food", Category: "food", Amount: 1_000_000},
		}},
		{Goal: &models.Goal{
			ID: storetest.ID(), Title: "Boat", Target: 5_000_000, Current: 6_000_000, Type: "savings", Category: "general",
			TargetDate: at(9), Priority: "low", Status: models.GoalActive, Reminder: "none", CreatedAt: at(1), UpdatedAt: at(2),
			Milestones: []models.Milestone{{Amount: 1_000_000, Date: at(3)}},
		}},
		{Comment: &models.Activity{ID: storetest.ID(), ExpenseID: id, Text: "Really?", At: at(6)}},
		{Notification: &models.Notification{ID: storetest.ID(), Title: "Hi", Type: "system", Priority: "low", CreatedAt: at(1)}},
		{Preferences: &prefs},
		{Operation: &models.QueuedOperation{
			ID: storetest.ID(), CreatedAt: at(1), Result: models.Result{Error: "conflict"},
			Operation: models.Operation{Action: models.Update, ResourceType: "expense", ResourceID: id, Data: []byte(`{"amount":1}`)},
		}},
	}
}

func TestAnOlderRecordNeverOverwrites(t *testing.T) {
	each(t, func(h *fixture) {
		id := storetest.ID()
		h.apply(h.user.ID, keepIDs, ledger.Record{Expense: lunchRecord(id, at(5))})
		for _, tt := range []struct {
			updated time.Time
			want    ledger.ImportOutcome
		}{
			{at(4), ledger.ImportKept},
			{at(5), ledger.ImportKept},
			{time.Time{}, ledger.ImportKept},
			{time.Now().Add(time.Hour), ledger.ImportKept},
			{at(6), ledger.ImportChanged},
		} {
			r := lunchRecord(id, tt.updated)
			r.Draft.Amount = 99_000_000
			got, _ := h.apply(h.user.ID, keepIDs, ledger.Record{Expense: r})
			h.wantOutcomes(got, tt.want)
		}
		if e := h.stored(id); e.Amount != 99_000_000 || e.Version != 4 || !e.UpdatedAt.Equal(at(6)) {
			h.t.Errorf("stored: %+v", e)
		}
	})
}

func TestAnotherUsersIDIsReplacedByOneThatStays(t *testing.T) {
	each(t, func(h *fixture) {
		id, other := storetest.ID(), storetest.User(h.t, h.store)
		all := h.everyKind(id)
		h.apply(h.user.ID, keepIDs, all...)
		got, results := h.apply(other.ID, keepIDs, all...)
		h.wantOutcomes(got, slices.Repeat([]ledger.ImportOutcome{ledger.ImportNew}, len(all))...)
		if want := ledger.ImportedID(other.ID, id); results[0].ID != want {
			h.t.Errorf("id %s, want %s", results[0].ID, want)
		}
		if err := h.store.DeleteUser(h.t.Context(), h.user.ID); err != nil { // the ids are free again
			h.t.Fatal(err)
		}
		got, _ = h.apply(other.ID, keepIDs, all...)
		h.wantOutcomes(got, slices.Repeat([]ledger.ImportOutcome{ledger.ImportSame}, len(all))...)
	})
}

func TestAUserLearnsAndTakesNoIDsByAnImport(t *testing.T) {
	each(t, func(h *fixture) {
		taken, free, other := storetest.ID(), storetest.ID(), storetest.User(h.t, h.store)
		h.apply(h.user.ID, keepIDs, ledger.Record{Expense: lunchRecord(taken, at(5))})
		_, results := h.apply(other.ID, ledger.ImportOptions{},
			ledger.Record{Expense: lunchRecord(taken, at(5))}, ledger.Record{Expense: lunchRecord(free, at(5))})
		if results[0].ID != ledger.ImportedID(other.ID, taken) || results[1].ID != ledger.ImportedID(other.ID, free) {
			h.t.Errorf("results: %v", results)
		}
	})
}

func TestAnImportAlertsOfNoBudget(t *testing.T) {
	each(t, func(h *fixture) {
		if _, err := h.CreateBudget(h.t.Context(), h.user.ID, ledger.BudgetCreation{
			Draft: models.BudgetDraft{Name: "Food", Category: "food", Amount: 1_000_000},
		}); err != nil {
			h.t.Fatal(err)
		}
		r := lunchRecord(storetest.ID(), at(5))
		r.Draft.Date = ptr(time.Now().UTC())
		h.apply(h.user.ID, keepIDs, ledger.Record{Expense: r})
		h.create(ledger.ExpenseCreation{Draft: lunch()})
		for _, c := range h.log() {
			if c.Kind == models.BudgetAlerted || c.Kind == models.NotificationCreated {
				h.t.Errorf("%s after an import", c.Kind)
			}
		}
	})
}

func TestARefusedRecordStopsNoOther(t *testing.T) {
	each(t, func(h *fixture) {
		bad, tooMuch := lunchRecord("bad", at(5)), lunchRecord("nul", at(5))
		bad.Draft.Amount = -1
		tooMuch.Draft.Description = "a\x00b"
		one, two := ledger.Record{Expense: lunchRecord("1", at(5))}, ledger.Record{Expense: lunchRecord("2", at(5))}
		got, results := h.apply(h.user.ID, keepIDs, one, ledger.Record{Expense: bad}, ledger.Record{Expense: tooMuch}, two, one)
		h.wantOutcomes(got, ledger.ImportNew, ledger.ImportRefused, ledger.ImportRefused, ledger.ImportNew, ledger.ImportSame)
		if results[1].Err == nil || results[2].Err == nil {
			h.t.Error("a refusal without a reason")
		}
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	each(t, func(h *fixture) {
		all := h.everyKind(storetest.ID())
		got, _ := h.apply(h.user.ID, ledger.ImportOptions{KeepIDs: true, DryRun: true}, all...)
		h.wantOutcomes(got, slices.Repeat([]ledger.ImportOutcome{ledger.ImportNew}, len(all))...)
		if log := h.log(); len(log) > 0 {
			h.t.Errorf("log: %v", log)
		}
		u, err := h.store.UserByID(h.t.Context(), h.user.ID)
		if err != nil || u.Expenses != 0 || u.Budgets != 0 || u.Unread != 0 || len(u.Totals) > 0 {
			h.t.Errorf("user: %+v %v", u, err)
		}
	})
}

func TestTheLimitOfExpensesHoldsForImports(t *testing.T) {
	each(t, func(h *fixture) {
		l := ledger.New(h.store, nil, ledger.Options{MaxExpenses: 2})
		for _, dry := range []bool{true, false} {
			m, refused := l.Import(h.user.ID, ledger.ImportOptions{DryRun: dry}), 0
			for _, id := range []string{"1", "2", "3"} {
				got, err := m.Apply(h.t.Context(), []ledger.Record{{Expense: lunchRecord(id, at(5))}})
				if err != nil {
					h.t.Fatal(err)
				}
				if got[0].Outcome == ledger.ImportRefused {
					refused++
				}
			}
			if refused != 1 {
				h.t.Errorf("dry run %v: %d refused, want 1", dry, refused)
			}
		}
	})
}

func TestWhatWasDeletedHereStaysDeleted(t *testing.T) {
	each(t, func(h *fixture) {
		skip := ledger.ImportOptions{KeepIDs: true, SkipDeleted: true}
		r := ledger.Record{Expense: lunchRecord(storetest.ID(), at(5))}
		got, results := h.apply(h.user.ID, skip, r)
		h.wantOutcomes(got, ledger.ImportNew)
		if _, err := h.DeleteExpense(h.t.Context(), h.user.ID, results[0].ID, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		got, _ = h.apply(h.user.ID, skip, r)
		h.wantOutcomes(got, ledger.ImportRefused)
		got, _ = h.apply(h.user.ID, keepIDs, r)
		h.wantOutcomes(got, ledger.ImportNew)
	})
}

func TestAnImportIntoADeletedAccountIsNotFound(t *testing.T) {
	each(t, func(h *fixture) {
		m := h.Import(h.user.ID, keepIDs)
		if err := h.store.DeleteUser(h.t.Context(), h.user.ID); err != nil {
			h.t.Fatal(err)
		}
		_, err := m.Apply(h.t.Context(), []ledger.Record{{Expense: lunchRecord("1", at(5))}})
		if models.KindOf(err) != models.NotFound {
			h.t.Errorf("error %v, want one of NotFound", err)
		}
	})
}
