package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// someRecords returns records with ids of this prefix, 24 hex digits in all.
func someRecords(prefix string, n int) []ledger.Record {
	records := make([]ledger.Record, n)
	for i := range records {
		records[i].Expense = lunchRecord(fmt.Sprintf("%s%0*x", prefix, 24-len(prefix), i), at(5))
	}
	return records
}

// Two imports of the same file at once, into one account and into another, while the user works.
func TestImportsAtOnceMakeEachEntryOnce(t *testing.T) {
	each(t, func(h *fixture) {
		const n = 300
		other := storetest.User(h.t, h.store)
		records, ctx := someRecords("abc", n), h.t.Context()
		var g errgroup.Group
		for _, user := range []string{h.user.ID, h.user.ID, other.ID} {
			g.Go(func() error {
				m := h.Import(user, keepIDs)
				for done := 0; done < n; done += 50 {
					if _, err := m.Apply(ctx, records[done:done+50]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		g.Go(func() error {
			for range 10 {
				if _, err := h.CreateExpense(ctx, h.user.ID, ledger.ExpenseCreation{Draft: lunch()}); err != nil {
					return err
				}
			}
			return nil
		})
		if err := g.Wait(); err != nil {
			h.t.Fatal(err)
		}
		h.wantEntries(h.user.ID, n+10)
		h.wantEntries(other.ID, n)
	})
}

// wantEntries compares the count of a user's expenses with rows, totals and log.
func (h *fixture) wantEntries(userID string, want int64) {
	h.t.Helper()
	u, err := h.store.UserByID(h.t.Context(), userID)
	if err != nil {
		h.t.Fatal(err)
	}
	rows := int64(0)
	err = h.store.EachExpense(h.t.Context(), userID, func(models.Expense) error { rows++; return nil })
	if err != nil || rows != want || u.Expenses != want || u.Totals.Of("").Count != want || u.Seq != want {
		h.t.Errorf("%d rows, %d counted, %d in totals, %d in the log, want %d: %v",
			rows, u.Expenses, u.Totals.Of("").Count, u.Seq, want, err)
	}
}

func TestAnImportThatWasCutOffIsCompletedByItsRepetition(t *testing.T) {
	each(t, func(h *fixture) {
		records := someRecords("def", 60)
		if _, err := h.Import(h.user.ID, keepIDs).Apply(h.t.Context(), records[:25]); err != nil {
			h.t.Fatal(err)
		}
		if _, err := h.Import(h.user.ID, keepIDs).Apply(h.t.Context(), records); err != nil {
			h.t.Fatal(err)
		}
		h.wantEntries(h.user.ID, 60)
	})
}

// A dry run of a large file held SQLite's only writer, chunk after chunk, so that everybody waited.
func TestADryRunGoesOnWhileAWriterHoldsTheDatabase(t *testing.T) {
	each(t, func(h *fixture) {
		records := h.everyKind(storetest.ID())
		err := h.store.Write(h.t.Context(), h.user.ID, func(*store.Tx) error {
			ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute) // of a dry run that waits for this writer
			defer cancel()
			_, err := h.Import(h.user.ID, ledger.ImportOptions{KeepIDs: true, DryRun: true}).Apply(ctx, records)
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	})
}

// A dry run answers as the import does about an expense that others have too.
func TestADryRunReadsWhatIsShared(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		r := ledger.Record{Expense: lunchRecord(f.expense.ID, f.expense.UpdatedAt.Add(time.Millisecond))}
		for _, dry := range []bool{true, false} {
			m := f.Import(f.owner.ID, ledger.ImportOptions{KeepIDs: true, DryRun: dry})
			got, err := m.Apply(f.t.Context(), []ledger.Record{r})
			if err != nil || got[0].Outcome != ledger.ImportChanged {
				f.t.Errorf("dry run %v: %+v %v", dry, got, err)
			}
		}
	})
}

// A dry run answers as the import does, in chunks too.
func TestADryRunAnswersAsTheImport(t *testing.T) {
	each(t, func(h *fixture) {
		goals := make([]ledger.Record, models.MaxGoals+2)
		for i := range goals {
			goal := *h.everyKind("")[2].Goal
			goal.ID = fmt.Sprintf("%024x", i+1)
			goals[i].Goal = &goal
		}
		dry, wet := h.Import(h.user.ID, ledger.ImportOptions{DryRun: true}), h.Import(h.user.ID, ledger.ImportOptions{})
		var planned, done []ledger.ImportOutcome
		for some := range slices.Chunk(goals, models.MaxGoals/2) {
			planned = append(planned, h.outcomes(dry, some)...)
		}
		for some := range slices.Chunk(goals, models.MaxGoals/2) {
			done = append(done, h.outcomes(wet, some)...)
		}
		if diff := cmp.Diff(done, planned); diff != "" || done[len(done)-1] != ledger.ImportRefused {
			h.t.Errorf("(-import +dry run):\n%s", diff)
		}
	})
}

func (h *fixture) outcomes(m *ledger.Import, records []ledger.Record) (all []ledger.ImportOutcome) {
	h.t.Helper()
	results, err := m.Apply(h.t.Context(), records)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range results {
		all = append(all, r.Outcome)
	}
	return all
}
