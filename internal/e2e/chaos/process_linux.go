package main

import (
	"os"
	"os/exec"
	"syscall"

	"expenseflow/internal/testneed"
)

// dieWithParent lets the kernel end cmd when this process ends, however it ends.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// pause stops a process where it is, and resume lets it go on.
func pause(p *os.Process) error  { return p.Signal(syscall.SIGSTOP) }
func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

func pauseRedisServer(s *testneed.RedisServer) error  { return s.SendSignal(syscall.SIGSTOP) }
func resumeRedisServer(s *testneed.RedisServer) error { return s.SendSignal(syscall.SIGCONT) }
