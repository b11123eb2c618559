package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"expenseflow/models"
)

type preferencesRow struct {
	UserID    string `gorm:"primaryKey"`
	Settings  string // JSON, see preferencesPayload
	AlertedAt int64  // see models.NotificationPreferences
	CreatedAt int64
	UpdatedAt int64
}

func (preferencesRow) TableName() string { return "notification_preferences" }

var preferencesTable = &table{name: "notification_preferences", key: "user_id", columns: []column{
	{"user_id", text}, {"settings", text}, {"alerted_at", integer}, {"created_at", integer}, {"updated_at", integer},
}}

// A preferencesPayload is what a row keeps. As with an expensePayload, names never
// change their meaning. What a later program adds has its default until it is set.
type preferencesPayload struct {
	Email     channelPayload   `json:"email"`
	Push      channelPayload   `json:"push"`
	SMS       channelPayload   `json:"sms"`
	Webhook   channelPayload   `json:"webhook"`
	Quiet     quietPayload     `json:"quiet"`
	Frequency frequencyPayload `json:"frequency"`
}

type channelPayload struct {
	Enabled     bool     `json:"enabled"`
	Types       []string `json:"types"`
	PhoneNumber string   `json:"phone,omitempty"`
	URL         string   `json:"url,omitempty"`
	Secret      string   `json:"secret,omitempty"`
}

type quietPayload struct {
	Enabled bool   `json:"enabled"`
	Start   string `json:"start"`
	End     string `json:"end"`
	Zone    string `json:"zone"`
}

type frequencyPayload struct {
	BudgetAlerts     string `json:"budgetAlerts"`
	GoalUpdates      string `json:"goalUpdates"`
	ExpenseSummaries string `json:"expenseSummaries"`
}

func newPreferencesPayload(p *models.NotificationPreferences) preferencesPayload {
	return preferencesPayload{
		channelPayload(p.Email), channelPayload(p.Push), channelPayload(p.SMS), channelPayload(p.Webhook),
		quietPayload(p.Quiet), frequencyPayload(p.Frequency),
	}
}

func (p *preferencesPayload) preferences() models.NotificationPreferences {
	return models.NotificationPreferences{
		Email: models.Channel(p.Email), Push: models.Channel(p.Push), SMS: models.Channel(p.SMS), Webhook: models.Channel(p.Webhook),
		Quiet: models.QuietHours(p.Quiet), Frequency: models.Frequency(p.Frequency),
	}
}

const selectPreferences = "SELECT settings, alerted_at, created_at, updated_at FROM notification_preferences WHERE user_id = ?"

func scanPreferences(row scanner) (models.NotificationPreferences, error) {
	var settings string
	var alerted, created, updated int64
	if err := row.Scan(&settings, &alerted, &created, &updated); err != nil {
		return models.NotificationPreferences{}, err
	}
	defaults := models.DefaultPreferences()
	payload := newPreferencesPayload(&defaults)
	if err := json.Unmarshal([]byte(settings), &payload); err != nil {
		return models.NotificationPreferences{}, fmt.Errorf("notification preferences: %w", err)
	}
	p := payload.preferences()
	p.AlertedAt, p.CreatedAt, p.UpdatedAt = orNever(alerted), fromMillis(created), fromMillis(updated)
	return p, nil
}

// Preferences are the user's notification preferences, or the defaults of who has
// stored none.
func (s *Store) Preferences(ctx context.Context, userID string) (models.NotificationPreferences, error) {
	p := models.DefaultPreferences()
	err := s.rows(ctx, s.r, selectPreferences, []any{userID}, func(row scanner) (err error) {
		p, err = scanPreferences(row)
		return err
	})
	return p, err
}

// Preferences is Store.Preferences of the transaction's user. They are read once,
// and only by a transaction that has something to tell.
func (tx *Tx) Preferences() (models.NotificationPreferences, error) {
	if tx.preferences != nil {
		return *tx.preferences, tx.failed
	}
	p := models.DefaultPreferences()
	err := tx.query(selectPreferences, []any{tx.user.ID}, func(row scanner) (err error) {
		p, err = scanPreferences(row)
		return err
	})
	if err == nil {
		tx.preferences = &p
	}
	return p, err
}

// SavePreferences stores the user's preferences.
func (tx *Tx) SavePreferences(p models.NotificationPreferences) error {
	tx.preferences = nil // read anew, in case an Attempt undoes this
	return save(tx, preferencesTable, []models.NotificationPreferences{p}, preferencesTable.overwrite(), func(p models.NotificationPreferences) []any {
		return []any{tx.user.ID, encoded(newPreferencesPayload(&p)), neverMillis(p.AlertedAt), p.CreatedAt.UnixMilli(), p.UpdatedAt.UnixMilli()}
	})
}

// neverMillis is 0 for the zero time, as orNever reads it.
func neverMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
