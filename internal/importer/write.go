package importer

import (
	"context"
	"errors"
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A written is what a transaction made of rows.
type written struct {
	imp    models.Import // with them
	rows   []models.ImportedRow
	parked []models.QueuedOperation
	full   bool // whether a row was not parked for lack of room
}

// write imports rows in one transaction.
func (r *run) write(ctx context.Context, rows []*row) error {
	var done written
	err := r.im.Ledger.Write(ctx, r.user.ID, func(w *ledger.Work) (err error) {
		done, err = r.writeRows(ctx, w, rows)
		return err
	})
	if err != nil {
		return err
	}
	r.imp, r.isNew, r.usedNow = done.imp, r.isNew && len(done.rows) == 0, nil
	for _, m := range done.rows {
		r.made(m)
	}
	r.announce(done.parked, done.full)
	if slices.ContainsFunc(rows, (*row).settled) {
		r.im.OnSettled(r.user.ID, models.Applied)
	}
	return nil
}

func (r *run) writeRows(ctx context.Context, w *ledger.Work, rows []*row) (done written, err error) {
	if done.imp, err = r.current(w); err != nil {
		return done, err
	}
	r.reset(rows)
	if err := r.judge(ctx, w.Tx.Imports(), rows); err != nil {
		return done, err
	}
	for _, row := range rows {
		m, err := r.create(w, row)
		if err != nil {
			return done, err
		}
		done.add(m)
	}
	done.parked, done.full = w.Parked()
	if len(done.rows) == 0 {
		return done, nil
	}
	done.imp.UpdatedAt = w.Tx.Now()
	return done, errors.Join(w.Tx.SaveImport(done.imp), w.Tx.SaveImportedRows(done.rows))
}

// add counts what is to be remembered of a row; the zero ImportedRow is nothing.
func (d *written) add(m models.ImportedRow) {
	if m.Key == "" {
		return
	}
	if d.rows = append(d.rows, m); m.ExpenseID != "" {
		d.imp.Created++
	} else {
		d.imp.Parked++
	}
}

// reset takes back what an earlier try of a transaction made of rows.
func (r *run) reset(rows []*row) {
	for _, id := range r.usedNow {
		delete(r.used, id)
	}
	r.usedNow = nil
	for _, row := range rows {
		if row.base != "" {
			row.status, row.reason, row.existing, row.key = wire.RowNew, "", "", row.base
		}
	}
}

// create makes the entry of a row, or parks it if it breaks a rule, and returns what is to be
// remembered of it: the zero ImportedRow for nothing.
func (r *run) create(w *ledger.Work, row *row) (m models.ImportedRow, err error) {
	if row.status != wire.RowNew {
		return m, nil
	}
	why := row.broken
	if why == "" {
		e, err := w.Create(row.draft, r.by)
		if err == nil {
			if row.waits() {
				settle(w, *row.operation, e)
			}
			return models.ImportedRow{Key: row.key, ImportID: r.imp.ID, ExpenseID: e.ID}, nil
		}
		if kind := models.KindOf(err); kind != models.Conflict && kind != models.Invalid {
			return m, err
		}
		why = models.Message(err)
	}
	if err := r.park(w, row, why); err != nil || row.status != wire.RowParked {
		return m, err
	}
	return models.ImportedRow{Key: row.base, ImportID: r.imp.ID}, nil
}
