package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// An Import brings complete records of another installation, of an export or of a bank's file
// into one account. It is the one way in: the readers of formats (dumps, JSON, bank files)
// make Records, and nothing else.
//
// What it promises:
//
//   - It is idempotent. A record is known by its ID, so a second import of the same records
//     changes nothing and adds nothing to the log, also if the first was interrupted.
//   - What is newer stays. A stored entity is overwritten only by a record whose UpdatedAt is
//     later than the entity's and not in the future.
//   - A record is imported wholly or refused with a reason; it stops no other record. The rules
//     and limits of the entity hold (Draft.Check, MAX_EXPENSES_PER_USER, CodeCurrencyLimit ...).
//   - Every change of an expense or budget is in the user's log, so devices get it row by row,
//     and totals and budgets are right in the same transaction.
//   - It causes no notifications: no alert of a budget, of a low balance or of a goal. Levels
//     that budgets reach by it count as known, so that the next expense of the user does not
//     alert of them either.
//
// Records are applied in chunks of one transaction each, so other users, and other changes of
// this one, wait for a chunk at most. An Import is used by one goroutine; several Imports into
// one account may run at the same time.
type Import struct {
	ledger *Ledger
	userID string
	opts   ImportOptions

	// What earlier chunks of a dry run would have stored.
	added  map[any]int64 // new records, by table
	parked parking       // with what is stored
}

// ImportOptions say how records are imported.
type ImportOptions struct {
	// Author is the device that imports. It gets no event of what it imports.
	Author models.Author

	// KeepIDs keeps the ids of records where they are free in this database. Only an operator
	// may: a user could learn which ids exist, and take those that the server makes next.
	// Without it an id that is not already the user's is replaced by ImportedID.
	KeepIDs bool

	// SkipDeleted refuses an expense that the user has deleted since it was imported, as far as
	// the log goes back. Without it the expense comes back.
	SkipDeleted bool

	// Track, if not nil, counts what becomes of records and is stored with what they made, so that
	// it can be undone as one: by its first record that made something. It belongs to the Import
	// meanwhile, which changes it after each chunk.
	Track *models.Import

	// DryRun changes nothing and returns what would be; it takes no lock. Limits of expenses,
	// budgets, goals and parked operations are those of all its chunks together; what depends on
	// a record of an earlier chunk counts as if that were stored.
	DryRun bool
}

// A Record is one entity to import: exactly one field is set.
type Record struct {
	Expense      *ExpenseRecord
	Budget       *BudgetRecord
	Goal         *models.Goal
	Comment      *models.Activity // by the user of the account, on an expense that they have
	Notification *models.Notification
	Preferences  *models.NotificationPreferences
	Operation    *models.QueuedOperation // is parked; its Result says why
}

// RecordMeta is what a Record has beside its content. ID is that of the source: 24 hex
// digits, or any text that names the entity for ever, such as a bank's name of a booking.
// Times are zero if the source does not know them, and a Version is 0.
type RecordMeta struct {
	ID                   string
	Version              int64
	CreatedAt, UpdatedAt time.Time
}

// An ExpenseRecord is an expense to import. Its Draft needs a date unless CreatedAt is known.
// A day that the Draft does not name is that of the date in the account's time zone.
type ExpenseRecord struct {
	RecordMeta
	Draft models.Draft
}

// A BudgetRecord is a budget to import.
type BudgetRecord struct {
	RecordMeta
	Draft models.BudgetDraft
}

// An ImportOutcome says what became of a record.
type ImportOutcome string

// The outcomes.
const (
	ImportNew     ImportOutcome = "new"
	ImportSame    ImportOutcome = "same"
	ImportChanged ImportOutcome = "changed"
	ImportKept    ImportOutcome = "kept" // what is stored differs, and the record is not known to be newer
	ImportRefused ImportOutcome = "refused"
)

