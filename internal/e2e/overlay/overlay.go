// Package overlay builds the program, and tests of its packages, with seeded bugs
// and fail points, of which the program's own files hold nothing. It writes patched
// copies of those files and the list of them that `go build -overlay` and `go test
// -overlay` read in their place:
//
//	go run ./internal/e2e/overlay/write /tmp/patched
//	go build -overlay /tmp/patched/overlay.json -o /tmp/expenseflow .
//	FAILPOINT=before-commit@3 /tmp/expenseflow
//	SEEDED_BUG=no-dedupe /tmp/expenseflow
//
// One overlay holds all patches, and none of them does anything until an environment
// variable chooses it when the process starts (packages failpoint, seededbug and
// quickhash). So one build serves for all.
//
// A patch is a list of Edits, each of which finds one text in one package. A patch whose
// text is not there exactly once is left out; `go test ./internal/e2e/overlay` says
// within seconds which one that is, and how to mend it.
package overlay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"expenseflow/internal/e2e/process"
)

// An Edit replaces one text of a package. The text must occur exactly once in the
// package's files that are not tests, whichever file that is, so that a file may be
// renamed or split without touching the edit.
type Edit struct {
	Package string // its folder, from the root of the module
	Old     string // as gofmt writes it; best a single line
	New     string // may call the packages of helpers, whose imports are added
}

// A Patch is a named change of the program.
type Patch struct {
	Name  string
	Edits []Edit
}

// helpers are the packages that patched files may call, by their names.
var helpers = map[string]string{
	"commithook": "expenseflow/internal/e2e/overlay/commithook",
	"failpoint":  "expenseflow/internal/e2e/overlay/failpoint",
	"quickhash":  "expenseflow/internal/e2e/overlay/quickhash",
	"seededbug":  "expenseflow/internal/e2e/overlay/seededbug",
}

// exported are test files that become part of their packages, so that the simulation
// can call what only the packages' own tests can otherwise.
var exported = []string{"internal/changes/export_test.go"}

// before, after and replace make Edits. The code of before and after stands on a line
// of its own.
func before(pkg, line, code string) Edit { return Edit{pkg, line, code + "\n" + line} }
func after(pkg, line, code string) Edit  { return Edit{pkg, line, line + "\n" + code} }
func replace(pkg, old, new string) Edit  { return Edit{pkg, old, new} }

// Write writes the patched copies and the list of them into the folder dir and returns
// the list's path. The module is the one that the working directory is in. A patch that
// does not apply is left out: see Check.
func Write(dir string) (list string, err error) {
	m, _, err := patched()
	if err != nil {
		return "", err
	}
	return m.write(dir)
}

// Check returns an error that says which patches do not apply to the module, and how to
// mend them; nil if all do.
func Check() error {
	_, stale, err := patched()
	if err == nil && stale != nil {
		err = fmt.Errorf("%w\n%s", stale, howToMend)
	}
	return err
}

// patched is the module with all patches that apply, and why others do not.
func patched() (m module, stale, err error) {
	root, err := process.ModuleRoot()
	if err != nil {
		return m, nil, err
	}
	m = module{root: root, files: map[string]*file{}}
	stale, err = m.apply(slices.Concat(own, failpoints, bugPatches()))
	return m, stale, err
}

// A module is the files of packages that have patches.
type module struct {
	root  string
	files map[string]*file // by path from root
}

// A file is one source file and what is to change in it.
type file struct {
	text    string
	changes []change
}

// A change replaces bytes of a file.
type change struct {
	patch    string
	from, to int
	text     string
}

// apply notes the edits of each patch that applies as a whole, and returns why others do
// not. No two patches may touch the same bytes.
func (m *module) apply(patches []Patch) (stale, err error) {
	for _, p := range patches {
		found := map[*file][]change{}
		var missing error
		for _, e := range p.Edits {
			f, c, err := m.find(p.Name, e)
			missing = errors.Join(missing, err)
			found[f] = append(found[f], c)
		}
		if missing != nil {
			stale = errors.Join(stale, missing)
			continue
		}
		for f, changes := range found {
			f.changes = append(f.changes, changes...)
		}
	}
	for path, f := range m.files {
		err = errors.Join(err, f.order(path))
	}
	return stale, err
}

