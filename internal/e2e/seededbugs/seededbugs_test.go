// Package seededbugs shows that the checks find what they are there to find: each
// bug of internal/seededbug is put into the code in turn, and at least one of the
// tests named here has to fail (docs/reliability.md).
package seededbugs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"expenseflow/internal/seededbug"
)

// A check is one test, and what it is short for in the table.
type check struct {
	name, folder, test string
}

// The checks. Each builds once and runs for each of its bugs.
var (
	simulation = check{"simulation", "internal/e2e/simulation", "TestWhateverHappensDevicesEndUpEqual"}
	scope      = check{"small scope", "internal/e2e/simulation", "TestTheSmallScopeHolds"}
	hole       = check{"test of the tail", "internal/changes", "TestAHoleIsLoggedAndNeverSteppedOver"}
	recovery   = check{"test of recovery", "sockets", "TestRecoveryAuthenticatesAgain"}
	bound      = check{"test of queues", "sockets", "TestASocketThatNobodyReadsHoldsABoundedPartOfItsLog"}
	users      = check{"test of rooms", "sockets", "TestParkedOperationIsAnnouncedToItsUserAlone"}
	claim      = check{"test of claims", "internal/store", "TestAPostIsClaimedOnce"}
	answer     = check{"test of lost answers", "internal/reconcile", "TestD17ALostAnswerMakesNoSecondExpense"}
	poison     = check{"test of poison", "internal/reconcile", "TestAPoisonousOperationEndsParked"}
	resume     = check{"test of resuming", "internal/changes", "TestResumeInsideDeliverIsNotLost"}
)

// caught says which checks find which bug.
var caught = map[seededbug.Bug][]check{
	seededbug.GlobalCursor:     {simulation},
	seededbug.EmitBeforeCommit: {simulation, scope},
	seededbug.NoDedupe:         {simulation, scope},
	seededbug.AckBeforeCommit:  {simulation},
	seededbug.NoGapCheck:       {hole},
	seededbug.DroppedTombstone: {simulation, scope},
	seededbug.ZeroValueUpdate:  {simulation},
	seededbug.ClientClock:      {simulation, scope},
	seededbug.NoRecoveryAuth:   {recovery},
	seededbug.UnboundedQueue:   {bound},
	seededbug.UnauthorisedJoin: {users},
	seededbug.RelayTrusted:     {simulation, scope},

	// The reviewer's.
	seededbug.KeptClaim:  {simulation, scope, claim, answer},
	seededbug.HalfUndo:   {simulation, scope, poison},
	seededbug.LostResume: {simulation, scope, resume},
}

// built is where the tests are that TestMain's run has built.
var built string

func TestMain(m *testing.M) {
	var err error
	if built, err = os.MkdirTemp("", "expenseflow-seededbugs-"); err != nil {
		fmt.Fprintln(os.Stderr, "seededbugs:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(built)
	os.Exit(code)
}

func TestEachSeededBugIsCaught(t *testing.T) {
	var table strings.Builder
	for _, bug := range seededbug.Bugs {
		for _, c := range caught[bug] {
			out, failed := c.run(t, bug)
			if !failed {
				t.Errorf("%s does not find %s:\n%s", c.test, bug, out)
				continue
			}
			fmt.Fprintf(&table, "| %s | %s (`%s`) | %s |\n", bug, c.name, c.test, complaint(out))
		}
		if len(caught[bug]) == 0 {
			t.Errorf("nothing is said to find %s", bug)
		}
	}
	t.Logf("what finds what:\n%s", table.String())
}

// Without a bug, the same builds of the same tests pass.
func TestWithoutABugTheChecksPass(t *testing.T) {
	for _, c := range []check{simulation, scope, hole, recovery, bound, users, claim, answer, poison, resume} {
		if out, failed := c.run(t, ""); failed {
			t.Errorf("%s:\n%s", c.test, out)
		}
	}
}

// The program that users run has nothing of it.
func TestTheProgramHasNoSeededBugs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expenseflow")
	root := filepath.Join("..", "..", "..")
	command(t, root, "go", "build", "-o", path, ".")
	symbols := command(t, root, "go", "tool", "nm", path)
	if i := bytes.Index(symbols, []byte("expenseflow/internal/seededbug.")); i >= 0 {
		t.Errorf("the program holds %s", bytes.SplitN(symbols[i:], []byte("\n"), 2)[0])
	}
}

// run has the check look for a bug. Each folder's tests are built with all bugs in
// them, once; a share of the seeds and cases is enough.
func (c check) run(t *testing.T, bug seededbug.Bug) (out []byte, failed bool) {
	t.Helper()
	folder := filepath.Join("..", "..", "..", filepath.FromSlash(c.folder))
	binary := filepath.Join(built, strings.ReplaceAll(c.folder, "/", "-")+".test")
	if _, err := os.Stat(binary); err != nil {
		command(t, folder, "go", "test", "-c", "-tags", "seededbugs", "-o", binary, ".")
	}
	test := exec.Command(binary, "-test.short", "-test.run", "^"+c.test+"$", "-test.timeout", "5m")
	test.Dir, test.Env = folder, append(os.Environ(), "SEEDED_BUG="+string(bug))
	out, err := test.CombinedOutput()
	return out, err != nil && bytes.Contains(out, []byte("--- FAIL: "+c.test))
}

func command(t *testing.T, folder, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// verdict is the line in which a check says what is wrong, behind a history or not.
var verdict = regexp.MustCompile(`(?m)^\s*(?:seed|case) \d+: .*$|^\s+\w+_test\.go:\d+: .+$`)

// complaint is that line, short.
func complaint(out []byte) string {
	lines := verdict.FindAllString(string(out), -1)
	if len(lines) == 0 {
		return "fails"
	}
	line := strings.TrimSpace(lines[len(lines)-1])
	return line[:min(len(line), 110)]
}
