package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"expenseflow/internal/testneed"
)

// docs/compatibility.md promises a test for every row of the contract's section
// 3; each test that it names is in the tree.
func TestCompatibilityPageNamesTestsThatExist(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t, root)
	for row := 1; row <= 36; row++ {
		line := regexp.MustCompile(fmt.Sprintf(`(?m)^\| D%d \|.*$`, row)).FindString(string(page))
		named := regexp.MustCompile("`(Test[^`]+)`").FindAllStringSubmatch(line, -1)
		if !strings.Contains(line, fmt.Sprintf("`TestD%d", row)) {
			t.Errorf("row D%d has no test named after it", row)
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("row D%d names %s, which does not exist", row, name[1])
			}
		}
	}
}

// docs/sync.md names a test for every rule; each of them is in the tree.
func TestSyncPageNamesTestsThatExist(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "sync.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(page), "## Who wins")
	tests, test := testNames(t, root), regexp.MustCompile("`(Test[^`]+)`")
	for _, found := range test.FindAllStringSubmatch(rules, -1) {
		if !tests[found[1]] {
			t.Errorf("it names %s, which does not exist", found[1])
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\| .*$`).FindAllString(rules, -1) {
		if !strings.HasPrefix(row, "| when |") && !test.MatchString(row) {
			t.Errorf("no test holds the rule %s", row)
		}
	}
}

// docs/security.md shows what it says of the program by tests, and
// docs/attack-entries.md has one for each finding; each that they name is there.
func TestSecurityPagesNameTestsThatExist(t *testing.T) {
	root := filepath.Join("..", "..")
	tests, named := testNames(t, root), regexp.MustCompile("`(Test[^`]+|static/jstest/[^`]+)`")
	for _, name := range []string{"SECURITY.md", "docs/security.md", "docs/attack-entries.md"} {
		page, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range named.FindAllStringSubmatch(string(page), -1) {
			if _, err := os.Stat(filepath.Join(root, found[1])); !tests[found[1]] && err != nil {
				t.Errorf("%s names %s, which does not exist", name, found[1])
			}
		}
	}
}

// A finding without a test says so.
func TestEveryFindingHasATest(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "attack-entries.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\d+[a-z]?|[FS]\d+|\w+ decision) \|[^|]*\|([^|]*)\|([^|]*)\|$`)
	rows := row.FindAllStringSubmatch(string(page), -1)
	for _, row := range rows {
		if !strings.Contains(row[2], "`") && (strings.TrimSpace(row[2]) != "none" || strings.TrimSpace(row[3]) == "") {
			t.Errorf("%s has neither a test nor a reason", row[1])
		}
	}
	if len(rows) != 20+14+17+8+2 {
		t.Errorf("%d rows", len(rows))
	}
}

// README.md shows a client. It hears the expense that it makes.
func TestReadmesClientHearsItsExpense(t *testing.T) {
	node := testneed.Node(t)
	testneed.NPM(t, npmDir)
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```js\n")
	script, _, _ := strings.Cut(rest, "```")
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, node, "--input-type=module", "-e",
		strings.ReplaceAll(script, "http://localhost:3000", start(t).url()))
	cmd.Dir = npmDir
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = cmd.Wait() })
	line, err := bufio.NewReader(said).ReadString('\n')
	same(t, "what the client says", "Lunch: 12.5\n", line)
	same(t, "error", nil, err)
}

// testNames returns the name of every test below root.
func testNames(t *testing.T, root string) map[string]bool {
	t.Helper()
	names, function := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, found := range function.FindAllSubmatch(source, -1) {
			names[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
