package importer

import (
	"context"
	"fmt"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Undo deletes what an import made, of a file or of an account, and nobody has changed, shared or
// commented since, and returns how much was removed and kept. What it parked and still waits is
// discarded; what the user has retried is kept, and so is what the import overwrote
// (models.Import.Changed). Its rows can be imported again then. Undone again it changes nothing; after an
// error the same call finishes it.
//
// Errors: models.NotFound if the user has no such import, models.Conflict while an import of the
// user's is under way, and those of the store.
func (im *Importer) Undo(ctx context.Context, userID, id string, by models.Author) (models.Import, error) {
	done, err := im.begin(ctx, userID, 0)
	if err != nil {
		return models.Import{}, err
	}
	defer done()
	i, err := im.stored(ctx, userID, id)
	if err == nil && i.State != models.ImportUndone {
		i, err = im.undo(ctx, userID, i, by)
	}
	if err != nil {
		return models.Import{}, fmt.Errorf("undo an import: %w", err)
	}
	return i, nil
}

// undo deletes what an import made in chunks of one transaction.
func (im *Importer) undo(ctx context.Context, userID string, i models.Import, by models.Author) (_ models.Import, err error) {
	say := im.speaker(userID, wire.ImportProgress{Name: i.Name, Total: i.Created + i.Parked, Undo: true}, nil)
	for err == nil && i.State != models.ImportUndone {
		var kept int64
		if kept, err = im.removeAll(ctx, userID, i.ID, by, say); err == nil {
			i, err = im.finishUndo(ctx, userID, i.ID, kept)
		}
	}
	return i, err
}

// removeAll deletes what is as it was imported, and returns how many rows it keeps.
func (im *Importer) removeAll(
	ctx context.Context, userID, id string, by models.Author, say func(t *wire.ImportTotals, done bool),
) (kept int64, err error) {
	var done wire.ImportTotals
	for after := ""; ; {
		page, err := im.Store.RowsOfImport(ctx, userID, id, after, chunk)
		if err != nil {
			return kept, err
		}
		if len(page) == 0 {
			say(&done, true)
			return kept, nil
		}
		left, err := im.remove(ctx, userID, id, page, by)
		if err != nil {
			return kept, err
		}
		kept, after = kept+left, page[len(page)-1].Key
		done.Rows += int64(len(page))
		say(&done, false)
	}
}

// finishUndo stores that an import is undone, unless another process has imported more rows of it
// meanwhile. From then on that one imports no more.
func (im *Importer) finishUndo(ctx context.Context, userID, id string, kept int64) (i models.Import, err error) {
	err = im.Ledger.Write(ctx, userID, func(w *ledger.Work) error {
		if i, err = w.Tx.Import(id); err != nil {
			return err
		}
		rows, err := w.Tx.CountImportedRows(id)
		if err != nil || rows > kept {
			return err
		}
		i.State, i.Kept, i.UpdatedAt = models.ImportUndone, kept, w.Tx.Now()
		return w.Tx.SaveImport(i)
	})
	return i, err
}

// stored returns an import of the user's.
func (im *Importer) stored(ctx context.Context, userID, id string) (i models.Import, err error) {
	err = im.Ledger.Write(ctx, userID, func(w *ledger.Work) error {
		i, err = w.Tx.Import(id)
		return err
	})
	return i, err
}

// remove deletes what became of rows in one transaction, but those that were changed, of which it
// returns how many there are. It forgets the rows of all others.
func (im *Importer) remove(
	ctx context.Context, userID, importID string, rows []models.ImportedRow, by models.Author,
) (kept int64, err error) {
	var discarded bool
	err = im.Ledger.Write(ctx, userID, func(w *ledger.Work) error {
		if err := w.Tx.Preload(preloadOf(rows)); err != nil {
			return err
		}
		i, err := w.Tx.Import(importID)
		if err != nil {
			return err
		}
		kept, discarded = 0, false
		var gone []string
		for _, r := range rows {
			removed, left, waited, err := removeRow(w, r, by)
			if err != nil {
				return err
			}
			discarded = discarded || waited
			if kept += left; left == 0 {
				gone = append(gone, r.Key)
			}
			i.Removed += removed
		}
		if err := w.Tx.SaveImport(i); err != nil {
			return err
		}
		return w.Tx.DeleteImportedRows(gone)
	})
	if err == nil && discarded {
		im.OnSettled(userID, models.Discarded)
	}
	return kept, err
}

func preloadOf(rows []models.ImportedRow) (p store.Preload) {
	for _, r := range rows {
		if r.Kind != models.ImportedExpense {
			continue
		}
		if r.ExpenseID != "" {
			p.ExpenseIDs = append(p.ExpenseIDs, r.ExpenseID)
		} else {
			p.OperationKeys = append(p.OperationKeys, operationKey(r.Key))
		}
	}
	return p
}

// removeRow deletes what became of a row, or discards the operation as which it waits.
func removeRow(w *ledger.Work, r models.ImportedRow, by models.Author) (removed, left int64, discarded bool, err error) {
	if r.ExpenseID != "" {
		fate, err := w.TakeBack(r, by)
		return count(fate == ledger.Removed), count(fate == ledger.Kept), r.Kind == models.ImportedOperation, err
	}
	q, found, err := w.Tx.OperationByKey(operationKey(r.Key))
	if err != nil || !found {
		return 0, 0, false, err
	}
	if e := q.Result.Expense; q.State == models.Applied && e != nil { // the user has retried it
		if _, err := w.Tx.Expense(e.ID); models.KindOf(err) != models.NotFound {
			return 0, 1, false, err
		}
	}
	return 0, 0, discard(w, q), nil
}

// discard discards an operation if it waits. It gives up its key, so that the row can be imported
// again.
func discard(w *ledger.Work, q models.QueuedOperation) (waited bool) {
	waited = q.State == models.Parked
	if q.Key, q.UpdatedAt = "", w.Tx.Now(); waited {
		q.State = models.Discarded
	}
	w.Tx.UpdateOperation(q)
	return waited
}

func count(one bool) int64 {
	if one {
		return 1
	}
	return 0
}
