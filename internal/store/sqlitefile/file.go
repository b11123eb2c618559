// Package sqlitefile is the file of a SQLite database as a file: its path and lock, how it is
// made, checked and replaced by another one, how it is opened, and in one sentence what is wrong
// with it.
package sqlitefile

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/glebarez/sqlite"
)

// Resolve creates the file's folder if it is missing and returns the path without
// symbolic links, on which the lock must not depend.
func Resolve(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return path, err
	}
	name, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(name, path), err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(folder, filepath.Base(path)), err
}

// Locked takes the lock of a database's file, which may be missing, for whoever puts another
// in its place, and returns its path without symbolic links.
func Locked(url string) (path string, release func() error, err error) {
	if path, err = Resolve(url); err != nil {
		return path, nil, Problem(path, err)
	}
	if release, err = Lock(path + ".lock"); err != nil {
		return path, nil, Problem(path, err)
	}
	if err := UndoReplacement(path); err != nil {
		return path, nil, errors.Join(Problem(path, err), release())
	}
	return path, release, nil
}

// ErrDamaged is in the error for a file of which a check finds that it is damaged.
var ErrDamaged = errors.New("the file is damaged")

var (
	errEmpty  = errors.New("the file is empty")
	errLinked = errors.New("the file has several names")
)

// Ensure creates the file if it is missing, readable by its owner only, since it holds
// password hashes. A file of this name always is a complete database, so an empty one was
// truncated: it is refused, because with it no user would have an account any more. The
// caller must hold the lock: closing a file that SQLite has open in the same process
// releases SQLite's own locks.
func Ensure(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return New(ctx, path)
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

// New creates an empty database beside path and renames it. What a killed process left
// of one is overwritten.
func New(ctx context.Context, path string) error {
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
	pool := Pool(DSN(fresh, "FULL", "query_only(0)"), 1)
	err = pool.PingContext(ctx) // the pragmas of the DSN write its first page
	if err = errors.Join(err, pool.Close()); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// DSN names the file and the pragmas. The path is
// escaped, for SQLite reads it as a URI.
func DSN(path, sync string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(1)",
		"journal_size_limit(67108864)", // a burst does not leave a large WAL file for ever
	}, pragmas...)}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

// Pool is a pool of so many connections, which are kept open.
func Pool(dsn string, conns int) *sql.DB {
	pool, err := sql.Open(sqlite.DriverName, dsn)
	if err != nil {
		panic(err) // only if the driver were not registered
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool
}
