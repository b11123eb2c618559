package e2e

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets the kernel end cmd when this test binary ends, however it
// ends: a run that is cut off leaves no server behind.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
