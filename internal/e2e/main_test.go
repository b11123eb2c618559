package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"expenseflow/internal/e2e/overlay"
	"expenseflow/internal/e2e/process"
	"expenseflow/internal/testneed"
)

// patience bounds every wait for another process. It is not a promise of the
// program's: it is long because a machine that also builds and races may be.
const patience = 60 * second

// quiet says that nothing else runs on this machine, so that what is promised in
// seconds can be held.
var quiet = flag.Bool("quiet", false, "nothing else runs on this machine: hold what is promised in seconds too")

// work is the folder of this run: the binary and the shared programs' data.
var work string

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	if work, err = os.MkdirTemp("", "expenseflow-e2e-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(work)
	code = m.Run()
	if err := errors.Join(stopShared(), stopBrowser(), heardWrong()); err != nil {
		return 1, err
	}
	client.CloseIdleConnections()
	return code, goleak.Find()
}

// binary builds the program once, with the race detector if this test has it.
var binary = sync.OnceValues(func() (string, error) { return build("expenseflow", testneed.Race) })

// mortal is the program with fail points (package overlay).
var mortal = sync.OnceValues(func() (string, error) {
	list, err := overlay.Write(filepath.Join(work, "overlay"))
	if err != nil {
		return "", err
	}
	return build("expenseflow-failpoints", testneed.Race, "-overlay", list)
})

// plain is the program as users have it, for what the race detector would change:
// how much memory it takes, and how far clients fall behind.
var plain = sync.OnceValues(func() (string, error) {
	if !testneed.Race {
		return binary()
	}
	return build("expenseflow-plain", false)
})

func build(name string, race bool, flags ...string) (string, error) {
	if race {
		flags = append(flags, process.RaceFlags...)
	}
	return process.Build(context.Background(), work, name, flags...)
}
