package overlay

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"expenseflow/internal/e2e/overlay/failpoint"
)

func TestEachPatchApplies(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatal(err)
	}
}

func TestThePatchedCopiesCompile(t *testing.T) {
	list, err := Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", list, "-o", t.TempDir(), "expenseflow", "expenseflow/internal/e2e/simulation")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The program that users run has none of the scaffolding.
func TestTheProgramKnowsNothingOfBugsAndFailPoints(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "expenseflow").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if line := regexp.MustCompile(`(?m)^expenseflow/internal/e2e/.*$`).Find(out); line != nil {
		t.Errorf("the program is linked with %s", line)
	}
}

func TestEachFailPointHasAPatch(t *testing.T) {
	var names []string
	for _, p := range failpoints {
		names = append(names, p.Name)
	}
	for _, p := range failpoint.Points {
		if !slices.Contains(names, string(p)) {
			t.Errorf("no patch for %s", p)
		}
	}
}

func TestEachBugIsChosenByItsNameAndFoundByTestsThatExist(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range Bugs {
		if seen[b.Name] || b.Does == "" || len(b.Found)+len(b.Chaos) == 0 {
			t.Errorf("%s is there twice, or says neither what it does nor what finds it", b.Name)
		}
		seen[b.Name] = true
		for _, e := range b.Edits {
			if strings.Count(e.New, "ON") != 1 {
				t.Errorf("an edit of %s is not chosen by ON:\n%s", b.Name, e.New)
			}
		}
		for _, f := range b.Found {
			if !exists(t, f) {
				t.Errorf("%s is found by %s, which is not in %s", b.Name, f.Name, f.Package)
			}
		}
	}
}

// The table of bugs in docs/reliability.md is made of them, by
//
//	go test ./internal/e2e/overlay -run TestTheDocumentListsEachBug -update
func TestTheDocumentListsEachBug(t *testing.T) {
	const path, head = "../../../docs/reliability.md", "| bug | what it does | caught by |\n|---|---|---|\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), head)
	_, after, more := strings.Cut(rest, "\n\n")
	want := before + head + bugTable() + "\n" + after
	switch {
	case !found || !more:
		t.Fatalf("%s has no table of bugs", path)
	case *update:
		err = os.WriteFile(path, []byte(want), 0o644)
	case want != string(text):
		t.Errorf("the table of bugs in %s is not of bugs.go: run this test with -update", path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var update = flag.Bool("update", false, "write the table of bugs into docs/reliability.md")

func bugTable() string {
	short := map[Test]string{simulation: "simulation", smallScope: "small scope"}
	var b strings.Builder
	for _, bug := range Bugs {
		var by []string
		for _, f := range bug.Found {
			by = append(by, cmp.Or(short[f], "`"+f.Name+"`"))
		}
		if len(bug.Chaos) > 0 {
			by = append(by, "chaos: `"+strings.Join(bug.Chaos, "`, `")+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", bug.Name, bug.Does, strings.Join(by, ", "))
	}
	return b.String()
}

func exists(t *testing.T, test Test) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../../..", filepath.FromSlash(test.Package), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		text, err := os.ReadFile(path)
		return err == nil && bytes.Contains(text, []byte("\nfunc "+test.Name+"("))
	})
}

func TestTwoPatchesOfOneText(t *testing.T) {
	m := module{root: "../../..", files: map[string]*file{}}
	const pkg = "internal/e2e/overlay/commithook"
	stale, err := m.apply([]Patch{
		{"first", []Edit{before(pkg, "\treturn hook()", "\tone()")}},
		{"second", []Edit{before(pkg, "\treturn hook()", "\trest()")}},
		{"third", []Edit{after(pkg, "\treturn hook()", "\tthree()")}},
	})
	if stale != nil || err != nil {
		t.Fatal(stale, err)
	}
	for path, f := range m.files {
		text, err := f.patched(path)
		if want := "\tone()\n\trest()\n\treturn hook()\n\tthree()\n"; err != nil || !bytes.Contains(text, []byte(want)) {
			t.Errorf("%v, and this lacks %q:\n%s", err, want, text)
		}
	}
	_, err = m.apply([]Patch{
		{"fourth", []Edit{replace(pkg, "return hook()", "return nil")}},
		{"fifth", []Edit{replace(pkg, "hook()\n", "other()\n")}},
	})
	if err == nil || !strings.Contains(err.Error(), "change the same text") {
		t.Error(err)
	}
}

func TestAPatchThatDoesNotApplyIsLeftOutWhole(t *testing.T) {
	m := module{root: "../../..", files: map[string]*file{}}
	const pkg = "internal/e2e/overlay/commithook"
	stale, err := m.apply([]Patch{{"old", []Edit{replace(pkg, "return hook()", "return nil"), replace(pkg, "no such text", "")}}})
	if err != nil || stale == nil || !strings.Contains(stale.Error(), `"old"`) {
		t.Errorf("%v, %v", stale, err)
	}
	for path, f := range m.files {
		if len(f.changes) > 0 {
			t.Errorf("%s is changed", path)
		}
	}
}
