package ledger

import (
	"errors"
	"strings"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// An importWork is a transaction that applies records of one kind.
type importWork struct {
	*Work
	*Import
	owners  map[string]string // of the ids that the records may have, among what is stored
	deleted map[string]bool   // of these ids, with ImportOptions.SkipDeleted
	fresh   int64             // new records of this transaction
}

// table returns the row of the table that a record's entity is in.
func (r *Record) table() any {
	switch {
	case r.Expense != nil:
		return tableExpenses
	case r.Budget != nil:
		return tableBudgets
	case r.Goal != nil:
		return tableGoals
	case r.Comment != nil:
		return tableComments
	case r.Notification != nil:
		return tableNotifications
	case r.Operation != nil:
		return tableOperations
	}
	return nil // preferences: an account has them once
}

// The rows of the tables; pointers, so that they can be compared.
var (
	tableExpenses      any = &models.Expense{}
	tableBudgets       any = &models.BudgetState{}
	tableGoals         any = &models.Goal{}
	tableComments      any = &models.Activity{}
	tableNotifications any = &models.Notification{}
	tableOperations        = store.OperationTable()
)

// SourceID returns the id that the source gave a record; "" for preferences.
func (r *Record) SourceID() string {
	switch {
	case r.Expense != nil:
		return r.Expense.ID
	case r.Budget != nil:
		return r.Budget.ID
	case r.Goal != nil:
		return r.Goal.ID
	case r.Comment != nil:
		return r.Comment.ID
	case r.Notification != nil:
		return r.Notification.ID
	case r.Operation != nil:
		return r.Operation.ID
	}
	return ""
}

// applyAll applies records of one kind. Its error is the database's, or a DataError.
func (w *importWork) applyAll(records []Record) ([]ImportResult, error) {
	if err := w.preload(records); err != nil {
		return nil, err
	}
	results := make([]ImportResult, len(records))
	for i := range records {
		var err error
		if results[i], err = w.apply(&records[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// applyEach is applyAll with a savepoint for each record, so that what the database refuses
// concerns that record alone.
func (w *importWork) applyEach(records []Record) ([]ImportResult, error) {
	results := make([]ImportResult, len(records))
	for i := range records {
		err := w.Attempt(func() error {
			one, err := w.applyAll(records[i : i+1])
			if err == nil {
				results[i] = one[0]
			}
			return err
		})
		if refusedByDatabase(err) {
			results[i], err = refused(models.E(models.Invalid, models.Message(err))), nil
		}
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// preload reads what is stored under the ids that the records may have.
func (w *importWork) preload(records []Record) (err error) {
	table := records[0].table()
	if table == nil {
		return nil
	}
	ids := make([]string, 0, 2*len(records))
	for i := range records {
		ids = append(ids, w.candidates(records[i].SourceID())...)
	}
	if w.owners, err = w.Tx.Owners(table, ids); err != nil || table != tableExpenses {
		return err
	}
	return w.preloadExpenses(ids)
}

func (w *importWork) preloadExpenses(ids []string) (err error) {
	var own, absent []string
	for _, id := range ids {
		if w.owners[id] == w.userID {
			own = append(own, id)
		} else if w.owners[id] == "" {
			absent = append(absent, id)
		}
	}
	if w.opts.SkipDeleted {
		if w.deleted, err = w.Tx.DeletedExpenses(absent); err != nil {
			return err
		}
	}
	return w.Tx.Preload(store.Preload{ExpenseIDs: own})
}

// candidates returns the ids that a record of this id may have, the preferred first.
func (w *importWork) candidates(id string) []string {
	derived := ImportedID(w.userID, id)
	if lower := strings.ToLower(id); models.IsID(lower) {
		return []string{derived, lower}
	}
	return []string{derived}
}

// target returns the id under which a record is stored, or is to be stored.
func (w *importWork) target(id string) (target string, stored bool) {
	all := w.candidates(id)
	for _, c := range all {
		if w.owners[c] == w.userID {
			return c, true
		}
	}
	if own := all[len(all)-1]; len(all) > 1 && w.opts.KeepIDs && w.owners[own] == "" {
		return own, false
	}
	return all[0], false
}

// took notes that a new record has an id, for further ones with the same.
func (w *importWork) took(id string) ImportResult {
	w.owners[id] = w.userID
	w.fresh++
	return ImportResult{Outcome: ImportNew, ID: id}
}

// save runs what writes at once, unless nothing is to be changed.
func (w *importWork) save(write func() error) error {
	if w.opts.DryRun {
		return nil
	}
	return write()
}

func (w *importWork) apply(r *Record) (ImportResult, error) {
	result, err := w.applyKind(r)
	if isRefusal(err) {
		return refused(err), nil
	}
	return result, err
}

func (w *importWork) applyKind(r *Record) (ImportResult, error) {
	switch {
	case r.Expense != nil:
		return w.applyExpense(*r.Expense)
	case r.Budget != nil:
		return w.applyBudget(*r.Budget)
	case r.Goal != nil:
		return w.applyGoal(*r.Goal)
	case r.Comment != nil:
		return w.applyComment(*r.Comment)
	case r.Notification != nil:
		return w.applyNotification(*r.Notification)
	case r.Operation != nil:
		return w.applyOperation(*r.Operation)
	case r.Preferences != nil:
		return w.applyPreferences(*r.Preferences)
	}
	return ImportResult{}, models.E(models.Invalid, "The record is empty")
}

func refused(why error) ImportResult { return ImportResult{Outcome: ImportRefused, Err: why} }

// isRefusal reports whether an error is about the record, and not of the database.
func isRefusal(err error) bool {
	var invalid *models.InvalidError
	if errors.As(err, &invalid) {
		return true
	}
	var e *models.Error
	return errors.As(err, &e) && !refusedByDatabase(err) && (e.Kind == models.Invalid || e.Kind == models.Conflict)
}

// maxVersion is the largest version that a record may bring: from there on, versions can grow
// for ever, and remain numbers that JavaScript has.
const maxVersion = 1 << 50

// version returns the version at the source; 0 if it is none.
func (m RecordMeta) version() int64 {
	if m.Version > maxVersion {
		return 0
	}
	return m.Version
}

// past returns a time of the source, or otherwise if the source does not know it or it cannot be.
func (w *importWork) past(t, otherwise time.Time) time.Time {
	if !w.isPast(t) {
		return otherwise
	}
	return models.Millis(t)
}

func (w *importWork) isPast(t time.Time) bool {
	return !t.IsZero() && t.Year() >= 0 && !t.After(w.Tx.Now())
}

// newer reports whether a record is known to be newer than what is stored.
func (w *importWork) newer(record, stored time.Time) bool {
	return w.isPast(record) && models.Millis(record).After(stored)
}

// times returns when a new record was made and last changed.
func (w *importWork) times(m RecordMeta) (created, updated time.Time) {
	now := w.Tx.Now()
	created = w.past(m.CreatedAt, w.past(m.UpdatedAt, now))
	return created, w.past(m.UpdatedAt, created)
}
