package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Code, migrations, scripts and pages cite documents by their path in this repository, with or without an anchor. Each path
// leads to a file or, for a decision's number alone, to the page that begins with it; each anchor leads to a heading, a row
// or a mark of that page.
func TestEveryCitedDocumentIsThere(t *testing.T) {
	cited := regexp.MustCompile(`\bdocs/(?:[\w./-]*\w\.(?:md|yaml|json|svg|webp|txt|conf)(?:#[\w-]+)?|decisions/\d+)`)
	for path, text := range tracked(t) {
		for _, reference := range cited.FindAllString(text, -1) {
			checkReference(t, path, "..", reference)
		}
	}
}

// Links between pages are relative to the page that has them.
func TestEveryLinkOfAPageLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for path, text := range tracked(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			if target := found[1]; !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
				checkReference(t, path, filepath.Join("..", filepath.Dir(path)), target)
			}
		}
	}
}

// checkReference complains unless reference, a path below folder with or without an anchor, leads somewhere. A reference
// without a path is an anchor of the page at path itself.
func checkReference(t *testing.T, path, folder, reference string) {
	t.Helper()
	name, anchor, _ := strings.Cut(reference, "#")
	file := filepath.Join(folder, name)
	if name == "" {
		file = filepath.Join("..", path)
	}
	if !exists(file) {
		t.Errorf("%s cites %s, which is not there", path, reference)
	} else if anchor != "" && !anchorsOf(t, file)[anchor] {
		t.Errorf("%s cites %s: no such heading or mark", path, reference)
	}
}

// exists reports whether there is a file or folder of this name, or a decision whose number it is.
func exists(file string) bool {
	if _, err := os.Stat(file); err == nil {
		return true
	}
	pages, _ := filepath.Glob(file + "-*.md") // the pattern is sound
	return filepath.Base(filepath.Dir(file)) == "decisions" && len(pages) == 1
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

// tracked gives the texts in which documents are cited, by their path.
func tracked(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("git", "-C", "..", "ls-files", "*.go", "*.js", "*.cjs", "*.sql", "*.md", "*.ts", "*.yml",
		"*.yaml", "Makefile", "Dockerfile", ".ci/run", ".env.example").Output()
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
