package store

import (
	"errors"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A dailyTotal is what a user's entries of one day, category, type and currency amount to. A
// transaction keeps what it adds to it in one too; to take an entry away, sum and count are
// negative.
type dailyTotal struct {
	UserID     string     `gorm:"primaryKey"`
	Day        models.Day `gorm:"primaryKey"`
	Category   string     `gorm:"primaryKey"`
	Type       string     `gorm:"primaryKey"`
	Currency   string     `gorm:"primaryKey"` // as entries name it
	models.Sum `gorm:"embedded"`
	Count      int64
}

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
	tx.deltas = append(tx.deltas, dailyTotal{tx.user.ID, e.Day, e.Category, e.Type, e.Currency, sum, count})
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
var addToTotals = " ON CONFLICT (" + rows.Of(dailyTotal{}).Key() + ") DO UPDATE SET " +
	"units = daily_totals.units + excluded.units, micros = daily_totals.micros + excluded.micros, " +
	"count = daily_totals.count + excluded.count"

// flushTotals adds what was noted since the last flush, each row once. A row whose entries
// have all gone stays, with a count of 0.
func (tx *Tx) flushTotals() error {
	var sums []dailyTotal
	at := map[dailyTotal]int{}
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

// summed selects the sum of daily totals. PostgreSQL's SUM of bigints is numeric: cast it back.
const summed = "CAST(COALESCE(SUM(units), 0) AS BIGINT) AS units, CAST(COALESCE(SUM(micros), 0) AS BIGINT) AS micros, " +
	"CAST(COALESCE(SUM(count), 0) AS BIGINT) AS count"

// Whether an entry is in the currency of its user's account.
const ownCurrency, otherCurrency = "currency IN ('', ?)", "currency NOT IN ('', ?)"

// spentIn is what was spent in the days of a budget's window in its currency.
func spentIn(db *gorm.DB, s *models.BudgetState) (models.Sum, error) {
	t, err := find.One[dailyTotal](spentOn(db, s).Select(summed).Where(ownCurrency, s.Currency))
	return t.Normalized(), err
}

// spentElsewhere is what was spent in a budget's days in other currencies than its own.
func spentElsewhere(db *gorm.DB, s *models.BudgetState) (others []models.CurrencySum, err error) {
	found, err := find.All[dailyTotal](spentOn(db, s).Select("currency, "+summed).Where(otherCurrency, s.Currency).
		Group("currency").Having("SUM(count) > 0").Order("currency"))
	for _, t := range found {
		others = append(others, models.CurrencySum{Currency: t.Currency, Sum: t.Normalized()})
	}
	return others, err
}

// spentOn selects what was spent on a budget's category in the days of its window.
func spentOn(db *gorm.DB, s *models.BudgetState) *gorm.DB {
	b := &s.Budget
	db = db.Model(&dailyTotal{}).Where("user_id = ? AND day >= ? AND day < ? AND type = 'expense'", b.UserID, s.From, s.To)
	if b.Category != models.AllCategories {
		db = db.Where("category = ?", b.Category)
	}
	return db
}
