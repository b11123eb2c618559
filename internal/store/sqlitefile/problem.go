package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"expenseflow/models"

	driver "github.com/glebarez/go-sqlite"
)

// ErrInUse is in the error of Open for a SQLite file that another process has open.
var ErrInUse = errors.New("locked by another process")

var errLockLinked = errors.New("the lock is a symbolic link")

// lockProblem explains an error of Lock.
func lockProblem(path string, err error) error {
	if info, lstat := os.Lstat(path); lstat != nil || info.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	msg := fmt.Sprintf("The lock file %s is a symbolic link, which this program does not make: remove it, and let nobody "+
		"else write to its folder", path)
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: errors.Join(errLockLinked, err)}
}

// Problem says in one sentence why the file cannot be used, and what to do.
func Problem(path string, err error) error {
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
	case errors.Is(err, ErrDamaged), Code(err) == Corrupt:
		msg = fmt.Sprintf("The database file %s is damaged: restore a backup, or save what can be read with sqlite3 %s "+
			".recover", path, path)
	case errors.Is(err, syscall.EROFS):
		msg = fmt.Sprintf("The folder %s is on a read-only file system: choose another one for the database", folder)
	case errors.Is(err, fs.ErrPermission), Code(err) == readOnly, Code(err) == permission:
		msg = fmt.Sprintf("The folder %s cannot be written by this user: run chown -R %d:%d %s",
			folder, os.Getuid(), os.Getgid(), folder)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		msg = fmt.Sprintf("The folder %s cannot be made, for a part of its path is a file", folder)
	case errors.Is(err, syscall.EISDIR):
		msg = fmt.Sprintf("The database %s is a folder: name a file in it", path)
	case errors.Is(err, syscall.ENOSPC):
		msg = fmt.Sprintf("The disk of %s is full", folder)
	case Code(err) == NotADatabase:
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
	permission = 3
	readOnly   = 8

	Corrupt      = 11 // the file is damaged
	NotADatabase = 26 // the file is something else
)

// Code is SQLite's primary result code, or 0 for other errors.
func Code(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}