// An ImportResult is what became of one record. ID is the id under which the entity is stored,
// "" if it was refused or has none.
type ImportResult struct {
	Outcome ImportOutcome
	ID      string
	Err     error // why it was refused (as a sentence: wire.NewErrorBody(err).Error); else nil
}

// ImportChunk is the largest number of records of one transaction.
const ImportChunk = 500

// Import returns an Import into the user's account.
func (l *Ledger) Import(userID string, o ImportOptions) *Import {
	return &Import{ledger: l, userID: userID, opts: o, added: map[any]int64{}}
}

// ImportedID returns the id under which a user's record is stored that cannot have its own:
// the id is no id, is another user's, or comes from a user (ImportOptions.KeepIDs).
func ImportedID(userID, id string) string { return HashKey("import", userID, id)[:24] }

// Apply imports records, of which some may be of other kinds than others; results[i] belongs to
// records[i]. What a record refers to (the expense of a comment) comes before it, here or in
// an earlier call. After an error the chunks before it are stored, and the same records can be
// applied again. Errors: models.NotFound if the account is gone, and those of store.Write.
func (m *Import) Apply(ctx context.Context, records []Record) ([]ImportResult, error) {
	results := make([]ImportResult, 0, len(records))
	for len(records) > 0 {
		n := chunkLength(records)
		chunk, err := m.applyChunk(ctx, records[:n])
		if err != nil {
			return results, fmt.Errorf("import: %w", err)
		}
		results, records = append(results, chunk...), records[n:]
	}
	return results, nil
}

// chunkLength returns how many records, from the first on, are of one kind and fit into a
// transaction.
func chunkLength(records []Record) int {
	first := records[0].table()
	n := slices.IndexFunc(records, func(r Record) bool { return r.table() != first })
	if n < 0 {
		n = len(records)
	}
	return min(n, ImportChunk)
}

// applyChunk applies records in one transaction. If the database refuses the data of one, each
// gets a savepoint of its own.
func (m *Import) applyChunk(ctx context.Context, records []Record) ([]ImportResult, error) {
	if m.opts.DryRun {
		return m.rehearse(ctx, records)
	}
	results, err := m.transact(ctx, records, (*importWork).applyAll)
	if refusedByDatabase(err) {
		results, err = m.transact(ctx, records, (*importWork).applyEach)
	}
	return results, err
}

func refusedByDatabase(err error) bool {
	var data *store.DataError
	return errors.As(err, &data)
}

func (m *Import) transact(
	ctx context.Context, records []Record, apply func(*importWork, []Record) ([]ImportResult, error),
) (results []ImportResult, err error) {
	var tracked models.Import
	err = m.ledger.write(ctx, m.userID, func(w *Work) (err error) {
		if results, err = apply(&importWork{Work: w, Import: m}, records); err == nil && m.opts.Track != nil {
			tracked, err = m.track(w, records, results)
		}
		return err
	}, withoutAlerts)
	if err == nil && m.opts.Track != nil {
		*m.opts.Track = tracked
	}
	return results, err
}

// rehearse is applyChunk of a dry run.
func (m *Import) rehearse(ctx context.Context, records []Record) (results []ImportResult, err error) {
	var iw *importWork
	err = m.ledger.store.Rehearse(ctx, m.userID, func(tx *store.Tx) (err error) {
		iw = &importWork{Work: m.ledger.newWork(tx), Import: m}
		iw.parking = m.parked
		results, err = iw.applyAll(records)
		return err
	})
	if err != nil {
		return nil, err
	}
	m.parked = iw.parking
	m.added[records[0].table()] += iw.fresh
	return results, nil
}

// withoutAlerts takes the levels of the user's budgets for known.
func withoutAlerts(w *Work) error {
	if !slices.ContainsFunc(w.Tx.Appended(), affectsBudgets) {
		return nil
	}
	_, err := w.Tx.EvaluateBudgets()
	return err
}
