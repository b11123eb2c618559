// Package database is an open database without its tables: its connections, one that writes and
// others for short and for long reads, and statements outside transactions.
//
// Every error is one of models' (dialect.Fail). Text that PostgreSQL refuses is refused by SQLite
// too. Whoever reads for long has a few places at a time and connections that nobody else waits
// for (LongRead).
package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"expenseflow/internal/fair"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/pipeline"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A DB is an open database. Its fields are set when it is opened and only read afterwards.
type DB struct {
	dialect.Dialect

	URL string // as it was opened by, with its password

	Writer *gorm.DB // on SQLite it is one connection
	Reader *gorm.DB // for short reads; on PostgreSQL it is Writer, as is Long
	Long   *gorm.DB // for long reads

	// Queue is where the writers of SQLite wait for Writer; nil on PostgreSQL.
	Queue *pipeline.CommitQueue

	// Now is the clock, and Zone the time zone of accounts that have none of their own.
	Now  func() time.Time
	Zone *time.Location

	// ObserveRead is told how long each read outside transactions took until its first row. It
	// must not block; nil tells nobody.
	ObserveRead func(took time.Duration)

	longReads     *fair.Pool // the places for long reads, by user
	listingPlaces *fair.Pool // the places for long listings, by user
}

// OnSQLite reports whether the database is SQLite. There one process has the file, and its
// writers share one connection and the commit queue; nobody else migrates it, begins an epoch
// or puts another file in its place. On PostgreSQL there may be other processes: each writer
// has a connection and a transaction, migrations take a lock, and epoch and timeline are
// followed.
func (db *DB) OnSQLite() bool { return db.Queue != nil }

// Fail turns a driver's error into one of models' (dialect.Fail).
func (db *DB) Fail(err error) error { return dialect.Fail(db.Dialect, err) }

// Read is GORM on the connections for short reads.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.Reader.WithContext(ctx) }

// Write runs one statement outside transactions, in turn with other writers, and returns
// how many rows it changed.
func (db *DB) Write(ctx context.Context, statement func(*gorm.DB) *gorm.DB) (int64, error) {
	leave, err := db.Enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	done := statement(db.Writer.WithContext(ctx))
	return done.RowsAffected, done.Error
}

// Enter waits for the writing connection of SQLite, in order of arrival.
func (db *DB) Enter(ctx context.Context) (leave func(), err error) {
	if !db.OnSQLite() {
		return func() {}, nil
	}
	leave, err = db.Queue.Alone(ctx)
	return leave, db.Fail(err)
}

// ZoneOf is where the days of a user's account begin.
func (db *DB) ZoneOf(u *models.User) *time.Location { return u.Zone(db.Zone) }

// Today is the present day in the zone of a user's account.
func (db *DB) Today(u *models.User) models.Day { return models.DayOf(db.Now(), db.ZoneOf(u)) }

// Close closes the connections.
func (db *DB) Close() error {
	return errors.Join(closePool(db.Long), closePool(db.Reader), closePool(db.Writer))
}

func closePool(db *gorm.DB) error {
	if db == nil {
		return nil
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// Connection is one of db's pool, for whoever must know which. Its errors are the driver's.
func Connection(ctx context.Context, db *gorm.DB) (*sql.Conn, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	return pool.Conn(ctx)
}

// A WritingConn is a connection to PostgreSQL inside a transaction that writes. Reads on it are
// not observed.
type WritingConn struct{ *sql.Conn }
