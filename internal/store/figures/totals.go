package figures

import (
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A DailyTotal is what a user's entries of one day, category, type and currency amount to. A
// transaction keeps what it adds to it in one too; to take an entry away, sum and count are
// negative.
type DailyTotal struct {
	UserID     string     `gorm:"primaryKey"`
	Day        models.Day `gorm:"primaryKey"`
	Category   string     `gorm:"primaryKey"`
	Type       string     `gorm:"primaryKey"`
	Currency   string     `gorm:"primaryKey"` // as entries name it
	models.Sum `gorm:"embedded"`
	Count      int64
}

// summed selects the sum of daily totals. PostgreSQL's SUM of bigints is numeric: cast it back.
const summed = "CAST(COALESCE(SUM(units), 0) AS BIGINT) AS units, CAST(COALESCE(SUM(micros), 0) AS BIGINT) AS micros, " +
	"CAST(COALESCE(SUM(count), 0) AS BIGINT) AS count"

// Whether an entry is in the currency of its user's account.
const ownCurrency, otherCurrency = "currency IN ('', ?)", "currency NOT IN ('', ?)"

// SpentIn is what was spent in the days of a budget's window in its currency.
func SpentIn(db *gorm.DB, s *models.BudgetState) (models.Sum, error) {
	t, err := find.One[DailyTotal](spentOn(db, s).Select(summed).Where(ownCurrency, s.Currency))
	return t.Normalized(), err
}

// spentElsewhere is what was spent in a budget's days in other currencies than its own.
func spentElsewhere(db *gorm.DB, s *models.BudgetState) (others []models.CurrencySum, err error) {
	found, err := find.All[DailyTotal](spentOn(db, s).Select("currency, "+summed).Where(otherCurrency, s.Currency).
		Group("currency").Having("SUM(count) > 0").Order("currency"))
	for _, t := range found {
		others = append(others, models.CurrencySum{Currency: t.Currency, Sum: t.Normalized()})
	}
	return others, err
}

// spentOn selects what was spent on a budget's category in the days of its window.
func spentOn(db *gorm.DB, s *models.BudgetState) *gorm.DB {
	b := &s.Budget
	db = db.Model(&DailyTotal{}).Where("user_id = ? AND day >= ? AND day < ? AND type = 'expense'", b.UserID, s.From, s.To)
	if b.Category != models.AllCategories {
		db = db.Where("category = ?", b.Category)
	}
	return db
}
