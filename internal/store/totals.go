package store

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"expenseflow/models"
)

// totals is models.Totals as the user's row keeps it: {currency: [units and
// millionths of the income, of what was spent, count of entries]}.
type totals models.Totals

// Value is text.
func (t totals) Value() (driver.Value, error) { return t.text(), nil }

func (t totals) text() string {
	b := []byte{'{'}
	for i, c := range t {
		b = appendName(comma(b, i), c.Currency) // letters alone
		for j, n := range []int64{c.Income.Units, c.Income.Micros, c.Expense.Units, c.Expense.Micros, c.Count} {
			b = strconv.AppendInt(append(b, "[,,,,"[j]), n, 10)
		}
		b = append(b, ']')
	}
	return string(append(b, '}'))
}

// Scan reads what Value wrote.
func (t *totals) Scan(column any) error {
	if *t = nil; column == "{}" {
		return nil
	}
	text, ok := column.(string)
	var byCurrency map[string][5]int64
	if err := json.Unmarshal([]byte(text), &byCurrency); err != nil || !ok {
		return fmt.Errorf("totals of a user: %w", err)
	}
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		n := byCurrency[currency]
		*t = append(*t, models.CurrencyTotal{
			Currency: currency, Count: n[4],
			Income: models.Sum{Units: n[0], Micros: n[1]}.Normal(), Expense: models.Sum{Units: n[2], Micros: n[3]}.Normal(),
		})
	}
	return nil
}

// A totalKey names one row of daily_totals of the transaction's user.
type totalKey struct {
	day                      models.Day
	category, kind, currency string
}

// A tally is what a transaction adds to one row of daily_totals; to take an
// entry away, both parts are negative.
type tally struct {
	totalKey
	sum   models.Sum
	count int64
}

// maxUnits is the largest total of a currency: far enough from the largest integer
// that no amount leaps over it, nor what names no currency in addition.
const maxUnits = 1 << 61

var errTooMuch = errors.New("the total of all expenses is too large")

// tally notes that an expense came (+1) or went (-1). The totals of its user and
// of its day follow in the same transaction, whichever door it came through.
func (tx *Tx) tally(e *models.Expense, count int64) {
	t := tally{totalKey{e.Day, e.Category, e.Type, e.Currency}, models.SumOf(e.Amount), count}
	if count < 0 {
		t.sum = models.Sum{}.Minus(t.sum)
	}
	all := models.Totals(tx.user.Totals).With(e.Currency, e.Type, e.Amount, count)
	tx.user.Totals = totals(all)
	tx.user.Expenses += count
	tx.tallies = append(tx.tallies, t)
	total := all.Of(e.Currency)
	if max(total.Income.Units, total.Expense.Units) > maxUnits && tx.failed == nil {
		tx.failed = &DataError{errTooMuch}
	}
}

// retally notes that an expense changed.
func (tx *Tx) retally(before, after *models.Expense) {
	same := before.Amount == after.Amount && before.Category == after.Category &&
		before.Type == after.Type && before.Day == after.Day && before.Currency == after.Currency
	if !same {
		tx.tally(before, -1)
		tx.tally(after, 1)
	}
}

var totalTable = &table{name: "daily_totals", key: "user_id, day, category, type, currency", columns: []column{
	{"user_id", text},
	{"day", integer},
	{"category", text},
	{"type", text},
	{"currency", text},
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
		return []any{tx.user.ID, int64(t.day), t.category, t.kind, t.currency, t.sum.Units, t.sum.Micros, t.count}
	})
}

// spentIn selects what was spent in the days of a budget's window in its currency,
// spentWhere in any; spentArgs are the parameters of spentIn.
const (
	spentWhere = "user_id = ? AND day >= ? AND day < ? AND type = 'expense' AND (? = '" + models.AllCategories + "' OR category = ?)"

	spentIn = "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT), CAST(COALESCE(SUM(micros), 0) AS BIGINT) FROM daily_totals " +
		"WHERE " + spentWhere + " AND currency IN ('', ?)"
)

func spentArgs(s *models.BudgetState) []any {
	b := &s.Budget
	return []any{b.UserID, int64(s.From), int64(s.To), b.Category, b.Category, s.Currency}
}

func scanSum(row scanner) (models.Sum, error) {
	var s models.Sum
	err := row.Scan(&s.Units, &s.Micros)
	return s.Normal(), err
}
