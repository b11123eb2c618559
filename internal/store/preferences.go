package store

import (
	"expenseflow/internal/store/account"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// Preferences is Store.Preferences of the transaction's user. They are read once,
// and only by a transaction that has something to tell.
func (tx *Tx) Preferences() (models.NotificationPreferences, error) {
	if tx.preferences != nil {
		return *tx.preferences, tx.failed
	}
	p, err := account.PreferencesOf(tx.orm(), tx.user.ID)
	if err == nil {
		tx.preferences = &p
	}
	return p, tx.note(err)
}

// SavePreferences stores the user's preferences.
func (tx *Tx) SavePreferences(p models.NotificationPreferences) error {
	tx.preferences, tx.wrote = nil, true // read anew, in case an Attempt undoes this
	row := account.PreferencesRow{
		UserID: tx.user.ID, Settings: record.Encode(p), AlertedAt: p.AlertedAt, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	return tx.run(tx.orm().Clauses(rows.Overwrite(row)).Create(&row))
}
