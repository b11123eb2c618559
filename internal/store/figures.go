package store

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// CountParked returns how many operations of all users are parked.
func (s *Store) CountParked(ctx context.Context) (int64, error) {
	return one[int64](s.read(ctx).Model(&operationRow{}).Select("COUNT(*)").Where("state = 'parked'"))
}

// PoolStats are figures of the pools of connections to the database, all together, since
// the database was opened. On SQLite the waits for the turn to write are among the waits.
type PoolStats struct {
	Max, Open, InUse, Idle int           // connections
	Waits                  int64         // how often a caller waited for a connection
	Waited                 time.Duration // and for how long in all
}

// PoolStats returns the figures of the pools.
func (s *Store) PoolStats() (all PoolStats) {
	seen := map[*sql.DB]bool{}
	for _, db := range []*gorm.DB{s.w, s.r, s.long} {
		pool, err := db.DB()
		if err != nil || seen[pool] {
			continue
		}
		seen[pool] = true
		all.add(pool.Stats())
	}
	if s.onSQLite() {
		waits, waited := s.queue.Waits()
		all.Waits, all.Waited = all.Waits+waits, all.Waited+waited
	}
	return all
}

func (p *PoolStats) add(s sql.DBStats) {
	p.Max += s.MaxOpenConnections
	p.Open += s.OpenConnections
	p.InUse += s.InUse
	p.Idle += s.Idle
	p.Waits += s.WaitCount
	p.Waited += s.WaitDuration
}

// MovesRead returns the position up to which the caller of Moves has read, "" before the
// first call.
func (s *Store) MovesRead() string {
	if read := s.followed.Load(); read != nil {
		return read.Position
	}
	return ""
}
