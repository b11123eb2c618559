package importer

import (
	"context"
	"fmt"
	"slices"

	"expenseflow/internal/bankfile"
	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Preview returns how a file is read and what would become of its rows. It changes nothing.
// Errors: those of bankfile.Open, and those of the store.
func (im *Importer) Preview(ctx context.Context, userID string, r Request) (*wire.ImportPreview, error) {
	f, done, err := im.open(ctx, userID, &r)
	if err != nil {
		return nil, err
	}
	defer done()
	p := newPreview(f)
	if slices.Contains(f.Questions, "columns") {
		return p, nil
	}
	shown, err := im.rehearse(ctx, userID, &r, f)
	if err != nil {
		return nil, fmt.Errorf("preview an import: %w", err)
	}
	p.Totals, p.Rows = shown.totals, shown.rows
	return p, nil
}

// rehearse judges the rows of a file as an import does, against the database as it is.
func (im *Importer) rehearse(ctx context.Context, userID string, r *Request, f *bankfile.File) (*shown, error) {
	u, err := im.Store.UserByID(ctx, userID)
	if err != nil {
		return nil, err
	}
	run, use := newRun(im, &u, r, f), ledger.ParkedUse{}
	if use.Rows, use.Bytes, err = im.Store.Parked(ctx, userID); err != nil {
		return nil, err
	}
	if err := run.resume(ctx); err != nil {
		return nil, err
	}
	shown := newShown(previewRows)
	return shown, run.chunks(ctx, func(rows []*row) error {
		if err := run.judge(ctx, im.Store, rows); err != nil {
			return err
		}
		for _, row := range rows {
			if err := run.foresee(row, &u, &use); err != nil {
				return err
			}
		}
		shown.add(rows)
		return nil
	})
}

// foresee does in u and use what create would do in the database.
func (r *run) foresee(row *row, u *models.User, use *ledger.ParkedUse) error {
	if row.status != wire.RowNew {
		return nil
	}
	why := row.broken
	if why == "" {
		err := r.im.Ledger.CheckLimits(*u, row.draft.Currency)
		if err == nil {
			u.Expenses++
			u.Totals = u.Totals.With(row.draft.Currency, row.draft.Type, row.draft.Amount, 1)
			return nil
		}
		why = models.Message(err)
	}
	if row.operation != nil {
		row.stays(why)
		return nil
	}
	q, err := row.queued(r.imp.ID, why)
	if err == nil && use.Add(&q) {
		row.status, row.reason = wire.RowParked, why
	} else {
		row.refuse(why + textNotParked)
	}
	return err
}
