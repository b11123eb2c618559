package portable_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/internal/importer"
	"expenseflow/internal/ledger"
	"expenseflow/internal/portable"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

func (p *place) undo(t fataler, userID, id string) models.Import {
	im := importer.New(importer.Options{Ledger: p.ledger, Store: p.store})
	i, err := im.Undo(p.t.Context(), userID, id, models.Author{})
	if err != nil {
		t.Fatalf("undo: %v", err)
	}
	return i
}

// settled gives an account what an import cannot change and so leaves when it is undone.
func (p *place) settled(t fataler, u models.User) {
	zone, currency := "Europe/Berlin", "INR"
	_, err := p.ledger.ChangeSettings(p.t.Context(), u.ID, models.SettingsPatch{Zone: &zone, Currency: &currency}, models.Author{})
	if err == nil {
		_, err = p.ledger.SetPreferences(p.t.Context(), u.ID, func(*models.NotificationPreferences) {})
	}
	if err != nil {
		t.Fatalf("settle: %v", err)
	}
}

func TestAnUndoneImportLeavesTheAccountAsItWas(t *testing.T) {
	each(t, func(t *testing.T, here, _ *place) {
		rapid.Check(t, func(r *rapid.T) {
			a, b := storetest.User(t, here.store), storetest.User(t, here.store)
			here.fill(r, a)
			here.fill(r, b)
			here.settled(r, b)
			before, file := here.export(r, b.ID, false), here.export(r, a.ID, false)
			o := portable.ImportOptions{Into: b.ID, Name: "mine.json"}
			did := here.take(r, file, o)
			if i := did.Import; i == nil || i.State != models.ImportDone || i.Name != "mine.json" || i.Created == 0 {
				r.Fatalf("the import: %+v", i)
			}
			for range 2 {
				i := here.undo(r, b.ID, did.Import.ID)
				if i.State != models.ImportUndone || i.Removed != did.Import.Created || i.Kept != 0 {
					r.Fatalf("undone: %+v of %+v", i, did.Import)
				}
				if diff := cmp.Diff(undated(before), undated(here.export(r, b.ID, false))); diff != "" {
					r.Fatalf("(-before +undone):\n%s", diff)
				}
			}
			if again := here.take(r, file, o); again.Import == nil || again.Import.Created != did.Import.Created {
				r.Fatalf("imported again: %+v after %+v", again.Import, did.Import)
			}
		})
	})
}

// What its owner changed or said since stays, also if the import had brought comments on it.
func TestUndoingAnImportKeepsWhatWasChangedSince(t *testing.T) {
	each(t, func(t *testing.T, here, _ *place) {
		a, b, ctx := storetest.User(t, here.store), storetest.User(t, here.store), t.Context()
		for _, text := range []string{"changed", "commented", "untouched"} {
			e, err := here.ledger.CreateExpense(ctx, a.ID, ledger.ExpenseCreation{
				Draft: models.Draft{Description: text, Amount: 1_000_000, Category: "food", Type: "expense"},
			})
			if err == nil {
				_, err = here.ledger.Comment(ctx, a.ID, e.ID, "of before")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		did := here.take(t, here.export(t, a.ID, false), portable.ImportOptions{Into: b.ID})
		for id, text := range here.descriptions(t, b.ID) {
			var err error
			switch text {
			case "changed":
				_, err = here.ledger.UpdateExpense(ctx, b.ID, id, nil, models.Patch{Merchant: &text}, models.Author{})
			case "commented":
				_, err = here.ledger.Comment(ctx, b.ID, id, "of now")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		i := here.undo(t, b.ID, did.Import.ID)
		left := here.descriptions(t, b.ID)
		if len(left) != 2 || i.Kept != 2 || i.Removed != did.Import.Created-2 {
			t.Errorf("left %v of %+v", left, i)
		}
		if n := strings.Count(string(here.export(t, b.ID, false)), "of now"); n != 1 {
			t.Errorf("%d comments of now", n)
		}
	})
}

func (p *place) descriptions(t *testing.T, userID string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := p.store.EachExpense(t.Context(), userID, func(e models.Expense) error {
		found[e.ID] = e.Description
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// An import that is cut off is listed as running; the same file finishes it, and undoing takes
// back both parts.
func TestAnImportThatWasCutOffIsFinishedAndUndoneAsOne(t *testing.T) {
	each(t, func(t *testing.T, here, _ *place) {
		a, b := storetest.User(t, here.store), storetest.User(t, here.store)
		var told []wire.ImportProgress
		here.Progress = func(_ string, p wire.ImportProgress) { told = append(told, p) }
		for range ledger.ImportChunk + 10 {
			_, err := here.ledger.CreateExpense(t.Context(), a.ID, ledger.ExpenseCreation{
				Draft: models.Draft{Description: "x", Amount: 1_000_000, Category: "food", Type: "expense"},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		file := here.export(t, a.ID, false)
		_, err := here.Import(t.Context(), strings.NewReader(string(file[:len(file)-200])), portable.ImportOptions{Into: b.ID})
		if models.KindOf(err) != models.Invalid {
			t.Fatalf("a file that is cut off: %v", err)
		}
		list, err := here.store.ListImports(t.Context(), b.ID)
		if err != nil || len(list) != 1 || list[0].State != models.ImportRunning || list[0].Created != ledger.ImportChunk {
			t.Fatalf("%+v %v", list, err)
		}
		did := here.take(t, file, portable.ImportOptions{Into: b.ID})
		if did.Import == nil || did.Import.ID != list[0].ID || did.Import.Created != ledger.ImportChunk+10 {
			t.Fatalf("finished: %+v", did.Import)
		}
		underWay := slices.ContainsFunc(told, func(p wire.ImportProgress) bool { return !p.Done })
		if last := told[len(told)-1]; !underWay || !last.Done || last.Rows != ledger.ImportChunk+10 {
			t.Errorf("progress: %+v", told)
		}
		if i := here.undo(t, b.ID, did.Import.ID); i.Removed != did.Import.Created || len(here.descriptions(t, b.ID)) != 0 {
			t.Errorf("undone: %+v", i)
		}
	})
}
