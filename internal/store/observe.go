package store

import (
	"time"

	"expenseflow/internal/store/database"
)

// Work is what the database is asked to do.
type Work uint8

// The kinds of Work.
const (
	Reading Work = iota // one statement outside a transaction
	Writing             // a transaction, and the wait for its turn
)

// observe tells Options.Observe how long work took that began then.
func (s *Store) observe(w Work, began time.Time) {
	if s.opts.Observe != nil {
		s.opts.Observe(w, time.Since(began))
	}
}

// PoolStats are figures of the pools of connections.
type PoolStats = database.PoolStats

// PoolStats returns the figures of the pools.
func (s *Store) PoolStats() PoolStats { return s.db.PoolStats() }
