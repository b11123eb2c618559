//go:build unix

package app

import "syscall"

// descriptors is how many files and connections the process may have open.
func descriptors() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return min(uint64(l.Cur), 1<<20) //nolint:unconvert // it is signed on some systems
}
