package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every decision says in the same order what it is about, when it was made, whether it still holds, what was chosen, what
// lost, and what follows; the index lists it with that date.
func TestDecisionsHaveOneForm(t *testing.T) {
	pages, err := filepath.Glob("decisions/0*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	index := readPage(t, "decisions/README.md")
	form := regexp.MustCompile(`(?s)^# \d{4}: [^\n]+\n\n- Date: (\d{4}-\d\d-\d\d)\n- Status: (?:accepted|superseded)[^\n]*\n\n` +
		`## Context\n.+\n## Choice\n.+\n## What lost\n.+\n## Consequences\n.+\n$`)
	for _, page := range pages {
		found := form.FindStringSubmatch(readPage(t, page))
		if found == nil {
			t.Errorf("%s has not the form of docs/decisions/README.md", page)
			continue
		}
		if row := rowOf(index, filepath.Base(page)); !strings.Contains(row, "| "+found[1]+" |") {
			t.Errorf("the index has no row of %s with its date: %q", page, row)
		}
	}
}

// rowOf is the line of a table that links to page.
func rowOf(index, page string) string {
	for line := range strings.Lines(index) {
		if strings.Contains(line, "]("+page+")") {
			return line
		}
	}
	return ""
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
