// Package backup writes backups of a database into a folder, and puts one back in its place.
//
// What it promises:
//
//   - A file with the name of a backup is whole: it was written under another name, synced to
//     disk, read again from its first byte to its last, compared with what the database held at
//     that moment, and renamed. A full disk and a killed process leave none that only looks so.
//   - Names sort by the moment of which the backup is. Prune removes nothing but files of such
//     names, which Take alone gives, and only after a newer one was verified.
//   - What a killed process left is removed by the next one. Two never write into one folder at
//     a time.
//   - A backup can be read by its owner alone (mode 0600): it has the hashes of passwords.
//   - An error is one sentence that says what to do.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/sqlitefile"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

// A Source makes and reads backups of one kind of database.
type Source interface {
	// Suffix is how the names of its backups end, such as ".db".
	Suffix() string
	// Write creates the file of a backup, and returns of which moment it is and what the database
	// held then.
	Write(ctx context.Context, path string) (of time.Time, held transfer.Summary, err error)
	// Inspect reads a whole backup, and returns what it holds.
	Inspect(ctx context.Context, path string) (transfer.Summary, error)
}

// A Backup is a file that was written and verified.
type Backup struct {
	Path  string           `json:"path"`
	Bytes int64            `json:"bytes"`
	Of    time.Time        `json:"of"` // the moment of which it is
	Held  transfer.Summary `json:"held"`
}

const (
	prefix    = "expenseflow-"
	stamp     = "2006-01-02T150405Z" // of UTC; without colons, which some file systems refuse
	unnamed   = ".partial"           // ends the name of a file that is not verified
	lockName  = ".expenseflow-backup.lock"
	ownerOnly = 0o600
)

var (
	named   = regexp.MustCompile(`^expenseflow-(\d{4}-\d\d-\d\dT\d{6}Z)(\.db|\.dump)$`)
	partial = regexp.MustCompile(`^\.expenseflow-\d+\.(db|dump)\.partial(-journal|-wal|-shm)?$`)
)

// Take writes a backup into the folder, which it makes if it is missing.
func Take(ctx context.Context, folder string, source Source) (b Backup, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return b, folderProblem(folder, err)
	}
	release, err := sqlitefile.Lock(filepath.Join(folder, lockName))
	if err != nil {
		return b, folderProblem(folder, err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := removeMatching(folder, partial); err != nil {
		return b, folderProblem(folder, err)
	}
	path := filepath.Join(folder, fmt.Sprintf(".%s%d%s%s", prefix, os.Getpid(), source.Suffix(), unnamed))
	b, err = write(ctx, path, source)
	if err == nil {
		b.Path, err = publish(path, folder, b.Of, source.Suffix())
	}
	if err != nil {
		_ = removeMatching(folder, partial) // the next one does, if this cannot
		return b, folderProblem(folder, err)
	}
	return b, nil
}

// write writes a backup and verifies it.
func write(ctx context.Context, path string, source Source) (b Backup, err error) {
	if b.Of, b.Held, err = source.Write(ctx, path); err != nil {
		return b, err
	}
	if err := sqlitefile.SyncToDisk(path); err != nil {
		return b, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return b, err
	}
	b.Bytes = info.Size()
	found, err := source.Inspect(ctx, path)
	if err != nil {
		return b, err
	}
	if d := b.Held.Difference(found); d != "" {
		return b, models.E(models.Unavailable, "What was written is not what the database holds, "+d+": no backup was kept, try again")
	}
	return b, nil
}

// publish gives a verified file the name of its moment: the next second that is free.
func publish(path, folder string, of time.Time, suffix string) (string, error) {
	for at := of.UTC(); ; at = at.Add(time.Second) {
		final := filepath.Join(folder, prefix+at.Format(stamp)+suffix)
		if _, err := os.Lstat(final); errors.Is(err, fs.ErrNotExist) {
			return final, errors.Join(os.Rename(path, final), sqlitefile.SyncToDisk(folder))
		} else if err != nil {
			return "", err
		}
	}
}

// removeMatching removes the files of a folder whose names match.
func removeMatching(folder string, name *regexp.Regexp) error {
	files, err := os.ReadDir(folder)
	for _, f := range files {
		if name.MatchString(f.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(folder, f.Name())))
		}
	}
	return err
}

// list returns the backups with a suffix, the oldest first.
func list(folder, suffix string) (names []string, err error) {
	files, err := os.ReadDir(folder)
	for _, f := range files {
		if m := named.FindStringSubmatch(f.Name()); m != nil && m[2] == suffix && f.Type().IsRegular() {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

// Prune removes the oldest backups of a source until keep are left, and returns their names.
func Prune(folder string, source Source, keep int) (removed []string, err error) {
	names, err := list(folder, source.Suffix())
	if err != nil {
		return nil, folderProblem(folder, err)
	}
	for _, name := range names[:max(0, len(names)-keep)] {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			return removed, folderProblem(folder, err)
		}
		removed = append(removed, name)
	}
	return removed, nil
}

// Newest returns the moment of the newest backup of a source in the folder; the zero time if
// there is none.
func Newest(folder string, source Source) time.Time {
	names, _ := list(folder, source.Suffix()) // a folder that cannot be read is met by Take
	if len(names) == 0 {
		return time.Time{}
	}
	at, _ := time.Parse(stamp, named.FindStringSubmatch(names[len(names)-1])[1])
	return at
}

// folderProblem says in one sentence why a folder cannot be written to, and what to do.
func folderProblem(folder string, err error) error {
	var msg string
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		msg = fmt.Sprintf("The disk of %s is full: free some, or choose another folder with --to; no backup was kept", folder)
	case errors.Is(err, store.ErrInUse):
		msg = fmt.Sprintf("Another expenseflow backup writes into %s now: wait for it, or choose another folder with --to", folder)
	case errors.Is(err, fs.ErrPermission):
		msg = fmt.Sprintf("The folder %s cannot be written by this user: run chown -R %d:%d %s",
			folder, os.Getuid(), os.Getgid(), folder)
	case errors.Is(err, syscall.EROFS):
		msg = fmt.Sprintf("The folder %s is on a read-only file system: choose another one with --to", folder)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		msg = fmt.Sprintf("The folder %s cannot be made, for a part of its path is a file", folder)
	default:
		return err
	}
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
}
