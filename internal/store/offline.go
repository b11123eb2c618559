package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/pipeline"
	"expenseflow/internal/store/processes"
	"expenseflow/internal/store/rows"
	"expenseflow/internal/store/sqlitefile"
	"expenseflow/models"

	"github.com/glebarez/sqlite"
)

// The functions of this file are for package transfer, which copies and replaces whole databases.

// Connect opens the connections to a database. It neither makes nor reads the schema.
func Connect(ctx context.Context, o Options) (*Store, error) { return connect(ctx, o) }

// OpenFile opens a SQLite file that is there, and logs nothing. It neither makes nor reads the
// schema. The caller must hold the file's lock, or nobody else knows of the file.
func OpenFile(ctx context.Context, o Options, path string) (*Store, error) {
	o.Observe, o.EpochChanged, o.Logger = nil, nil, slog.New(slog.DiscardHandler)
	s := newStore(o)
	return s, s.useFile(ctx, path)
}

// OpenUnchanging opens a SQLite file that nobody writes, to read it without locks and files
// beside it.
func OpenUnchanging(path string) (*Store, error) {
	name := url.URL{
		Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: "mode=ro&immutable=1",
	}
	pool := sqlitefile.Pool(name.String(), 1)
	s := newStore(Options{})
	s.db.Dialect = dialect.SQLite{}
	s.db.Queue = pipeline.NewCommitQueue(func() pipeline.Connection { return &sqliteConnection{s: s} }, 0)
	db, err := s.db.OpenGORM(sqlite.Dialector{Conn: pool})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	s.db.Writer, s.db.Reader = db, db
	return s, nil
}

// MakeSchema brings the schema up to date and checks it. Unlike Open it begins no epoch.
func (s *Store) MakeSchema(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.checkSchema(ctx)
}

// Prepare is what Open does with a database that is connected, without the lock of migrations.
func (s *Store) Prepare(ctx context.Context) error {
	if err := s.MakeSchema(ctx); err != nil {
		return err
	}
	if err := s.EnsureEpoch(ctx); err != nil {
		return err
	}
	return s.timeline.Open(ctx)
}

// Database returns the connections.
func (s *Store) Database() *database.DB { return s.db }

// Tables returns a row of each table that both databases have, ProcessTables of those that
// PostgreSQL has besides, for processes that share it.
func Tables() []any { return rowTypes }

// ProcessTables is described with Tables.
func ProcessTables() []any { return processRowTypes }

// Alone runs fn while no server uses the database, or refuses.
func (s *Store) Alone(ctx context.Context, fn func() error) error {
	return s.underMigrationLock(ctx, func() error {
		if s.db.OnSQLite() {
			return fn() // the file is locked
		}
		columns, err := s.describe(ctx, rows.Of(processes.Row{}).Name)
		if err != nil {
			return err
		}
		if len(columns) == 0 {
			return fn() // there is no schema yet
		}
		living, err := processes.Living(s.db.Read(ctx))
		if err != nil {
			return err
		}
		if len(living) > 0 {
			return models.E(models.Conflict, fmt.Sprintf("A server uses the database (%s): stop all servers first; one that was killed "+
				"counts for %v more", living[0].URL, models.ProcessDeadAfter))
		}
		return fn()
	})
}
