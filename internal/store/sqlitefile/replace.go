package sqlitefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A SQLite file is replaced by another one in these steps, after each of which the path leads to
// a whole database, the old one or the new one:
//
//  1. the new one is made beside it under another name, closed and synced to disk
//  2. the old one gets a second name (keptAs), by a link
//  3. the new one is renamed to the path, by which the old one loses its first name
//
// Whoever is killed after step 2 leaves the old one with two names: UndoReplacement takes the
// second one away.

const keptAs = ".before-" // and the moment in UTC

// Replace puts fresh in the place of path. Unless there is none, the old file is kept under
// the name that is returned if keep says so. The caller must hold the lock of path.
func Replace(fresh, path string, keep bool) (kept string, err error) {
	if err := SyncToDisk(fresh); err != nil {
		return "", err
	}
	if keep {
		kept = path + keptAs + time.Now().UTC().Format("2006-01-02T150405.000Z")
		if err := linkOrCopy(path, kept); err != nil {
			return "", err
		}
		if err := os.Rename(path+"-wal", kept+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := removeBeside(path); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, path); err != nil {
		return "", err
	}
	return kept, SyncToDisk(filepath.Dir(path))
}

// UndoReplacement takes the second name away from a file whose replacement was broken off. The
// caller must hold the lock of path.
func UndoReplacement(path string) error {
	names, _ := filepath.Glob(escapeGlob(path) + keptAs + "*Z") // the pattern is sound
	for _, name := range names {
		if !sameFile(name, path) {
			continue
		}
		if err := os.Rename(name+"-wal", path+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// escapeGlob has a path mean itself in a pattern.
func escapeGlob(path string) string {
	var b []rune
	for _, c := range path {
		if c == '*' || c == '?' || c == '[' {
			b = append(b, '[', c, ']')
			continue
		}
		b = append(b, c)
	}
	return string(b)
}

func sameFile(a, b string) bool {
	of, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(of, other)
}

// linkOrCopy gives a file a second name, or copies it where the file system has no links.
func linkOrCopy(path, name string) error {
	if err := os.Link(path, name); err == nil {
		return nil
	}
	return Copy(path, name)
}

// Copy copies a file under a name that is free, and has the disk keep it. An error leaves
// nothing of that name.
func Copy(path, name string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// SyncToDisk has the disk keep a file, or the names in a folder.
func SyncToDisk(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, fs.ErrPermission) {
		err = nil // Windows syncs no file that is open for reading, and no folder
	}
	return errors.Join(err, f.Close())
}

// removeBeside removes what SQLite kept beside a file.
func removeBeside(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Remove removes a database file, which may be missing, with what SQLite kept beside it.
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, removeBeside(path))
}
