package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/pipeline"
	"expenseflow/internal/store/sqlitefile"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// connectSQLite opens the file for this process alone: one connection writes,
// several read.
func (s *Store) connectSQLite(ctx context.Context) error {
	path, err := sqlitefile.Resolve(s.opts.URL)
	if err != nil {
		return sqlitefile.Problem(path, err)
	}
	release, err := sqlitefile.Lock(path + ".lock")
	if err != nil {
		return sqlitefile.Problem(path, err)
	}
	s.release = release
	if err = sqlitefile.UndoReplacement(path); err == nil {
		err = sqlitefile.OneName(path)
	}
	if err == nil {
		err = sqlitefile.Ensure(ctx, path)
	}
	if err != nil {
		return errors.Join(sqlitefile.Problem(path, err), release())
	}
	return s.useFile(ctx, path)
}

// useFile opens a file that is there. The caller must hold its lock.
func (s *Store) useFile(ctx context.Context, path string) error {
	s.db.Dialect = dialect.SQLite{Damaged: s.damagedBy}
	s.db.Queue = pipeline.NewCommitQueue(func() pipeline.Connection { return &sqliteConnection{s: s} }, pipeline.MaxBatchDelay)
	s.db.LimitLongReads(s.longConns())
	err := s.openSQLite(ctx, path)
	if err == nil {
		err = s.checkFile(ctx, path)
	}
	if err != nil {
		return errors.Join(sqlitefile.Problem(path, err), s.Close())
	}
	return nil
}

// How long the check of the file may take when it is opened, and after how long it is
// logged.
const (
	checkAtMost = 20 * time.Second
	checkQuiet  = time.Second
)

// checkFile checks the file for damage before it is used. A file that is too large to be
// checked in time is used unchecked.
func (s *Store) checkFile(ctx context.Context, path string) error {
	began := time.Now()
	slow := time.AfterFunc(checkQuiet, func() {
		s.log.InfoContext(ctx, "looking for damage in the database file",
			slog.String("file", path), slog.Duration("at_most", checkAtMost))
	})
	defer slow.Stop()
	limited, cancel := context.WithTimeout(ctx, checkAtMost)
	defer cancel()
	found, err := find.One[string](s.db.Read(limited).Raw("PRAGMA quick_check(1)"))
	switch {
	case limited.Err() != nil && ctx.Err() == nil:
		s.log.WarnContext(ctx, "the database file was not looked through to its end for damage",
			slog.Duration("took", time.Since(began)))
		return nil
	case err == nil && found == "ok":
		return nil
	case err == nil:
		return fmt.Errorf("%w: %s", sqlitefile.ErrDamaged, found)
	}
	return err
}

// A damageError is an error of SQLite that means that the file is damaged.
type damageError struct{ error }

// damagedBy records an error of SQLite that means that the file is damaged.
func (s *Store) damagedBy(err error) {
	if s.damage.CompareAndSwap(nil, &damageError{err}) {
		s.log.Error("the database file is damaged: stop the program and restore a backup", slog.Any("error", err))
	}
}

// Intact returns an error if damage of the SQLite file was found since it was opened. It
// stays until an intact file is opened.
func (s *Store) Intact() error {
	if d := s.damage.Load(); d != nil {
		return dialect.Unavailable(d)
	}
	return nil
}

func (s *Store) openSQLite(ctx context.Context, path string) (err error) {
	writer := sqlitefile.Pool(sqlitefile.DSN(path, s.opts.SQLiteSync, "query_only(0)"), 1)
	if s.db.Writer, err = s.db.OpenGORM(sqlite.Dialector{Conn: writer}); err != nil {
		return errors.Join(err, writer.Close())
	}
	if err = writer.PingContext(ctx); err != nil {
		return err
	}
	if s.db.Reader, err = s.readers(path, s.opts.MaxReaders, s.opts.MaxReaders); err != nil {
		return err
	}
	s.db.Long, err = s.readers(path, s.longConns(), 1)
	return err
}

// longConns is how many connections there are for long reads.
func (s *Store) longConns() int { return 2 * s.opts.MaxReaders }

// readers is a pool of reading connections, of which idle are kept.
func (s *Store) readers(path string, conns, idle int) (*gorm.DB, error) {
	pool := sqlitefile.Pool(sqlitefile.DSN(path, s.opts.SQLiteSync, "query_only(1)"), conns)
	pool.SetMaxIdleConns(idle)
	db, err := s.db.OpenGORM(sqlite.Dialector{Conn: pool})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// ErrInUse is in the error of Open for a SQLite file that another process has open.
var ErrInUse = sqlitefile.ErrInUse
