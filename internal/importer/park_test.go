package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// pending returns what waits for the user's decision.
func (h *fixture) pending() (all []models.QueuedOperation) {
	h.t.Helper()
	err := h.store.EachParked(h.t.Context(), h.user.ID, func(q models.QueuedOperation) error {
		all = append(all, q)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func (h *fixture) reconciler() *reconcile.Reconciler {
	return reconcile.New(h.ledger, h.store, reconcile.Options{})
}

func (h *fixture) retry(id string) models.Result {
	h.t.Helper()
	result, err := h.reconciler().Retry(h.t.Context(), h.user.ID, models.Author{}, id, nil)
	if err != nil {
		h.t.Fatalf("retry: %v", err)
	}
	return result
}

func (h *fixture) preview(query, content string) *wire.ImportPreview {
	h.t.Helper()
	p, err := h.Preview(h.t.Context(), h.user.ID, request(h.t, query, content))
	if err != nil {
		h.t.Fatalf("preview: %v", err)
	}
	return p
}

func (h *fixture) undo(id string) models.Import {
	h.t.Helper()
	i, err := h.Undo(h.t.Context(), h.user.ID, id, models.Author{})
	if err != nil {
		h.t.Fatalf("undo: %v", err)
	}
	return i
}

func (h *fixture) sameEntries(want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.entries()); diff != "" {
		h.t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// tiny has a row below the least amount: it can be read, and no entry may be so.
const tiny = "Date,Text,Amount,Category\n2026-01-02,Coffee,-3.50,food\n2026-01-03,Interest,0.004,salary\n"

func TestRowThatARuleRefusesWaitsForADecision(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		p := h.preview("", tiny)
		if p.Totals != (wire.ImportTotals{Rows: 2, New: 1, Parked: 1}) || p.Rows[1].Status != wire.RowParked || len(h.pending()) != 0 {
			h.t.Errorf("preview: %+v, %+v; %v", p.Totals, p.Rows, h.pending())
		}
		r := h.run("", tiny)
		h.totals(r, wire.ImportTotals{Rows: 2, New: 1, Parked: 1})
		why := p.Rows[1].Reason
		if r.Import.Parked != 1 || len(r.Rows) != 1 || !strings.Contains(why, "0.01") || r.Rows[0].Reason != why {
			h.t.Errorf("%+v, %+v", r.Import, r.Rows)
		}
		waits := h.pending()
		want := `{"description":"Interest","amount":0.004,"category":"salary","type":"income","date":"2026-01-03"}`
		if len(waits) != 1 || string(waits[0].Data) != want || waits[0].Action != models.Create || len(h.parked) != 1 {
			h.t.Fatalf("parked: %+v, told of %d", waits, len(h.parked))
		}
		corrected := []byte(strings.Replace(want, "0.004", "0.04", 1))
		result, err := h.reconciler().Retry(h.t.Context(), h.user.ID, models.Author{}, waits[0].ID, corrected)
		if err != nil || result.Failed() {
			h.t.Fatalf("corrected: %+v, %v", result, err)
		}
		h.sameEntries("2026-01-02 expense 3.5 Coffee", "2026-01-03 income 0.04 Interest")
		h.totals(h.run("", tiny), wire.ImportTotals{Rows: 2, Duplicates: 2})
	})
}

// A limit of the account parks rows, one by one and with its sentence.
func TestLimitOfEntriesParksTheRest(t *testing.T) {
	each(t, ledger.Options{MaxExpenses: 2}, func(h *fixture) {
		want := wire.ImportTotals{Rows: 4, New: 2, Refused: 1, Parked: 1}
		if p := h.preview("", january); p.Totals != want {
			h.t.Errorf("preview: %+v", p.Totals)
		}
		r := h.run("", january)
		h.totals(r, want)
		if !strings.Contains(r.Rows[0].Reason, "at most 2 expenses") {
			h.t.Errorf("%+v", r.Rows)
		}
	})
}

func TestSameFileAgainParksNothingTwice(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		h.run("", tiny)
		for _, query := range []string{"", "include=all", "include=3"} {
			want := wire.ImportTotals{Rows: 2, Duplicates: 2}
			if query == "include=all" {
				want = wire.ImportTotals{Rows: 2, New: 1, Duplicates: 1} // the first row again, as the user wants it
			}
			if p := h.preview(query, tiny); p.Totals != want {
				h.t.Errorf("preview with %q: %+v", query, p.Totals)
			}
			r := h.run(query, tiny)
			h.totals(r, want)
			if last := r.Rows[len(r.Rows)-1]; len(h.pending()) != 1 || !strings.Contains(last.Reason, "waits for a decision") {
				h.t.Errorf("%q: %d wait; %+v", query, len(h.pending()), last)
			}
		}
		if err := h.reconciler().Discard(h.t.Context(), h.user.ID, h.pending()[0].ID); err != nil {
			h.t.Fatal(err)
		}
		r := h.run("", tiny)
		h.totals(r, wire.ImportTotals{Rows: 2, Duplicates: 2})
		if last := r.Rows[1]; len(h.pending()) != 0 || !strings.Contains(last.Reason, "discarded") {
			h.t.Errorf("%d wait; %+v", len(h.pending()), last)
		}
		h.totals(h.run("include=3", tiny), wire.ImportTotals{Rows: 2, Duplicates: 1, Refused: 1})
	})
}

