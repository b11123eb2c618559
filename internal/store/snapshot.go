package store

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A snapshot reads with several statements what is true at one moment (database.DB.Snapshot).
type snapshot struct {
	s  *Store
	db *gorm.DB
}

func (s *Store) snapshot(ctx context.Context, fn func(*snapshot) error) error {
	return s.db.Snapshot(ctx, func(db *gorm.DB) error { return fn(&snapshot{s, db}) })
}

func (s *Store) longSnapshot(ctx context.Context, userID string, fn func(*snapshot) (int64, error)) error {
	return s.db.LongSnapshot(ctx, userID, func(db *gorm.DB) (int64, error) { return fn(&snapshot{s, db}) })
}

// user is the user of this id at the snapshot's moment; models.NotFound if they are gone.
func (v *snapshot) user(id string) (models.User, error) { return find.User(v.db, "id = ?", id) }
