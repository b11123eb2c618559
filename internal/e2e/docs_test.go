package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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

// testNames gives the name of every test below root.
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