// There is room again: the file brings what was parked, and it waits no longer.
func TestSameFileAgainBringsWhatIsAcceptedNow(t *testing.T) {
	each(t, ledger.Options{MaxExpenses: 2}, func(h *fixture) {
		first := h.run("", january)
		if _, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, h.ids()[0], models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		h.totals(h.run("", january), wire.ImportTotals{Rows: 4, New: 1, Duplicates: 2, Refused: 1})
		h.sameEntries("2026-01-02 expense 3.5 Coffee", "2026-01-15 income 1900 Pay")
		if n := len(h.pending()); n != 0 || !slices.Equal(h.settled, []models.OperationState{models.Applied}) {
			h.t.Errorf("%d wait; devices were told of %v", n, h.settled)
		}
		h.undo(first.Import.ID)
		h.sameEntries("2026-01-15 income 1900 Pay")
		h.totals(h.run("", january), wire.ImportTotals{Rows: 4, New: 1, Duplicates: 1, Refused: 1, Parked: 1})
	})
}

func (h *fixture) ids() (ids []string) {
	h.t.Helper()
	err := h.store.ExpensesSyncedAfter(h.t.Context(), h.user.ID, models.Day(0).Time(), func(e models.Expense) error {
		ids = append(ids, e.ID)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func TestUndoDiscardsWhatStillWaits(t *testing.T) {
	each(t, ledger.Options{MaxExpenses: 1}, func(h *fixture) {
		const file = "Date,Text,Amount\n2026-01-01,A,-1.00\n2026-01-02,B,-1.00\n2026-01-03,C,-1.00\n2026-01-04,D,-1.00\n"
		r := h.run("", file)
		h.totals(r, wire.ImportTotals{Rows: 4, New: 1, Parked: 3})
		if err := h.reconciler().Discard(h.t.Context(), h.user.ID, h.pending()[0].ID); err != nil {
			h.t.Fatal(err)
		}
		if _, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, h.ids()[0], models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		h.retry(h.pending()[0].ID) // C, which now has room
		for range 2 {
			if i := h.undo(r.Import.ID); i.Removed != 0 || i.Kept != 1 || i.Parked != 3 {
				h.t.Errorf("%+v", i)
			}
		}
		if last := h.progress[len(h.progress)-1]; last.Rows != last.Total {
			h.t.Errorf("progress: %+v", last)
		}
		h.sameEntries("2026-01-03 expense 1 C")
		if n := len(h.pending()); n != 0 || !slices.Equal(h.settled, []models.OperationState{models.Discarded}) {
			h.t.Errorf("%d wait; devices were told of %v", n, h.settled)
		}
		h.totals(h.run("", file), wire.ImportTotals{Rows: 4, Duplicates: 1, Parked: 3})
	})
}

// What waits has a bound for each user. Rows beyond it are named, and not kept.
func TestRowsBeyondTheLimitOfParkedOperationsAreReported(t *testing.T) {
	each(t, ledger.Options{MaxExpenses: 1}, func(h *fixture) {
		var file strings.Builder
		file.WriteString("Date,Text,Amount\n")
		for i := range models.MaxParked + 300 {
			fmt.Fprintf(&file, "2026-01-02,Ticket %d,-1.00\n", i)
		}
		want := wire.ImportTotals{Rows: models.MaxParked + 300, New: 1, Parked: models.MaxParked, Refused: 299}
		if p := h.preview("", file.String()); p.Totals != want {
			h.t.Errorf("preview: %+v", p.Totals)
		}
		r := h.run("", file.String())
		h.totals(r, want)
		last := r.Rows[len(r.Rows)-1]
		if !strings.Contains(last.Reason, "at most 1 expenses") || !strings.Contains(last.Reason, "too many") {
			h.t.Errorf("%+v", last)
		}
		if told := h.parked[len(h.parked)-1]; len(h.parked) != models.MaxParked+1 || told.Result.Code != models.CodeParkedFull {
			h.t.Errorf("told of %d, at last %+v", len(h.parked), told)
		}
		if i := h.undo(r.Import.ID); i.Removed != 1 || len(h.pending()) != 0 {
			h.t.Errorf("%+v, %d wait", i, len(h.pending()))
		}
	})
}

// What is parked is the user's alone.
func TestUndoOfAnotherUsersImportDiscardsNothing(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		r := h.run("", tiny)
		other := storetest.User(h.t, h.store)
		if _, err := h.Undo(h.t.Context(), other.ID, r.Import.ID, models.Author{}); models.KindOf(err) != models.NotFound {
			h.t.Errorf("%v", err)
		}
		his, err := h.Import(h.t.Context(), other.ID, models.Author{}, request(h.t, "", tiny))
		if err != nil || his.Totals.Parked != 1 || len(h.pending()) != 1 {
			h.t.Errorf("%+v, %v; %d wait", his, err, len(h.pending()))
		}
	})
}
