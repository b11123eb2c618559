package portable

import (
	"cmp"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// track begins to note what the import makes, so that it can be undone as one, or goes on with an
// import of the same file that was interrupted.
func (i *importer) track(a account) error {
	i.made = &models.Import{
		ID: ledger.NewID(), Name: cmp.Or(i.Name, clip(a.Email)), Digest: ledger.HashKey("account", a.ID, a.exportedAt),
		Source: models.ImportSourceAccount, State: models.ImportRunning, CreatedAt: time.Now(),
	}
	earlier, found, err := i.Store.InterruptedImport(i.ctx, i.user.ID, i.made.Digest)
	if err == nil && found {
		*i.made = earlier
	}
	if i.Progress != nil {
		send := wire.ImportProgress{Name: i.made.Name}.Sender(func(p wire.ImportProgress) { i.Progress(i.user.ID, p) })
		i.tell = func(done bool) { send(i.summary.total().Read, i.summary.count(sectionParked).New, done) }
	}
	return err
}

// finish stores that the import has ended, unless it made nothing.
func (i *importer) finish() error {
	if i.made == nil || i.made.Created == 0 {
		return nil
	}
	t := i.summary.total()
	err := i.Ledger.Write(i.ctx, i.user.ID, func(w *ledger.Work) error {
		i.made.State, i.made.Skipped, i.made.Refused, i.made.UpdatedAt = models.ImportDone, t.Same+t.Kept, t.Refused, w.Tx.Now()
		return w.Tx.SaveImport(*i.made)
	})
	if err == nil {
		shown := wire.NewImport(*i.made)
		i.summary.Import = &shown
	}
	return err
}

// total counts the elements of all sections.
func (s *Summary) total() (t ledger.ImportCounts) {
	for _, c := range s.Counts {
		t.Read, t.Same, t.Kept, t.Refused = t.Read+c.Read, t.Same+c.Same, t.Kept+c.Kept, t.Refused+c.Refused
	}
	return t
}
