package database

import (
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// PoolStats are figures of the pools of connections to the database, all together, since
// the database was opened. On SQLite the waits for the turn to write are among the waits.
type PoolStats struct {
	Max, Open, InUse, Idle int           // connections
	Waits                  int64         // how often a caller waited for a connection
	Waited                 time.Duration // and for how long in all
}

// PoolStats returns the figures of the pools.
func (db *DB) PoolStats() (all PoolStats) {
	seen := map[*sql.DB]bool{}
	for _, connections := range []*gorm.DB{db.Writer, db.Reader, db.Long} {
		pool, err := connections.DB()
		if err != nil || seen[pool] {
			continue
		}
		seen[pool] = true
		all.add(pool.Stats())
	}
	if db.OnSQLite() {
		waits, waited := db.Queue.Waits()
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
