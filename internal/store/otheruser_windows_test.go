package store_test

import (
	"syscall"
)

// otherUser changes nothing: the tests that need it skip here.
func otherUser() *syscall.SysProcAttr { return nil }
