//go:build unix

package sqlitefile

import (
	"errors"
	"os"
	"syscall"
)

// Lock takes an exclusive lock on a file, which is made if it is missing. The system
// releases it when the process ends, however it ends. ErrInUse if another process has it. A
// symbolic link is not followed: whoever can write to the folder would choose what is made.
func Lock(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, lockProblem(path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// OneName refuses a file that has another name: the lock is beside the name, and so are
// the files that SQLite keeps beside a database, so a process that opened it by the
// other name would damage it.
func OneName(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode().IsRegular() && stat.Nlink > 1 {
		return errLinked
	}
	return nil
}
