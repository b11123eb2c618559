package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/config"
)

// The first cells of a row's columns in docs/refusals.md.
var refusalRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|(.+)\\|$")

// Every code that the program can answer or log has a row in docs/refusals.md, and no row is
// of a code that the program does not have.
func TestRefusalsPageHasTheCodesOfTheProgram(t *testing.T) {
	page, err := os.ReadFile("refusals.md")
	if err != nil {
		t.Fatal(err)
	}
	listed, named := map[string]bool{}, map[string]bool{}
	for _, row := range refusalRow.FindAllStringSubmatch(string(page), -1) {
		if listed[row[1]] {
			t.Errorf("%s has two rows", row[1])
		}
		listed[row[1]] = true
		cells := strings.Split(row[2], "|")
		for _, setting := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(cells[len(cells)-2], -1) {
			named[setting[1]] = true
		}
	}
	codes, settings := codesOfTheProgram(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(codes)), slices.Sorted(maps.Keys(listed))); diff != "" {
		t.Errorf("codes (-of the program +of docs/refusals.md):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(settings)), slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("settings that refuse (-of the program +of docs/refusals.md):\n%s", diff)
	}
	for _, s := range config.Settings() {
		delete(named, s.Name)
	}
	for name := range named {
		t.Errorf("%s is no setting", name)
	}
}

// codesOfTheProgram returns the codes of errors, and the settings that they name, in its
// source: constants whose names begin with code or setting, fields of those names, and the
// arguments of those functions that take a setting.
func codesOfTheProgram(t *testing.T) (codes, settings map[string]bool) {
	t.Helper()
	found := vocabulary{map[string]bool{}, map[string]bool{}}
	for path, file := range program(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			found.look(path, n)
			return true
		})
	}
	return found.codes, found.settings
}

// A vocabulary is the codes and settings that were found in the program.
type vocabulary struct{ codes, settings map[string]bool }

func (v *vocabulary) look(path string, n ast.Node) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, value := range n.Values {
			v.add(n.Names[i].Name, value)
			if table, ok := value.(*ast.CompositeLit); ok {
				v.addTable(n.Names[i].Name, table)
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok {
			v.add(key.Name, n.Value)
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if field, ok := to.(*ast.SelectorExpr); ok && i < len(n.Rhs) {
				v.add(field.Sel.Name, n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		called, ok := n.Fun.(*ast.SelectorExpr)
		if ok && called.Sel.Name == "newLimiter" {
			v.add("setting", n.Args[1])
		} else if ok && called.Sel.Name == "refuse" && strings.HasPrefix(path, "../sockets") {
			v.add("setting", n.Args[3])
		}
	}
}

func (v *vocabulary) addTable(name string, table *ast.CompositeLit) {
	for _, e := range table.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			v.add(name, kv.Value)
		}
	}
}

// add adds the value of something that has this name, if it is a code or a setting.
func (v *vocabulary) add(name string, value ast.Expr) {
	text := constant(value)
	switch name = strings.ToLower(name); {
	case text == "":
	case strings.HasPrefix(name, "code"), name == "kindcodes":
		v.codes[text] = true
	case strings.HasPrefix(name, "setting"), name == "tokensettings":
		v.settings[text] = true
	}
}

// The answers of /socket.io/ are texts instead of codes; each of them is on the page.
func TestRefusalsPageHasTheAnswersOfSocketIO(t *testing.T) {
	page, err := os.ReadFile("refusals.md")
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Join(strings.Fields(string(page)), " ")
	checked := 0
	check := func(e ast.Expr) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		checked++
		if text, _ := strconv.Unquote(lit.Value); !strings.Contains(known, "`"+text+"`") && text != "Forbidden" {
			t.Errorf("no row tells of %q", text)
		}
	}
	for path, file := range program(t) {
		if !strings.HasPrefix(path, "../internal/engineio") && !strings.HasPrefix(path, "../internal/cluster") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, value := range n.Values {
					if table, ok := value.(*ast.CompositeLit); ok && n.Names[i].Name == "errorMessages" {
						for _, e := range table.Elts {
							check(e.(*ast.KeyValueExpr).Value)
						}
					} else if strings.HasPrefix(n.Names[i].Name, "text") {
						check(value)
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "msg" {
					check(n.Value)
				}
			case *ast.CallExpr:
				if called, ok := n.Fun.(*ast.Ident); ok && called.Name == "unavailable" {
					check(n.Args[1])
				}
			}
			return true
		})
	}
	if checked < 14 {
		t.Errorf("only %d texts were found in the program", checked)
	}
}

// constant returns the text of an expression that is a code or the name of a setting.
func constant(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value) // it was parsed
	if !regexp.MustCompile(`^[A-Z][A-Z_]+$`).MatchString(text) {
		return ""
	}
	return text
}

// program parses the packages that answer clients.
func program(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	tools := regexp.MustCompile(`^\.\./internal/(e2e|bench|conformance|testneed|config|notices|codestats)(/|$)`)
	for _, root := range []string{"../handlers", "../middleware", "../sockets", "../models", "../internal"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (tools.MatchString(filepath.ToSlash(path)) || d.Name() == "testdata"):
				return filepath.SkipDir
			case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			files[filepath.ToSlash(path)], err = parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
