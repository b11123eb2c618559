// Package account views everything that an account has, as of one moment (View), and keeps its
// notification preferences.
package account

import (
	"context"

	"expenseflow/internal/store/database"
	"expenseflow/models"
)

// Views opens views of the accounts of a database.
type Views struct{ db *database.DB }

// New returns the views of a database.
func New(db *database.DB) Views { return Views{db} }

// Preferences returns the user's notification preferences, or the defaults of who has
// stored none.
func (a Views) Preferences(ctx context.Context, userID string) (models.NotificationPreferences, error) {
	return PreferencesOf(a.db.Read(ctx), userID)
}
