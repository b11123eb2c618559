package store

import (
	"time"

	"expenseflow/models"
)

// ZoneOf is where the days of a user's account begin.
func (s *Store) ZoneOf(u *models.User) *time.Location { return u.Zone(s.opts.Zone) }

// Today is the present day in the zone of a user's account.
func (s *Store) Today(u *models.User) models.Day { return models.DayOf(s.opts.Now(), s.ZoneOf(u)) }

// Zone is where the days of the user's account begin.
func (tx *Tx) Zone() *time.Location {
	u := models.User{ChosenZone: tx.user.TimeZone}
	return tx.s.ZoneOf(&u)
}

// Today is the day of the transaction's moment in the account's zone.
func (tx *Tx) Today() models.Day { return models.DayOf(tx.Now(), tx.Zone()) }

func (tx *Tx) currency() string {
	u := models.User{ChosenCurrency: tx.user.Currency}
	return u.Currency()
}

// SetZone gives the account a zone, which is a known one. Days that were counted
// stay where they are. The caller appends the change to the log.
func (tx *Tx) SetZone(name string) error {
	tx.user.TimeZone, tx.wrote = name, true
	return tx.recount(false)
}

// SetCurrency gives the account a currency. The caller appends the change to the log.
func (tx *Tx) SetCurrency(code string) error {
	tx.user.Currency, tx.wrote = code, true
	return tx.recount(true)
}

// recount takes stock of the budgets after a change of what they count, and takes
// the levels that come of it for known: nobody is alerted of them. all adds their
// days up anew even if they are the same ones.
func (tx *Tx) recount(all bool) error {
	if tx.user.Budgets == 0 {
		return tx.failed
	}
	if err := tx.loadBudgets(); err != nil {
		return err
	}
	for _, id := range tx.budgetIDs() {
		s, _, _ := tx.budgets.get(id)
		if s.Currency = tx.currency(); all {
			s.From, s.To = 0, 0
		}
		tx.keepState(s)
	}
	_, err := tx.Reckon()
	return err
}
