//go:build !linux

package main

import (
	"errors"
	"os"
	"os/exec"

	"expenseflow/internal/testneed"
)

func dieWithParent(*exec.Cmd) {}

// pause is known to Linux only: the class then never hits, and says so.
func pause(*os.Process) error  { return errors.ErrUnsupported }
func resume(*os.Process) error { return errors.ErrUnsupported }

func pauseRedisServer(*testneed.RedisServer) error  { return errors.ErrUnsupported }
func resumeRedisServer(*testneed.RedisServer) error { return errors.ErrUnsupported }
