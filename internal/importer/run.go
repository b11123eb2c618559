package importer

import (
	"context"
	"strconv"
	"time"

	"expenseflow/internal/bankfile"
	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A run is the import of one file, or its preview.
type run struct {
	im   *Importer
	user *models.User
	by   models.Author
	req  *Request
	file *bankfile.File

	imp   models.Import
	isNew bool // whether imp is not stored yet

	seen map[string]int  // how often a row with this key was read
	own  map[string]bool // expenses of this import
	used map[string]bool // expenses that a row was taken for: each stands for one
	// usedNow are those of used that belong to the transaction that is being tried.
	usedNow []string

	saidFull bool // whether Options.OnParked was told that nothing more can be parked
}

// A row is a row of the file with what becomes of it.
type row struct {
	bankfile.Row
	base     string // names it in every file; "" if it cannot be read
	key      string // base, or for a duplicate that is imported nevertheless run.forcedKey of it
	forced   bool   // imported although it is a duplicate
	draft    models.Draft
	broken   string // the rule that the draft breaks; "" if none
	status   string
	reason   string
	existing string

	operation *models.QueuedOperation // as which it was parked before; nil if it was not
	own       bool                    // whether this import parked it, before it was interrupted
}

func newRun(im *Importer, u *models.User, r *Request, f *bankfile.File) *run {
	source := f.Kind
	if f.App != "" {
		source = f.App
	}
	return &run{
		im: im, user: u, req: r, file: f, isNew: true,
		imp: models.Import{
			ID: ledger.NewID(), Name: r.Name, Digest: r.digest(), Source: source, State: models.ImportRunning, CreatedAt: time.Now(),
		},
		seen: map[string]int{}, own: map[string]bool{}, used: map[string]bool{},
	}
}

// resume continues an import of the same file that was interrupted.
func (r *run) resume(ctx context.Context) error {
	earlier, ok, err := r.im.Store.InterruptedImport(ctx, r.user.ID, r.imp.Digest)
	if err != nil || !ok {
		return err
	}
	r.imp, r.isNew = earlier, false
	for after := ""; ; {
		rows, err := r.im.Store.RowsOfImport(ctx, r.user.ID, r.imp.ID, after, 1000)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			r.made(row)
			after = row.Key
		}
	}
}

// made notes what this import made of a row.
func (r *run) made(row models.ImportedRow) {
	if row.ExpenseID != "" {
		r.own[row.ExpenseID] = true
	}
}

// all imports the file.
func (r *run) all(ctx context.Context) (*wire.ImportResult, error) {
	if err := r.resume(ctx); err != nil {
		return nil, err
	}
	total, err := r.file.Count() // of a file with too many rows none is imported
	if err != nil {
		return nil, err
	}
	shown := newShown(0)
	say := r.im.speaker(r.user.ID, wire.ImportProgress{Name: r.imp.Name, Total: total}, r.req.Progress)
	err = r.chunks(ctx, func(rows []*row) error {
		if err := r.write(ctx, rows); err != nil {
			return err
		}
		shown.add(rows)
		say(&shown.totals, false)
		return nil
	})
	say(&shown.totals, true)
	if err != nil {
		return nil, err
	}
	if err := r.finish(ctx, &shown.totals); err != nil {
		return nil, err
	}
	result := &wire.ImportResult{Totals: shown.totals, Rows: shown.rows}
	if !r.isNew {
		i := wire.NewImport(r.imp)
		result.Import = &i
	}
	return result, nil
}

// finish stores that the import has ended, unless it made nothing.
func (r *run) finish(ctx context.Context, t *wire.ImportTotals) error {
	if r.isNew {
		return nil
	}
	return r.im.Ledger.Write(ctx, r.user.ID, func(w *ledger.Work) (err error) {
		if r.imp, err = r.current(w); err != nil {
			return err
		}
		r.imp.State, r.imp.UpdatedAt = models.ImportDone, w.Tx.Now()
		r.imp.Skipped, r.imp.Refused, r.imp.Parked = t.Duplicates, t.Refused, t.Parked
		return w.Tx.SaveImport(r.imp)
	})
}

var errUndone = models.E(models.Conflict, "The import was undone while it was under way: send the file again to import it")

// current returns the import as it is stored: another process may import the same file, or undo it.
func (r *run) current(w *ledger.Work) (models.Import, error) {
	if r.isNew {
		return r.imp, nil
	}
	i, err := w.Tx.Import(r.imp.ID)
	if err == nil && i.State == models.ImportUndone {
		err = errUndone
	}
	return i, err
}

// speaker returns what tells the user's devices, and also unless it is nil, how far it is.
func (im *Importer) speaker(
	userID string, p wire.ImportProgress, also func(wire.ImportProgress),
) func(t *wire.ImportTotals, done bool) {
	say := p.Sender(func(p wire.ImportProgress) {
		im.Progress(userID, p)
		if also != nil {
			also(p)
		}
	})
	return func(t *wire.ImportTotals, done bool) { say(t.Rows, t.Parked, done) }
}

const textInterrupted = "The import was interrupted: send the file again to finish it"

// chunks calls fn with the rows of the file, some at a time. fn must not keep them.
func (r *run) chunks(ctx context.Context, fn func([]*row) error) error {
	rows := make([]*row, 0, chunk)
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return &models.Error{Kind: models.Unavailable, Err: ctx.Err(), Msg: textInterrupted}
		}
		err := fn(rows)
		rows = rows[:0]
		return err
	}
	err := r.file.Rows(func(b bankfile.Row) error {
		if rows = append(rows, r.newRow(b)); len(rows) == chunk {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func (r *run) newRow(b bankfile.Row) *row {
	row := &row{Row: b, status: wire.RowNew}
	if b.Problem != "" {
		row.refuse(b.Problem)
		return row
	}
	if row.draft = b.Draft(); row.draft.Currency == r.user.Currency() {
		row.draft.Currency = "" // as that of entries that are made by hand
	}
	if vs := row.draft.Check(); len(vs) > 0 {
		row.broken = wire.JoiMessage(vs[0])
	}
	key := b.Key()
	n := r.seen[key]
	r.seen[key]++
	if n > 0 {
		key = ledger.HashKey(key, strconv.Itoa(n)) // the same twice in one file is two entries
	}
	row.forced = r.req.IncludeAll || r.req.Include[b.Line]
	row.base, row.key = key, key
	return row
}

func (r *row) refuse(why string) { r.status, r.reason = wire.RowRefused, why }

func (r *row) duplicate(of, why string) { r.status, r.existing, r.reason = wire.RowDuplicate, of, why }
