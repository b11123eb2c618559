// Package store keeps users, expenses, change logs and the offline queue in
// SQLite or PostgreSQL, through GORM, with one schema.
//
// What it promises:
//
//   - A write is one transaction that holds its user's row lock from the first
//     moment, in every process. So the writes of one user are serial, their
//     change sequence has no gap, commit order and sequence agree, and
//     LastSyncedAt grows strictly (docs/contract.md#delta-and-pull).
//   - Write's function may run again; what it did before is rolled back.
//   - Driver errors become models' errors here: data that the database refuses
//     is a DataError for ever, anything that may pass is models.Unavailable
//     (docs/contract.md#permanent-or-retryable). No other package inspects a driver's error.
//   - Both engines behave alike: times are whole milliseconds, amounts integers,
//     text with NUL characters or broken UTF-8 is refused by both.
//
// Every change carries the user whose log it is in, apart from the entity and
// its owner, so that a change of a shared expense can be appended to several
// logs; the rows of their users are then to be locked in the order of ids.
package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/keylock"
	"expenseflow/internal/store/access"
	"expenseflow/internal/store/account"
	"expenseflow/internal/store/database"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/entries"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/figures"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/processes"
	"expenseflow/models"
)

// A DataError says that the database refuses the data itself: trying again cannot help.
type DataError = dialect.DataError

// An AccountView reads everything that an account has, as of one moment.
type AccountView = account.View

// Options says which database to open and how.
type Options struct {
	// URL is a PostgreSQL URL (postgres:// or postgresql://); anything without
	// "://" is the path of a SQLite file, whose folder is made if it is missing.
	URL string

	// Logger gets migrations and transactions that had to run again; nil is
	// slog.Default.
	Logger *slog.Logger

	// MaxConns bounds PostgreSQL's pool, at least 2; 0 is 20. One more follows the logs (Moves). MaxReaders bounds the reading
	// connections of SQLite, beside twice as many for slow readers of long lists; 0 is 4.
	MaxConns, MaxReaders int

	// SQLiteSync is SQLite's synchronous pragma, FULL (the default: what was
	// acknowledged survives a power cut) or NORMAL (faster; survives the end of
	// the process only).
	SQLiteSync string

	// WriteTimeout bounds a transaction on PostgreSQL, from its first statement
	// to its commit; 0 is 30 s.
	WriteTimeout time.Duration

	// Zone is the time zone of accounts that have none of their own; nil is UTC.
	Zone *time.Location

	// FailoverLossless says that replication is synchronous: a promoted standby has
	// everything that was acknowledged, so no new epoch begins.
	FailoverLossless bool

	// EpochChanged is called, in a goroutine of its own, when a new epoch has begun since
	// the database was opened; may be nil.
	EpochChanged func(epoch string)

	// Observe is told how long each read outside transactions took until its first row, and
	// each transaction from its wait for the user's turn to its commit. It must not block;
	// nil tells nobody.
	Observe func(w Work, took time.Duration)

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// A Store is an open database. Its methods may be called concurrently.
type Store struct {
	access.Access         // who may see an expense
	entries.Entries       // what a user sees: lists, pages, histories
	account.Views         // everything that an account has
	operations.Operations // the offline queue
	*processes.Processes  // what processes that share the database tell each other
	*epoch.Epochs         // the lives of the database
	figures.Figures       // dashboards, analytics and how budgets stand

	opts      Options
	log       *slog.Logger
	db        *database.DB
	timeline  *epoch.Timeline
	userLocks keylock.Locks // on PostgreSQL: the writers of one user wait here, without a connection
	release   func() error  // unlocks the SQLite file; nil on PostgreSQL

	health writeHealth
	damage atomic.Pointer[damageError]

	closing sync.Once
	closed  error
}

// Open opens the database, brings its schema up to date under a lock that other
// processes respect, and checks it. Its error is one clear sentence for whoever
// starts the program (models.Message), naming what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.underMigrationLock(ctx, func() error { return s.Prepare(ctx) }); err != nil {
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
	o.MaxConns = max(2, orDefault(o.MaxConns, 20))
	o.MaxReaders = orDefault(o.MaxReaders, 4)
	o.SQLiteSync = orDefault(o.SQLiteSync, "FULL")
	o.WriteTimeout = orDefault(o.WriteTimeout, 30*time.Second)
	return o
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// newStore is a store without connections.
func newStore(o Options) *Store {
	s := &Store{opts: o.withDefaults()}
	s.log = s.opts.Logger
	s.db = &database.DB{URL: s.opts.URL, Now: s.opts.Now, Zone: s.opts.Zone}
	s.Access, s.Entries, s.Views = access.New(s.db), entries.New(s.db), account.New(s.db)
	s.Epochs = epoch.New(s.db, s.log, s.opts.EpochChanged)
	s.timeline = epoch.NewTimeline(s.Epochs, s.opts.WriteTimeout, s.opts.FailoverLossless)
	s.Processes = processes.New(s.db, s.log, s.timeline, s.opts.MaxConns)
	s.Operations, s.Figures = operations.New(s.db), figures.New(s.db)
	if s.opts.Observe != nil {
		s.db.ObserveRead = func(took time.Duration) { s.opts.Observe(Reading, took) }
	}
	return s
}

// connect opens the connections. It neither makes nor reads the schema.
func connect(ctx context.Context, o Options) (*Store, error) {
	s := newStore(o)
	url := s.opts.URL
	scheme, _, isURL := strings.Cut(url, "://")
	switch {
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		return s, s.connectPostgres(ctx)
	case isURL:
		return nil, models.E(models.Invalid, "DATABASE_URL must be a postgres:// URL or the path of a SQLite file, not "+scheme+"://")
	}
	return s, s.connectSQLite(ctx)
}

// Close closes the database. On SQLite, writes that have begun finish first.
func (s *Store) Close() error {
	s.closing.Do(func() {
		leave, _ := s.db.Enter(context.Background()) // which does not end
		defer leave()
		s.CloseMoves()
		s.closed = s.db.Close()
		if s.release != nil {
			s.closed = errors.Join(s.closed, s.release())
		}
	})
	return s.closed
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := find.One[int64](s.db.Read(ctx).Raw("SELECT 1"))
	return err
}

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.db.Name() }
