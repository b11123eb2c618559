//go:build unix

package app

import "syscall"

// maxOpenFiles returns how many files and connections the process may have open; 0 if
// that is not known.
func maxOpenFiles() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return min(uint64(l.Cur), 1<<20) //nolint:unconvert // it is signed on some systems
}
