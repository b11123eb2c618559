package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/pipeline"
	"expenseflow/models"

	driver "github.com/glebarez/go-sqlite"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// connectSQLite opens the file for this process alone: one connection writes,
// several read.
func (s *Store) connectSQLite(ctx context.Context) error {
	path, err := resolvePath(s.opts.URL)
	if err != nil {
		return fileProblem(path, err)
	}
	release, err := LockFile(path + ".lock")
	if err != nil {
		return fileProblem(path, err)
	}
	s.release = release
	if err = undoReplacement(path); err == nil {
		err = oneName(path)
	}
	if err == nil {
		err = ensureFile(ctx, path)
	}
	if err != nil {
		return errors.Join(fileProblem(path, err), release())
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
		return errors.Join(fileProblem(path, err), s.Close())
	}
	return nil
}

// resolvePath creates the file's folder if it is missing and returns the path without
// symbolic links, on which the lock must not depend.
func resolvePath(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return path, err
	}
	name, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return orDefault(name, path), err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(folder, filepath.Base(path)), err
}

// lockedFile takes the lock of a database's file, which may be missing, for whoever puts another
// in its place, and returns its path without symbolic links.
func lockedFile(url string) (path string, release func() error, err error) {
	if path, err = resolvePath(url); err != nil {
		return path, nil, fileProblem(path, err)
	}
	if release, err = LockFile(path + ".lock"); err != nil {
		return path, nil, fileProblem(path, err)
	}
	if err := undoReplacement(path); err != nil {
		return path, nil, errors.Join(fileProblem(path, err), release())
	}
	return path, release, nil
}

var (
	errEmpty   = errors.New("the file is empty")
	errDamaged = errors.New("the file is damaged")
	errLinked  = errors.New("the file has several names")
)

// ensureFile creates the file if it is missing, readable by its owner only, since it holds
// password hashes. A file of this name always is a complete database, so an empty one was
// truncated: it is refused, because with it no user would have an account any more. The
// caller must hold the lock: closing a file that SQLite has open in the same process
// releases SQLite's own locks.
func ensureFile(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return newFile(ctx, path)
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		err = errEmpty
	}
	return errors.Join(err, f.Close())
}

// newFile creates an empty database beside path and renames it. What a killed process left
// of one is overwritten.
func newFile(ctx context.Context, path string) error {
	fresh := path + ".new"
	for _, left := range []string{"-wal", "-shm"} {
		if err := os.Remove(fresh + left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	pool := sqlitePool(sqliteDSN(fresh, "FULL", "query_only(0)"), 1)
	err = pool.PingContext(ctx) // the pragmas of the DSN write its first page
	if err = errors.Join(err, pool.Close()); err != nil {
		return err
	}
	return os.Rename(fresh, path)
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
		return fmt.Errorf("%w: %s", errDamaged, found)
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
	writer := sqlitePool(sqliteDSN(path, s.opts.SQLiteSync, "query_only(0)"), 1)
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
	pool := sqlitePool(sqliteDSN(path, s.opts.SQLiteSync, "query_only(1)"), conns)
	pool.SetMaxIdleConns(idle)
	db, err := s.db.OpenGORM(sqlite.Dialector{Conn: pool})
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// sqliteDSN names the file and the pragmas. The path is
// escaped, for SQLite reads it as a URI.
func sqliteDSN(path, sync string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(1)",
		"journal_size_limit(67108864)", // a burst does not leave a large WAL file for ever
	}, pragmas...)}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func sqlitePool(dsn string, conns int) *sql.DB {
	pool, err := sql.Open(sqlite.DriverName, dsn)
	if err != nil {
		panic(err) // only if the driver were not registered
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool
}

// ErrInUse is in the error of Open for a SQLite file that another process has open.
var ErrInUse = errors.New("locked by another process")

var errLockLinked = errors.New("the lock is a symbolic link")

// lockProblem explains an error of LockFile.
func lockProblem(path string, err error) error {
	if info, lstat := os.Lstat(path); lstat != nil || info.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	msg := fmt.Sprintf("The lock file %s is a symbolic link, which this program does not make: remove it, and let nobody else write "+
		"to its folder", path)
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: errors.Join(errLockLinked, err)}
}

// fileProblem says in one sentence why the file cannot be used, and what to do.
func fileProblem(path string, err error) error {
	folder := nearest(filepath.Dir(path))
	msg := fmt.Sprintf("The database file %s cannot be opened", path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errLockLinked):
		return err
	case errors.Is(err, ErrInUse):
		msg = fmt.Sprintf("The database file %s is in use by another process: stop that one first, or use PostgreSQL for "+
			"several processes", path)
	case errors.Is(err, errEmpty):
		msg = fmt.Sprintf("The database file %s is empty, so it was cut off: restore a backup, or delete the file to "+
			"begin without any account", path)
	case errors.Is(err, errLinked):
		msg = fmt.Sprintf("The database file %s has several names (hard links), by which another process could open it: "+
			"leave it one name, and copy it with sqlite3 .backup instead", path)
	case errors.Is(err, errDamaged), code(err) == sqliteCorrupt:
		msg = fmt.Sprintf("The database file %s is damaged: restore a backup, or save what can be read with sqlite3 %s "+
			".recover", path, path)
	case errors.Is(err, syscall.EROFS):
		msg = fmt.Sprintf("The folder %s is on a read-only file system: choose another one for the database", folder)
	case errors.Is(err, fs.ErrPermission), code(err) == sqliteReadOnly, code(err) == sqlitePermission:
		msg = fmt.Sprintf("The folder %s cannot be written by this user: run chown -R %d:%d %s",
			folder, os.Getuid(), os.Getgid(), folder)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		msg = fmt.Sprintf("The folder %s cannot be made, for a part of its path is a file", folder)
	case errors.Is(err, syscall.EISDIR):
		msg = fmt.Sprintf("The database %s is a folder: name a file in it", path)
	case errors.Is(err, syscall.ENOSPC):
		msg = fmt.Sprintf("The disk of %s is full", folder)
	case code(err) == sqliteNotADatabase:
		msg = fmt.Sprintf("The file %s is not a SQLite database", path)
	}
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
}

// nearest is the folder, or what exists of the way to it.
func nearest(folder string) string {
	for folder != filepath.Dir(folder) {
		if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		folder = filepath.Dir(folder)
	}
	return folder
}

// Result codes of SQLite that opening a file may meet (sqlite.org/rescode.html).
const (
	sqlitePermission   = 3
	sqliteReadOnly     = 8
	sqliteCorrupt      = 11
	sqliteNotADatabase = 26
)

// code is SQLite's primary result code, or 0 for other errors.
func code(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}
