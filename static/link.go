package static

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// A linker puts a module and all that it imports into one, each in a block of its own behind
// those that it imports. A block leaves what it exports in an object under its name.
//
// Lines stay whole, and the source map says of each where it comes from. What the modules do
// not use is refused: imports in a circle or of several lines, default exports, exported
// variables that change, and import.meta below the folder of the first module.
type linker struct {
	read    func(name string) ([]byte, error)
	folder  string          // of the first module, with the slash at its end
	visited map[string]bool // true once linked, false while what it imports is
	code    bytes.Buffer
	sources []string
	lines   []int // of each source
}

var (
	importLine = regexp.MustCompile(`(?m)^import (?:\* as (\w+)|\{ ([\w, ]+) \}) from '(\.[^']+)';$`)
	exportLine = regexp.MustCompile(`(?m)^export ((?:async )?function|class|const) (\w+)`)
	unknown    = regexp.MustCompile(`(?m)^(import|export)\b.*$`)
)

// A program is linked modules; its source map is expected beside it, under its name and ".map".
type program struct{ code, sourceMap []byte }

// link returns the program that begins with a module.
func link(read func(name string) ([]byte, error), module string) (program, error) {
	l := &linker{read: read, folder: path.Dir(module) + "/", visited: map[string]bool{}}
	l.code.WriteString("const $ = {};\n")
	if err := l.add(module); err != nil {
		return program{}, err
	}
	fmt.Fprintf(&l.code, "//# sourceMappingURL=%s.map\n", path.Base(module))
	sourceMap, err := json.Marshal(map[string]any{"version": 3, "sources": l.sources, "names": []string{}, "mappings": l.mappings()})
	return program{l.code.Bytes(), sourceMap}, err
}

func (l *linker) add(name string) error {
	if linked, seen := l.visited[name]; seen {
		if !linked {
			return fmt.Errorf("%s imports itself by way of others", name)
		}
		return nil
	}
	l.visited[name] = false
	source, err := l.read(name)
	if err != nil {
		return err
	}
	for _, m := range importLine.FindAllSubmatch(source, -1) {
		if err := l.add(path.Join(path.Dir(name), string(m[3]))); err != nil {
			return err
		}
	}
	l.visited[name] = true
	return l.block(name, source)
}

// block appends the block of a module.
func (l *linker) block(name string, source []byte) error {
	var exports []string
	for _, m := range exportLine.FindAllSubmatch(source, -1) {
		exports = append(exports, string(m[2]))
	}
	source = importLine.ReplaceAllFunc(source, func(line []byte) []byte { return imported(name, line) })
	source = exportLine.ReplaceAll(source, []byte("$1 $2"))
	if line := unknown.Find(source); line != nil {
		return fmt.Errorf("%s: cannot be linked: %s", name, line)
	}
	if path.Dir(name)+"/" != l.folder && bytes.Contains(source, []byte("import.meta")) {
		return fmt.Errorf("%s: import.meta would be that of a module in %s", name, l.folder)
	}
	l.sources = append(l.sources, strings.TrimPrefix(name, l.folder))
	l.lines = append(l.lines, bytes.Count(source, []byte("\n")))
	fmt.Fprintf(&l.code, "{%s$['%s'] = { %s };}\n", source, name, strings.Join(exports, ", "))
	return nil
}

// imported returns an import of a module as a declaration of what the other's block has left.
func imported(name string, line []byte) []byte {
	m := importLine.FindSubmatch(line)
	names := string(m[1])
	if names == "" {
		names = "{ " + strings.ReplaceAll(string(m[2]), " as ", ": ") + " }"
	}
	return fmt.Appendf(nil, "const %s = $['%s'];", names, path.Join(path.Dir(name), string(m[3])))
}

// mappings returns where each line comes from, as the format of source maps has it: a line of
// the program is one of the sources from its first column on. Numbers are differences to those before.
func (l *linker) mappings() string {
	var out strings.Builder
	out.WriteByte(';') // the declaration of $
	for i, lines := range l.lines {
		back := 0
		if i > 0 {
			back = -l.lines[i-1]
		}
		out.WriteString("A" + digits(min(i, 1)) + digits(back) + "A;")
		out.WriteString(strings.Repeat("AACA;", lines))
	}
	return out.String()
}

// digits returns a number as base 64 digits of five bits, the lowest first, in which the lowest bit of all is the sign.
func digits(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	rest := n << 1
	if n < 0 {
		rest = -n<<1 | 1
	}
	var out []byte
	for ; rest > 31; rest >>= 5 {
		out = append(out, alphabet[rest&31|32])
	}
	return string(append(out, alphabet[rest]))
}
