// Command codestats prints how much production Go each package has, and how long its functions are.
//
//	go run ./internal/codestats          this tree
//	go run ./internal/codestats FOLDER   another one, such as a checkout of an older commit
//
// Test files, testdata and node_modules are left out. A function's length is that of its body without the lines of its
// braces; a body of one line counts as one.
package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	packages, err := measure(root)
	if err == nil {
		err = write(os.Stdout, packages)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "codestats:", err)
		os.Exit(1)
	}
}

// stats are the figures of one package.
type stats struct {
	name    string
	files   int
	lines   int
	lengths []int // of its functions, in lines
}

// measure reads the production files below root and gives the packages by name, and all of them together at the end.
func measure(root string) ([]stats, error) {
	packages := map[string]*stats{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"node_modules", "testdata", ".git"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return add(packages, root, path)
	})
	return sorted(packages), err
}

// add reads a file into the figures of its package, which is named by its folder.
func add(packages map[string]*stats, root, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	p, ok := packages[folder]
	if !ok {
		p = &stats{name: folder}
		packages[folder] = p
	}
	p.files++
	p.lines += strings.Count(string(text), "\n")
	return p.addFunctions(path, text)
}

func (s *stats) addFunctions(path string, text []byte) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			between := set.Position(f.Body.Rbrace).Line - set.Position(f.Body.Lbrace).Line - 1
			s.lengths = append(s.lengths, max(1, between))
		}
	}
	return nil
}

func sorted(packages map[string]*stats) []stats {
	var list []stats
	all := stats{name: "all"}
	for _, p := range packages {
		slices.Sort(p.lengths)
		list = append(list, *p)
		all.files += p.files
		all.lines += p.lines
		all.lengths = append(all.lengths, p.lengths...)
	}
	slices.Sort(all.lengths)
	slices.SortFunc(list, func(a, b stats) int { return cmp.Compare(a.name, b.name) })
	return append(list, all)
}

func write(out io.Writer, packages []stats) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "files\tlines\tfunctions\tmedian\tp95\tmax\t  package")
	for _, p := range packages {
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t  %s\n",
			p.files, p.lines, len(p.lengths), p.percentile(50), p.percentile(95), p.percentile(100), p.name)
	}
	return w.Flush()
}

// percentile is the length that so many percent of the functions do not exceed.
func (s stats) percentile(percent int) int {
	if len(s.lengths) == 0 {
		return 0
	}
	return s.lengths[(len(s.lengths)*percent+99)/100-1]
}
