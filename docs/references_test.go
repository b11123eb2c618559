package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Rules that code, migrations, scripts and pages cite stand in this repository:
// every anchor of docs/contract.md that they name leads to a heading or a row of that page.
func TestEveryCitedRuleIsInTheContract(t *testing.T) {
	anchors := anchorsOf(t, "contract.md")
	cited := regexp.MustCompile(`contract\.md#([\w-]+)`)
	for path, text := range tracked(t) {
		for _, found := range cited.FindAllStringSubmatch(text, -1) {
			if !anchors[found[1]] {
				t.Errorf("%s cites %s, which is not there", path, found[0])
			}
		}
	}
}

// anchorsOf are the names by which parts of a page can be cited: its headings, as
// hosting platforms make names of them, and its <a id> marks.
func anchorsOf(t *testing.T, page string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	anchors, dropped := map[string]bool{}, regexp.MustCompile(`[^\w\- ]`)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
		name := dropped.ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(name, " ", "-")] = true
	}
	for _, mark := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(string(text), -1) {
		anchors[mark[1]] = true
	}
	return anchors
}

// tracked gives the texts in which rules are cited, by their path.
func tracked(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("git", "-C", "..", "ls-files", "*.go", "*.js", "*.cjs", "*.sql", "*.md", "*.ts", "*.yml", "*.yaml").Output()
	if err != nil {
		t.Skipf("the files that git knows cannot be listed: %v", err)
	}
	texts := map[string]string{}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		b, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			continue // deleted and not committed yet
		}
		texts[path] = string(b)
	}
	return texts
}
