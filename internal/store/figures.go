package store

import (
	"context"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
)

// CountParked returns how many operations of all users are parked.
func (s *Store) CountParked(ctx context.Context) (int64, error) {
	return find.One[int64](s.db.Read(ctx).Model(&operationRow{}).Select("COUNT(*)").Where("state = 'parked'"))
}

// PoolStats are figures of the pools of connections.
type PoolStats = database.PoolStats

// PoolStats returns the figures of the pools.
func (s *Store) PoolStats() PoolStats { return s.db.PoolStats() }

// MovesRead returns the position up to which the caller of Moves has read, "" before the
// first call.
func (s *Store) MovesRead() string {
	if read := s.followed.Load(); read != nil {
		return read.Position
	}
	return ""
}
