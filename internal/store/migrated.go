package store

import (
	"context"
	"fmt"
)

// Migrated tells whether the schema still has everything that this program
// brought about when it opened the database: an older backup may have been
// restored under it since. A newer process's additions are no harm. It asks the
// database each time; an error of the database is returned as it is.
func (s *Store) Migrated(ctx context.Context) error {
	p, err := s.migrations()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := p.ListSources()
	var live int64
	if err := s.one(ctx, s.r, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version", nil, &live); err != nil {
		return err
	}
	if ours := sources[len(sources)-1].Version; live < ours {
		return fmt.Errorf("the schema is of version %d, this program needs %d", live, ours)
	}
	return nil
}
