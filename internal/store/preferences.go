package store

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

type preferencesRow struct {
	UserID    string    `gorm:"primaryKey"`
	Settings  string    // the record of models.NotificationPreferences
	AlertedAt time.Time `gorm:"serializer:zeroableTime"`
	CreatedAt time.Time `gorm:"serializer:millis"`
	UpdatedAt time.Time `gorm:"serializer:millis"`
}

func (preferencesRow) TableName() string { return "notification_preferences" }

// Preferences returns the user's notification preferences, or the defaults of who has
// stored none.
func (s *Store) Preferences(ctx context.Context, userID string) (models.NotificationPreferences, error) {
	return preferencesOf(s.db.Read(ctx), userID)
}

// preferencesOf reads over the defaults: what a later program adds has its default until it
// is set.
func preferencesOf(db *gorm.DB, userID string) (models.NotificationPreferences, error) {
	p := models.DefaultPreferences()
	row, err := find.One[preferencesRow](db.Where("user_id = ?", userID))
	if find.IsNotFound(err) {
		return p, nil
	}
	if err == nil {
		err = record.Decode([]byte(row.Settings), &p)
	}
	p.AlertedAt, p.CreatedAt, p.UpdatedAt = row.AlertedAt, row.CreatedAt, row.UpdatedAt
	return p, err
}

// Preferences is Store.Preferences of the transaction's user. They are read once,
// and only by a transaction that has something to tell.
func (tx *Tx) Preferences() (models.NotificationPreferences, error) {
	if tx.preferences != nil {
		return *tx.preferences, tx.failed
	}
	p, err := preferencesOf(tx.orm(), tx.user.ID)
	if err == nil {
		tx.preferences = &p
	}
	return p, tx.note(err)
}

// SavePreferences stores the user's preferences.
func (tx *Tx) SavePreferences(p models.NotificationPreferences) error {
	tx.preferences, tx.wrote = nil, true // read anew, in case an Attempt undoes this
	row := preferencesRow{tx.user.ID, record.Encode(p), p.AlertedAt, p.CreatedAt, p.UpdatedAt}
	return tx.run(tx.orm().Clauses(rows.Overwrite(row)).Create(&row))
}
