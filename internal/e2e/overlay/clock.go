package overlay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The clock of a process cannot be set from outside: Go reads it from the kernel, past
// every library that could be put in between. So the standard library's own time.Now is
// patched, which all code of a program calls.
const (
	readsClock = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
	addsOffset = "\tsec, nsec, mono := runtimeNow()\n\tsec += clockOffset\n\tif mono == 0 {"

	offsetFile = `package time

import "syscall"

// clockOffset is how many seconds the wall clock is off: CLOCK_OFFSET_SECONDS.
var clockOffset = func() (n int64) {
	text, _ := syscall.Getenv("CLOCK_OFFSET_SECONDS")
	digits, sign := text, int64(1)
	if len(text) > 0 && text[0] == '-' {
		digits, sign = text[1:], -1
	}
	for _, d := range []byte(digits) {
		if d < '0' || d > '9' {
			panic("CLOCK_OFFSET_SECONDS=" + text + " is no number")
		}
		n = n*10 + int64(d-'0')
	}
	return sign * n
}()
`
)

// WriteWithClock is Write for a program whose wall clock can be set: CLOCK_OFFSET_SECONDS
// in its environment is added to every moment that it, or a library of it, reads. How
// long things take stays as it is.
func WriteWithClock(ctx context.Context, dir string) (list string, err error) {
	if list, err = Write(dir); err != nil {
		return "", err
	}
	var overlay struct{ Replace map[string]string }
	text, err := os.ReadFile(list)
	if err == nil {
		err = json.Unmarshal(text, &overlay)
	}
	if err != nil {
		return "", err
	}
	if err := addClock(ctx, filepath.Dir(list), overlay.Replace); err != nil {
		return "", err
	}
	return writeList(filepath.Dir(list), overlay.Replace)
}

// addClock adds the standard library's files to what is read instead of others.
func addClock(ctx context.Context, dir string, instead map[string]string) error {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find the standard library: %w", err)
	}
	folder := filepath.Join(string(bytes.TrimSpace(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(folder, "time.go"))
	if err != nil {
		return err
	}
	if strings.Count(string(text), readsClock) != 1 {
		return fmt.Errorf("time.Now of this Go reads its clock otherwise: mend internal/e2e/overlay/clock.go")
	}
	files := map[string]string{
		"time.go":        strings.Replace(string(text), readsClock, addsOffset, 1),
		"clockoffset.go": offsetFile,
	}
	for name, text := range files {
		to := filepath.Join(dir, "std-"+name)
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return err
		}
		instead[filepath.Join(folder, name)] = to
	}
	return nil
}
