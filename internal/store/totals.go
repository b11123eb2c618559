package store

import (
	"errors"
	"time"

	"expenseflow/models"
)

// A totalKey names one row of daily_totals of the transaction's user.
type totalKey struct {
	day            int64 // its beginning, in milliseconds since 1970
	category, kind string
}

// A tally is what a transaction adds to one row of daily_totals; to take an
// entry away, both parts are negative.
type tally struct {
	totalKey
	sum   models.Sum
	count int64
}

// maxUnits is the largest total: far enough from the largest integer that no
// amount leaps over it.
const maxUnits = 1 << 62

var errTooMuch = errors.New("the total of all expenses is too large")

// tally notes that an expense came (+1) or went (-1). The totals of its user and
// of its day follow in the same transaction, whichever door it came through.
func (tx *Tx) tally(e *models.Expense, count int64) {
	t := tally{totalKey{models.Day(e.Date).UnixMilli(), e.Category, e.Type}, models.SumOf(e.Amount), count}
	total := &tx.user.Expense
	if e.Type == "income" {
		total = &tx.user.Income
	}
	if count < 0 {
		t.sum = models.Sum{}.Minus(t.sum)
	}
	*total = total.Plus(t.sum)
	tx.user.Expenses += count
	tx.tallies = append(tx.tallies, t)
	if total.Units > maxUnits && tx.failed == nil {
		tx.failed = &DataError{errTooMuch}
	}
}

// retally notes that an expense changed.
func (tx *Tx) retally(before, after *models.Expense) {
	same := before.Amount == after.Amount && before.Category == after.Category &&
		before.Type == after.Type && before.Date.Equal(after.Date)
	if !same {
		tx.tally(before, -1)
		tx.tally(after, 1)
	}
}

var totalTable = &table{name: "daily_totals", key: "user_id, day, category, type", columns: []column{
	{"user_id", text},
	{"day", integer},
	{"category", text},
	{"type", text},
	{"units", integer},
	{"micros", integer},
	{"count", integer},
}}

// addUp adds to the row that is there.
var addUp = " ON CONFLICT (" + totalTable.key + ") DO UPDATE SET units = daily_totals.units + excluded.units, " +
	"micros = daily_totals.micros + excluded.micros, count = daily_totals.count + excluded.count"

// flushTotals adds what was tallied since the last flush, each row once. A row
// whose entries have all gone stays, with a count of 0.
func (tx *Tx) flushTotals() error {
	var rows []tally
	at := map[totalKey]int{}
	for _, t := range tx.tallies[tx.tallied:] {
		i, known := at[t.totalKey]
		if !known {
			i, rows = len(rows), append(rows, tally{totalKey: t.totalKey})
			at[t.totalKey] = i
		}
		rows[i].sum, rows[i].count = rows[i].sum.Plus(t.sum), rows[i].count+t.count
	}
	tx.tallied = len(tx.tallies)
	return save(tx, totalTable, rows, addUp, func(t tally) []any {
		return []any{tx.user.ID, t.day, t.category, t.kind, t.sum.Units, t.sum.Micros, t.count}
	})
}

// spentIn selects what was spent in the days of a budget's window; spentArgs are
// its parameters.
const spentIn = "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT), CAST(COALESCE(SUM(micros), 0) AS BIGINT) FROM daily_totals " +
	"WHERE user_id = ? AND day >= ? AND day < ? AND type = 'expense' AND (? = '" + models.AllCategories + "' OR category = ?)"

func spentArgs(b *models.Budget, from, to time.Time) []any {
	return []any{b.UserID, from.UnixMilli(), to.UnixMilli(), b.Category, b.Category}
}

func scanSum(row scanner) (models.Sum, error) {
	var s models.Sum
	err := row.Scan(&s.Units, &s.Micros)
	return s.Normal(), err
}
