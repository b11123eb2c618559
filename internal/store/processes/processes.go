// Package processes has what server processes that share a database tell each other: which of
// them live, whose logs have moved, and who is present in them; and the rooms of pages, which a
// page finds again in another process.
//
// The tables of processes, moves and presence are on PostgreSQL alone: nobody else has a SQLite
// file open, and there moves are noted in memory (NoteMoves).
package processes

import (
	"log/slog"
	"sync/atomic"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Processes is one process's part in it.
type Processes struct {
	db       *database.DB
	log      *slog.Logger
	timeline *epoch.Timeline
	maxConns int // of the pool

	noted    moveNotes                         // on SQLite: whose logs have moved
	reader   moveReader                        // on PostgreSQL
	followed atomic.Pointer[models.MoveCursor] // up to which the caller of Moves has read; nil before
	member   atomic.Pointer[string]            // the id of this process; nil before Heartbeat
	untidy   atomic.Bool                       // the last heartbeat could not remove what it removes
}

// New returns the part of this process in a database, whose pool has so many connections.
func New(db *database.DB, log *slog.Logger, timeline *epoch.Timeline, maxConns int) *Processes {
	return &Processes{db: db, log: log, timeline: timeline, maxConns: maxConns}
}

// Living returns the processes that live, in the order of their ids.
func Living(session *gorm.DB) ([]models.Member, error) {
	found, err := find.All[Row](session.Where(isLiving).Order("id"))
	return find.Mapped(found, Row.member), err
}

// NoteMoves notes on SQLite that these users' logs have moved.
func (p *Processes) NoteMoves(users []string) { p.noted.add(users) }

// CloseMoves closes the connection on which Moves reads.
func (p *Processes) CloseMoves() { p.reader.close() }

// MovesRead returns the position up to which the caller of Moves has read, "" before the
// first call.
func (p *Processes) MovesRead() string {
	if read := p.followed.Load(); read != nil {
		return read.Position
	}
	return ""
}
