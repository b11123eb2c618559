package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"expenseflow/internal/importer"
	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// other returns an importer as another process has it: it knows nothing of what this one does.
func (h *fixture) other(said func(wire.ImportProgress)) *importer.Importer {
	return importer.New(importer.Options{
		Ledger: h.ledger, Store: h.store, Progress: func(_ string, p wire.ImportProgress) { said(p) },
	})
}

// mixed has rows of which every tenth is parked.
func mixed(rows int) string {
	var b strings.Builder
	b.WriteString("Date,Text,Amount\n")
	for i := range rows {
		amount := "-1.00"
		if i%10 == 0 {
			amount = "-0.001"
		}
		fmt.Fprintf(&b, "2026-01-02,Row %04d,%s\n", i, amount)
	}
	return b.String()
}

func TestTwoProcessesImportOneFileAtOnce(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		const rows = 1000
		var g errgroup.Group
		for range 2 {
			im := h.other(func(wire.ImportProgress) {})
			r := request(h.t, "name=a.csv", mixed(rows))
			g.Go(func() error {
				_, err := im.Import(h.t.Context(), h.user.ID, models.Author{}, r)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			h.t.Fatal(err)
		}
		entries, waits := len(h.entries()), len(h.pending())
		all, err := h.List(h.t.Context(), h.user.ID)
		var created, removed int64
		for _, i := range all {
			created += i.Created
			removed += h.undo(i.ID).Removed
		}
		if entries != rows*9/10 || waits != rows/10 || created != rows*9/10 || removed != created || err != nil {
			h.t.Errorf("%d entries, %d wait, %d created and %d removed by %d imports, %v", entries, waits, created, removed, len(all), err)
		}
		if left := len(h.entries()) + len(h.pending()); left != 0 {
			h.t.Errorf("%d are left", left)
		}
	})
}

// Another process undoes what this one still imports: nothing of it stays, and it can be imported again.
func TestUndoOfAnImportThatAnotherProcessStillRuns(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		undone := false
		running := h.other(func(p wire.ImportProgress) {
			if p.Rows < 400 || undone {
				return
			}
			undone = true
			all, err := h.List(h.t.Context(), h.user.ID)
			if err != nil || len(all) != 1 {
				h.t.Errorf("%v, %v", all, err)
				return
			}
			h.undo(all[0].ID)
		})
		_, err := running.Import(h.t.Context(), h.user.ID, models.Author{}, request(h.t, "", mixed(1000)))
		if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "undone") {
			h.t.Errorf("the import: %v", err)
		}
		if left := len(h.entries()) + len(h.pending()); left != 0 {
			h.t.Errorf("%d are left", left)
		}
		h.totals(h.run("", mixed(1000)), wire.ImportTotals{Rows: 1000, New: 900, Parked: 100})
	})
}
