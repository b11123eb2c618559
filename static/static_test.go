package static_test

import (
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"expenseflow/internal/testneed"
	"expenseflow/static"

	"github.com/google/go-cmp/cmp"
)

// The logic of the page that needs no browser has its tests beside it, in the
// language it is written in.
func TestModules(t *testing.T) {
	files, err := filepath.Glob("jstest/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of the modules: %v", err)
	}
	node := exec.Command(testneed.Node(t), append([]string{"--test"}, files...)...)
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", node, err, out)
	}
}

// A name that is declared nowhere is found by the type checker, without running the line that uses it.
func TestModulesUseNoUndeclaredName(t *testing.T) {
	npm := "../internal/e2e/npm"
	testneed.NPM(t, npm)
	check := exec.Command(testneed.Node(t), npm+"/node_modules/typescript/bin/tsc", "--allowJs", "--checkJs", "--noEmit",
		"--target", "esnext", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "esnext,dom,dom.iterable", "js/app.js")
	out, _ := check.CombinedOutput() // it fails for types too, which the modules do not declare
	if undeclared := regexp.MustCompile(`(?m)^.*(Cannot find name|has no exported member).*$`).FindAllString(string(out),
		-1); undeclared != nil {
		t.Errorf("%s", strings.Join(undeclared, "\n"))
	}
	if !strings.Contains(string(out), "js/app.js") {
		t.Errorf("the type checker did not read app.js: %s", out)
	}
}

func TestPageKeepsItsPolicy(t *testing.T) {
	page := read(t, "index.html")
	forbidden := map[string]string{
		"inline script":   `<script(\s+type="module")?\s*>`,
		"inline style":    `<style|\sstyle=`,
		"event attribute": `\son\w+=`,
		"javascript: URL": `javascript:`,
		"another's file":  `(src|href)="(https?:)?//`,
		"an address that leaves the folder, which may be below a path": `(src|href)="/`,
	}
	for what, pattern := range forbidden {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("index.html has %s: %q", what, found)
		}
	}
}

// Text is set as text everywhere: nothing that a user or the server says is
// parsed as markup or run.
func TestModulesParseNoMarkup(t *testing.T) {
	parsed := regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|DOMParser|document\.write|eval|new Function)\b`)
	for _, name := range modules(t) {
		if found := parsed.FindString(read(t, name)); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

func TestEveryFileThatThePageNamesIsThere(t *testing.T) {
	named := regexp.MustCompile(`(?:src|href)="([^"#]+)"`)
	for _, m := range named.FindAllStringSubmatch(read(t, "index.html"), -1) {
		if _, err := fs.Stat(static.Files, m[1]); err != nil {
			t.Errorf("index.html names %v", err)
		}
	}
}

func TestEveryFileOfThePageIsKept(t *testing.T) {
	want := []string{"./"} // which is index.html
	err := fs.WalkDir(static.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && static.IsLoaded(name) && name != "index.html" && name != "sw.js" {
			want = append(want, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	kept := matches(read(t, "sw.js"), `(?m)^'([^']*)',$`)
	kept = slices.DeleteFunc(kept, func(name string) bool { return strings.HasPrefix(name, "socket.io/") })
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("files in sw.js (-want +got):\n%s", diff)
	}
}

func TestEveryPictureThatAModuleNamesIsDrawn(t *testing.T) {
	drawn := matches(read(t, "js/icons.js"), `(?m)^([a-z]+): (?:line|\[)`)
	var named []string
	for _, name := range modules(t) {
		named = append(named, matches(read(t, name), `icon(?:Button)?\('([a-z]+)'`)...)
	}
	named = append(named, matches(read(t, "js/categories.js"), `(?m)^  \['([a-z]+)'`)...)
	for _, picture := range named {
		if !slices.Contains(drawn, picture) {
			t.Errorf("icons.js has no %q", picture)
		}
	}
}

// modules are the names of the page's modules, sorted.
func modules(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(static.Files, "js", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == ".js" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names) // a folder comes before the file of its name when walking, after it when sorted
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := fs.ReadFile(static.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// matches gives the first group of each match of pattern, sorted.
func matches(text, pattern string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.TrimSpace(m[1]))
	}
	slices.Sort(found)
	return found
}
