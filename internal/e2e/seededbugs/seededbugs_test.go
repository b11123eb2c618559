// Package seededbugs shows that the checks find what they are there to find: each of
// overlay.Bugs is put into the code in turn, and the tests that it names have to fail
// (docs/reliability.md#seeded-bugs).
package seededbugs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"expenseflow/internal/e2e/overlay"
)

// work is the folder of the overlay and of the tests that are built with it.
var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "expenseflow-seededbugs-"); err != nil {
		fmt.Fprintln(os.Stderr, "seededbugs:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(work)
	os.Exit(code)
}

func TestEachSeededBugIsFound(t *testing.T) {
	for _, bug := range overlay.Bugs {
		t.Run(bug.Name, func(t *testing.T) {
			t.Parallel()
			for _, test := range bug.Found {
				out, failed := run(t, test, bug.Name)
				switch {
				case bytes.Contains(out, []byte("--- SKIP: "+test.Name)):
					t.Skipf("%s skips:\n%s", test.Name, out)
				case failed:
					t.Logf("found by %s: %s", test.Name, complaint(out))
				default:
					t.Errorf("%s does not find that %s:\n%s", test.Name, bug.Does, out)
				}
			}
		})
	}
}

// Without a bug, the same builds of the same tests pass.
func TestWithoutABugTheTestsPass(t *testing.T) {
	tests := map[string][]string{} // by package
	for _, bug := range overlay.Bugs {
		for _, test := range bug.Found {
			if !slices.Contains(tests[test.Package], test.Name) {
				tests[test.Package] = append(tests[test.Package], test.Name)
			}
		}
	}
	for pkg, names := range tests {
		if out, err := play(t, pkg, "("+strings.Join(names, "|")+")", ""); err != nil {
			t.Errorf("%s: %v\n%s", pkg, err, out)
		}
	}
}

// run runs a test with a bug and reports whether it failed. A share of the seeds and
// cases is enough.
func run(t *testing.T, test overlay.Test, bug string) (out []byte, failed bool) {
	t.Helper()
	out, err := play(t, test.Package, test.Name, bug)
	return out, err != nil && bytes.Contains(out, []byte("--- FAIL: "+test.Name))
}

// play runs the tests of a package that a pattern names, with a bug or with none.
func play(t *testing.T, pkg, names, bug string) (out []byte, err error) {
	t.Helper()
	cmd := exec.Command(built(t, pkg), "-test.short", "-test.v", "-test.run", "^"+names+"$", "-test.timeout", "10m")
	cmd.Dir, cmd.Env = folder(pkg), append(os.Environ(), "SEEDED_BUG="+bug)
	return cmd.CombinedOutput()
}

// built is the test binary of a package with all bugs in it, built once.
func built(t *testing.T, pkg string) string {
	t.Helper()
	once, _ := builds.LoadOrStore(pkg, sync.OnceValues(func() (string, error) { return build(pkg) }))
	binary, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

var (
	builds sync.Map // by package: func() (binary string, err error)
	list   = sync.OnceValues(func() (string, error) { return overlay.Write(work) })
)

func build(pkg string) (string, error) {
	overlaid, err := list()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(work, strings.ReplaceAll(pkg, "/", "-")+".test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlaid, "-o", binary, ".")
	cmd.Dir = folder(pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s: %w\n%s", pkg, err, out)
	}
	return binary, nil
}

func folder(pkg string) string { return filepath.Join("..", "..", "..", filepath.FromSlash(pkg)) }

// A verdict is a line in which a check says what is wrong: a seed's or case's, which
// stands behind its history, or any test's.
var (
	playedVerdict = regexp.MustCompile(`(?m)^\s*(?:seed|case) \d+: .*$`)
	testVerdict   = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: .+$`)
)

// complaint is the first verdict, short.
func complaint(out []byte) string {
	line := playedVerdict.Find(out)
	if line == nil {
		line = testVerdict.Find(out)
	}
	line = bytes.TrimSpace(line)
	return string(line[:min(len(line), 110)])
}
