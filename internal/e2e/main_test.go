package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
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
	if err := errors.Join(stopShared(), heardWrong()); err != nil {
		return 1, err
	}
	client.CloseIdleConnections()
	return code, goleak.Find()
}

// unwatched leaves two libraries without the race detector: the inner loop of bcrypt,
// with which a sign-up takes three seconds of a processor, and SQLite as it was
// translated from C, whose memory is not Go's.
var unwatched = []string{
	"-gcflags=golang.org/x/crypto/blowfish=-race=false",
	"-gcflags=modernc.org/sqlite/lib=-race=false",
}

// binary builds the program once, with the race detector if this test has it.
var binary = sync.OnceValues(func() (string, error) { return build("expenseflow", raceEnabled) })

// mortal is the program with its failpoints (package failpoint).
var mortal = sync.OnceValues(func() (string, error) {
	return build("expenseflow-failpoints", raceEnabled, "-tags", "failpoints")
})

// plain is the program as users have it, for what the race detector would change:
// how much memory it takes, and how far clients fall behind.
var plain = sync.OnceValues(func() (string, error) {
	if !raceEnabled {
		return binary()
	}
	return build("expenseflow-plain", false)
})

func build(name string, race bool, options ...string) (string, error) {
	path := filepath.Join(work, name)
	args := append([]string{"build", "-o", path}, options...)
	if race {
		args = append(append(args, "-race"), unwatched...)
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}
