package store_test

import "syscall"

// stranger changes nothing: the tests that need it skip here.
func stranger() *syscall.SysProcAttr { return nil }
