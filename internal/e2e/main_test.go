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

// binary is the program without the race detector, as users have it: for tests in which
// one thing happens after the other, such as clicks in a page, and for what the detector
// would change, which is how much memory it takes and how far clients fall behind.
var binary = sync.OnceValues(func() (string, error) { return build("expenseflow", false) })

// raced is the program with the race detector, if this test has it: for tests in which
// devices or processes do things at once, or are killed while they do.
var raced = sync.OnceValues(func() (string, error) {
	if !testneed.Race {
		return binary()
	}
	return build("expenseflow-race", true)
})

// patches is the list of package overlay. Of its patches those are used that name a fail
// point or have passwords hashed cheaply; see environment.
var patches = sync.OnceValues(func() (string, error) { return overlay.Write(filepath.Join(work, "overlay")) })

func build(name string, race bool) (string, error) {
	list, err := patches()
	if err != nil {
		return "", err
	}
	flags := []string{"-overlay", list, "-ldflags=-s -w"}
	if race {
		flags = append(flags, process.RaceFlags...)
	}
	return process.Build(context.Background(), work, name, flags...)
}
