package store

import (
	"errors"
	"time"

	"gorm.io/gorm"
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

// beganKey is where a statement keeps the time at which it began.
type beganKey struct{}

// timeReads has the statements of db that read outside transactions observed.
func (s *Store) timeReads(db *gorm.DB) error {
	if s.opts.Observe == nil {
		return nil
	}
	begin := func(db *gorm.DB) {
		if _, inTransaction := db.Statement.ConnPool.(gorm.TxCommitter); !inTransaction {
			db.Statement.Settings.Store(beganKey{}, time.Now())
		}
	}
	end := func(db *gorm.DB) {
		if began, ok := db.Statement.Settings.LoadAndDelete(beganKey{}); ok {
			s.observe(Reading, began.(time.Time))
		}
	}
	on := db.Callback()
	return errors.Join(
		on.Query().Before("gorm:query").Register("store:begin", begin), on.Query().After("gorm:query").Register("store:end", end),
		on.Row().Before("gorm:row").Register("store:begin", begin), on.Row().After("gorm:row").Register("store:end", end),
	)
}
