package account

import (
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/record"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A PreferencesRow is what a user chose of notifications.
type PreferencesRow struct {
	UserID    string    `gorm:"primaryKey"`
	Settings  string    // the record of models.NotificationPreferences
	AlertedAt time.Time `gorm:"serializer:zeroableTime"`
	CreatedAt time.Time `gorm:"serializer:millis"`
	UpdatedAt time.Time `gorm:"serializer:millis"`
}

// TableName implements GORM's Tabler.
func (PreferencesRow) TableName() string { return "notification_preferences" }

// PreferencesOf returns the user's notification preferences as a session sees them. It reads
// over the defaults: what a later program adds has its default until it is set.
func PreferencesOf(db *gorm.DB, userID string) (models.NotificationPreferences, error) {
	p := models.DefaultPreferences()
	row, err := find.One[PreferencesRow](db.Where("user_id = ?", userID))
	if find.IsNotFound(err) {
		return p, nil
	}
	if err == nil {
		err = record.Decode([]byte(row.Settings), &p)
	}
	p.AlertedAt, p.CreatedAt, p.UpdatedAt = row.AlertedAt, row.CreatedAt, row.UpdatedAt
	return p, err
}
