// Package figures computes what a page shows in sums: dashboards, analytics, and how budgets
// stand.
//
// It reads the sums of days, which are written with each change of an expense (DailyTotal), as
// many rows as there are days and categories and however many entries there are. What belongs
// together is read at one moment. Reads that may be long are long reads (database.DB.LongRead).
package figures

import (
	"context"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Figures computes the figures of a database.
type Figures struct{ db *database.DB }

// New returns the figures of a database.
func New(db *database.DB) Figures { return Figures{db} }

// A snapshot reads with several statements what is true at one moment.
type snapshot struct {
	f  Figures
	db *gorm.DB
}

func (f Figures) snapshot(ctx context.Context, fn func(*snapshot) error) error {
	return f.db.Snapshot(ctx, func(db *gorm.DB) error { return fn(&snapshot{f, db}) })
}

// longSnapshot is snapshot as a long read; fn returns how many rows it read.
func (f Figures) longSnapshot(ctx context.Context, userID string, fn func(*snapshot) (int64, error)) error {
	return f.db.LongSnapshot(ctx, userID, func(db *gorm.DB) (int64, error) { return fn(&snapshot{f, db}) })
}

// user is the user of this id at the snapshot's moment; models.NotFound if they are gone.
func (v *snapshot) user(id string) (models.User, error) { return find.User(v.db, "id = ?", id) }
