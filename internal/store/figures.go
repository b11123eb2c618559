package store

import (
	"expenseflow/internal/store/database"
)

// PoolStats are figures of the pools of connections.
type PoolStats = database.PoolStats

// PoolStats returns the figures of the pools.
func (s *Store) PoolStats() PoolStats { return s.db.PoolStats() }
