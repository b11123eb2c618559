package store

import (
	"context"

	"expenseflow/internal/store/find"
)

// Installation names the database for as long as it exists, in any epoch. Processes that
// share it find each other by this name where others meet too, such as in Redis. A copy of
// the database has the same name.
//
// The table meta keeps it as 'installation'.
func (s *Store) Installation(ctx context.Context) (string, error) {
	if _, err := s.addMeta(ctx, metaRow{"installation", randomEpoch()}); err != nil {
		return "", err
	}
	row, err := find.One[metaRow](s.db.Read(ctx).Where("key = 'installation'"))
	return row.Value, err
}
