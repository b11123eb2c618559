//go:build unix

package store_test

import (
	"os"
	"syscall"
)

// otherUser makes a process run as a user who owns nothing, if we may.
func otherUser() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}
