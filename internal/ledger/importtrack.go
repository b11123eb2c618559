package ledger

import (
	"errors"

	"expenseflow/models"
)

// track stores what became of records in the transaction that made it, and returns the import as it
// is then.
func (m *Import) track(w *Work, records []Record, results []ImportResult) (models.Import, error) {
	i := *m.opts.Track
	var made []models.ImportedRow
	for n, result := range results {
		kind, taken := kindOf(&records[n])
		switch result.Outcome {
		case ImportNew:
			if !taken {
				i.Changed++
				continue
			}
			i.Created++
			made = append(made, models.ImportedRow{
				Key: rowKey(kind, result.ID), ImportID: i.ID, ExpenseID: result.ID,
				Kind: kind, Version: max(records[n].version(), 1),
			})
		case ImportChanged:
			i.Changed++
		}
	}
	if i.Created == 0 || i == *m.opts.Track {
		return i, nil
	}
	i.UpdatedAt = w.Tx.Now()
	return i, errors.Join(w.Tx.SaveImport(i), w.Tx.SaveImportedRows(made))
}

// rowKey names what was made of a record. Rows are taken back in the order of keys: comments first,
// for an expense goes only if nobody has commented it.
func rowKey(kind models.ImportedKind, id string) string {
	key := HashKey("account", string(kind), id)
	if kind == models.ImportedComment {
		return "-" + key
	}
	return key
}

// kindOf returns the kind of what is made of a record; false for preferences, which are not taken
// back.
func kindOf(r *Record) (kind models.ImportedKind, taken bool) {
	switch {
	case r.Expense != nil:
		return models.ImportedExpense, true
	case r.Budget != nil:
		return models.ImportedBudget, true
	case r.Goal != nil:
		return models.ImportedGoal, true
	case r.Comment != nil:
		return models.ImportedComment, true
	case r.Notification != nil:
		return models.ImportedNotification, true
	case r.Operation != nil:
		return models.ImportedOperation, true
	}
	return "", false
}

// version returns the version that a new record gets; 0 if it has none.
func (r *Record) version() int64 {
	switch {
	case r.Expense != nil:
		return r.Expense.version()
	case r.Budget != nil:
		return r.Budget.version()
	case r.Goal != nil:
		return RecordMeta{Version: r.Goal.Version}.version()
	}
	return 0
}
