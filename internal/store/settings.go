package store

import (
	"time"

	"expenseflow/models"
)

// ZoneOf is where the days of a user's account begin.
func (s *Store) ZoneOf(u *models.User) *time.Location { return s.db.ZoneOf(u) }

// Today is the present day in the zone of a user's account.
func (s *Store) Today(u *models.User) models.Day { return s.db.Today(u) }

// Zone is where the days of the user's account begin.
func (tx *Tx) Zone() *time.Location {
	return tx.s.ZoneOf(&tx.user)
}

// Today is the day of the transaction's moment in the account's zone.
func (tx *Tx) Today() models.Day { return models.DayOf(tx.Now(), tx.Zone()) }

// SetZone sets the account's time zone, which is a known one. Expenses keep their days. The caller appends the change to the log.
func (tx *Tx) SetZone(name string) error {
	tx.user.ChosenZone, tx.wrote = name, true
	return tx.recount(false)
}

// SetCurrency sets the account's currency. The caller appends the change to the log.
func (tx *Tx) SetCurrency(code string) error {
	// The budgets are read with the currency of before, which they keep if this is undone.
	if tx.user.Budgets > 0 {
		if err := tx.loadBudgets(); err != nil {
			return err
		}
	}
	tx.user.ChosenCurrency, tx.wrote = code, true
	return tx.recount(true)
}

// SetName sets the user's name. The caller appends the change to the log.
func (tx *Tx) SetName(name string) error {
	tx.user.Name, tx.wrote = name, true
	return tx.run(tx.orm().Model(&models.User{}).Where("id = ?", tx.user.ID).UpdateColumn("name", name))
}

// recount evaluates the budgets after a change of what they count, and stores the new
// levels without alerting. all adds their days up anew even if they are the same ones.
func (tx *Tx) recount(all bool) error {
	if tx.user.Budgets == 0 {
		return tx.failed
	}
	if err := tx.loadBudgets(); err != nil {
		return err
	}
	for _, id := range tx.budgetIDs() {
		s, _, _ := tx.budgets.Get(id)
		if s.Currency = tx.user.Currency(); all {
			s.From, s.To = 0, 0
		}
		tx.keepState(s)
	}
	_, err := tx.EvaluateBudgets()
	return err
}