// find finds the file that holds an edit's old text, and what is to change there.
func (m *module) find(patch string, e Edit) (found *file, c change, err error) {
	if err := m.load(e.Package); err != nil {
		return nil, c, err
	}
	count := 0
	for path, f := range m.files {
		if n := strings.Count(f.text, e.Old); n > 0 && filepath.ToSlash(filepath.Dir(path)) == e.Package {
			count, found = count+n, f
		}
	}
	if count != 1 {
		return nil, c, &staleError{patch, e, count}
	}
	at := strings.Index(found.text, e.Old)
	// What stays at both ends is not touched, so that two patches may stand side by side.
	head := commonPrefix(e.Old, e.New)
	tail := commonSuffix(e.Old[head:], e.New[head:])
	return found, change{patch, at + head, at + len(e.Old) - tail, e.New[head : len(e.New)-tail]}, nil
}

// A staleError says that a patch has to follow the code that it patches.
type staleError struct {
	patch string
	edit  Edit
	count int
}

func (e *staleError) Error() string {
	return fmt.Sprintf("the patch %q does not apply: package %s has this text %d times instead of once:\n%s",
		e.patch, e.edit.Package, e.count, e.edit.Old)
}

// howToMend follows whatever does not apply.
const howToMend = `The code has changed: find what does the same now, and give the patch that text in
internal/e2e/overlay/bugs.go or failpoints.go. Then run go test ./internal/e2e/overlay`

func commonPrefix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// load reads the files of a package that are not tests.
func (m *module) load(pkg string) error {
	paths, err := filepath.Glob(filepath.Join(m.root, filepath.FromSlash(pkg), "*.go"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		name, err := filepath.Rel(m.root, path)
		if err != nil {
			return err
		}
		if m.files[name] != nil || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m.files[name] = &file{text: string(text)}
	}
	return nil
}

// order sorts the changes, and refuses two of the same bytes. Insertions at one place
// stay in the order of the patches.
func (f *file) order(path string) error {
	slices.SortStableFunc(f.changes, func(a, b change) int { return a.from - b.from })
	for i := 1; i < len(f.changes); i++ {
		if a, b := f.changes[i-1], f.changes[i]; b.from < a.to {
			return fmt.Errorf("%s: the patches %q and %q change the same text", path, a.patch, b.patch)
		}
	}
	return nil
}

// patched is the file's text with its changes and the imports that they need. The lines
// above the first change keep their numbers.
func (f *file) patched(path string) ([]byte, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, f.text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	at := int(parsed.Name.End()) - 1
	b.WriteString(f.text[:at])
	for _, name := range slices.Sorted(maps.Keys(helpers)) {
		if slices.ContainsFunc(f.changes, func(c change) bool { return strings.Contains(c.text, name+".") }) {
			b.WriteString("; import " + strconv.Quote(helpers[name]))
		}
	}
	for _, c := range f.changes {
		b.WriteString(f.text[at:c.from] + c.text)
		at = c.to
	}
	b.WriteString(f.text[at:])
	_, err = parser.ParseFile(token.NewFileSet(), path, b.Bytes(), parser.SkipObjectResolution)
	return b.Bytes(), err
}

// write writes what differs from the module's files, and says where.
func (m *module) write(dir string) (list string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	instead := map[string]string{}
	for path, f := range m.files {
		if len(f.changes) == 0 {
			continue
		}
		text, err := f.patched(path)
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, strings.ReplaceAll(filepath.ToSlash(path), "/", "-"))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return "", err
		}
		instead[filepath.Join(m.root, path)] = to
	}
	for _, path := range exported {
		test := filepath.Join(m.root, filepath.FromSlash(path))
		instead[strings.TrimSuffix(test, "_test.go")+"_overlay.go"] = test
		instead[test] = "" // the file is as if it were not there
	}
	return writeList(dir, instead)
}

func writeList(dir string, instead map[string]string) (string, error) {
	text, err := json.MarshalIndent(map[string]any{"Replace": instead}, "", "\t")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}
