//go:build unix

package frontend

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A request of a FIFO blocked its thread.
func TestAFIFOIsNotOpened(t *testing.T) {
	dir := files(t, "index.html")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.js"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := served(opened(t, dir), "pipe.js", "index.html"); len(got) != 1 {
		t.Errorf("served %v", got)
	}
}
