package store

import (
	"errors"

	"expenseflow/internal/store/figures"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// maxUnits is the largest total of a currency: so far from the largest integer that adding
// one amount, or the entries without a currency, cannot overflow.
const maxUnits = 1 << 61

var errTooMuch = errors.New("the total of all expenses is too large")

// totalsDelta notes that an expense came (+1) or went (-1). The totals of its user and of its
// day follow in the same transaction, whichever entry point it came through.
func (tx *Tx) totalsDelta(e *models.Expense, count int64) {
	sum := models.SumOf(e.Amount)
	if count < 0 {
		sum = models.Sum{}.Minus(sum)
	}
	tx.deltas = append(tx.deltas, figures.DailyTotal{
		UserID: tx.user.ID, Day: e.Day, Category: e.Category, Type: e.Type, Currency: e.Currency, Sum: sum, Count: count,
	})
	tx.user.Totals = tx.user.Totals.With(e.Currency, e.Type, e.Amount, count)
	tx.user.Expenses += count
	total := tx.user.Totals.Of(e.Currency)
	if max(total.Income.Units, total.Expense.Units) > maxUnits {
		_ = tx.note(&DataError{Err: errTooMuch})
	}
}

// adjustTotals notes that an expense changed.
func (tx *Tx) adjustTotals(before, after *models.Expense) {
	same := before.Amount == after.Amount && before.Category == after.Category &&
		before.Type == after.Type && before.Day == after.Day && before.Currency == after.Currency
	if !same {
		tx.totalsDelta(before, -1)
		tx.totalsDelta(after, 1)
	}
}

// addToTotals adds to the rows that are there.
var addToTotals = " ON CONFLICT (" + rows.Of(figures.DailyTotal{}).Key() + ") DO UPDATE SET " +
	"units = daily_totals.units + excluded.units, micros = daily_totals.micros + excluded.micros, " +
	"count = daily_totals.count + excluded.count"

// flushTotals adds what was noted since the last flush, each row once. A row whose entries
// have all gone stays, with a count of 0.
func (tx *Tx) flushTotals() error {
	var sums []figures.DailyTotal
	at := map[figures.DailyTotal]int{}
	for _, t := range tx.deltas[tx.writtenTotals:] {
		key := t
		key.Sum, key.Count = models.Sum{}, 0
		i, known := at[key]
		if !known {
			i, sums = len(sums), append(sums, key)
			at[key] = i
		}
		sums[i].Sum, sums[i].Count = sums[i].Plus(t.Sum), sums[i].Count+t.Count
	}
	tx.writtenTotals = len(tx.deltas)
	return insert(tx, sums, addToTotals)
}
