// Package transfer copies whole databases: a SQLite file by its pages and PostgreSQL by a dump of
// one moment, for backups; a backup back into the place of a database; and a database into an
// empty one of the other kind.
//
// What a database holds is said by its Summary, with which every copy is compared. Whatever
// replaces a database leaves the one of before until the new one is whole, and never loses it.
package transfer

import (
	"context"

	"expenseflow/internal/store"

	"gorm.io/gorm"
)

// A snapshot reads with several statements what is true at one moment.
type snapshot struct {
	s  *store.Store
	db *gorm.DB
}

// inSnapshot runs fn with what a database is at one moment (database.DB.Snapshot).
func inSnapshot(ctx context.Context, s *store.Store, fn func(*snapshot) error) error {
	return s.Database().Snapshot(ctx, func(db *gorm.DB) error { return fn(&snapshot{s, db}) })
}
