// Package store keeps users, expenses, change logs and the offline queue in
// SQLite or PostgreSQL, through GORM, with one schema.
//
// What it promises:
//
//   - A write is one transaction that holds its user's row lock from the first
//     moment, in every process. So the writes of one user are serial, their
//     change sequence has no gap, commit order and sequence agree, and
//     LastSyncedAt grows strictly (docs/contract.md#delta-and-pull).
//   - Write's function may run again; what it did before is undone completely.
//   - Driver errors become models' errors here: data that the database refuses
//     is a DataError for ever, anything that may pass is models.Unavailable
//     (docs/contract.md#permanent-or-retryable). Nothing above looks at a driver's error.
//   - Both engines behave alike: times are whole milliseconds, amounts integers,
//     text with NUL characters or broken UTF-8 is refused by both.
//
// Every change carries the user whose log it is in, apart from the entity and
// its owner, so that a change of a shared expense can be appended to several
// logs; the rows of their users are then to be locked in the order of ids.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/fair"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Options says which database to open and how.
type Options struct {
	// URL is a PostgreSQL URL (postgres:// or postgresql://); anything without
	// "://" is the path of a SQLite file, whose folder is made if it is missing.
	URL string

	// Logger hears of migrations and of transactions that had to run again;
	// nil is slog.Default.
	Logger *slog.Logger

	// MaxConns bounds PostgreSQL's pool, at least 2; 0 is 20. MaxReaders bounds the reading
	// connections of SQLite, beside twice as many for slow readers of long lists; 0 is 4.
	MaxConns, MaxReaders int

	// SQLiteSync is SQLite's synchronous pragma, FULL (the default: what was
	// acknowledged survives a power cut) or NORMAL (faster; survives the end of
	// the process only).
	SQLiteSync string

	// WriteTimeout bounds a transaction on PostgreSQL, from its first statement
	// to its commit; 0 is 30 s.
	WriteTimeout time.Duration

	// Zone is where the days of accounts begin that have no zone of their own; nil
	// is UTC.
	Zone *time.Location

	// FailoverLossless says that a standby which is promoted has everything that was
	// acknowledged (synchronous replication), so that no new epoch begins.
	FailoverLossless bool

	// EpochChanged hears, in a goroutine of its own, of an epoch that has begun since the
	// database was opened; nil hears nothing.
	EpochChanged func(epoch string)

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// BeforeCommit is asked when a transaction has done all but commit; its error,
	// or its panic, takes everything back. It is for those who simulate trouble,
	// and nil in service.
	BeforeCommit func() error
}

// A Store is an open database. Its methods may be called concurrently.
type Store struct {
	opts      Options
	log       *slog.Logger
	d         dialect
	w, r      *gorm.DB     // w writes; on SQLite it is one connection
	long      *gorm.DB     // for streams; on PostgreSQL it is r
	line      *line        // on SQLite: where writers wait for w. nil on PostgreSQL
	turns     turns        // on PostgreSQL: where the writers of one user wait
	longReads *fair.Pool   // the places for long reads, by user
	release   func() error // gives up the SQLite file; nil on PostgreSQL

	writes writes
	damage atomic.Pointer[damageError]

	prepared       atomic.Bool  // the schema is there
	outdated       atomic.Int64 // connections to PostgreSQL from before this moment, in ns since 1970, are not used
	timeline       atomic.Value // string: PostgreSQL's, as it was last seen
	timelineHidden sync.Once
	epoch          atomic.Value // string
	began          atomic.Int64 // when the epoch did (readEpoch), in milliseconds since 1970

	closing sync.Once
	closed  error
}

// Open opens the database, brings its schema up to date under a lock that other
// processes respect, and checks it. Its error is one clear sentence for whoever
// starts the program (models.Message), naming what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{opts: o.withDefaults(), turns: turns{of: map[string]*turn{}}}
	s.log = s.opts.Logger
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	if err := s.alone(ctx, func() error { return s.prepare(ctx) }); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.BeforeCommit == nil {
		o.BeforeCommit = func() error { return nil }
	}
	o.MaxConns = max(2, orDefault(o.MaxConns, 20))
	o.MaxReaders = orDefault(o.MaxReaders, 4)
	o.SQLiteSync = orDefault(o.SQLiteSync, "FULL")
	o.WriteTimeout = orDefault(o.WriteTimeout, 30*time.Second)
	return o
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func (s *Store) connect(ctx context.Context) error {
	url := s.opts.URL
	scheme, _, isURL := strings.Cut(url, "://")
	switch {
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		return s.connectPostgres(ctx)
	case isURL:
		return models.E(models.Invalid, "DATABASE_URL must be a postgres:// URL or the path of a SQLite file, not "+scheme+"://")
	}
	return s.connectSQLite(ctx)
}

// prepare migrates, checks the schema and makes the epoch.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.checkSchema(ctx); err != nil {
		return err
	}
	if err := s.ensureEpoch(ctx); err != nil {
		return err
	}
	defer s.prepared.Store(true)
	return s.openTimeline(ctx)
}

// Close gives the database up. On SQLite, writes that have begun finish first.
func (s *Store) Close() error {
	s.closing.Do(func() {
		leave, _ := s.enter(context.Background()) // which does not end
		defer leave()
		s.closed = errors.Join(closePool(s.long), closePool(s.r), closePool(s.w))
		if s.release != nil {
			s.closed = errors.Join(s.closed, s.release())
		}
	})
	return s.closed
}

// connection is one of db's pool, for whoever must know which. Its errors are the
// driver's.
func connection(ctx context.Context, db *gorm.DB) (*sql.Conn, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	return pool.Conn(ctx)
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

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.one(ctx, s.r, "SELECT 1", nil, &one)
}

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.d.name() }

// one reads a single row into dest; models.NotFound if there is none.
func (s *Store) one(ctx context.Context, db *gorm.DB, query string, args []any, dest ...any) error {
	row := db.Statement.ConnPool.QueryRowContext(ctx, s.d.sql(query), args...)
	return fail(s.d, row.Scan(dest...))
}

// rows calls fn with each row. A row that cannot be scanned ends it.
func (s *Store) rows(ctx context.Context, db *gorm.DB, query string, args []any, fn func(scanner) error) error {
	rows, err := db.Statement.ConnPool.QueryContext(ctx, s.d.sql(query), args...)
	if err != nil {
		return fail(s.d, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return fail(s.d, err)
		}
	}
	return fail(s.d, rows.Err())
}

// exec runs one statement outside transactions and tells how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	done, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	return affected(ctx, s.d, s.w, query, args)
}

func affected(ctx context.Context, d dialect, db *gorm.DB, query string, args []any) (int64, error) {
	result, err := db.Statement.ConnPool.ExecContext(ctx, d.sql(query), args...)
	if err != nil {
		return 0, fail(d, err)
	}
	n, err := result.RowsAffected()
	return n, fail(d, err)
}

// enter waits for the writing connection of SQLite, in order of arrival.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	if s.line == nil {
		return func() {}, nil
	}
	if _, err := s.line.enter(ctx, false); err != nil {
		return nil, err
	}
	return func() { s.line.leave(nil) }, nil
}
