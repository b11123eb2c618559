package static

import (
	"bytes"
	"embed"
	"io/fs"
	"path"
	"strings"
)

// A commentless file system has the files of another one, its modules and styles without
// comments and indentation: a quarter of what a browser would load is written for people. The lines stay, so
// that an error names the line of the source.
type commentless struct{ embed.FS }

// Open implements fs.FS.
func (c commentless) Open(name string) (fs.File, error) {
	if ext := path.Ext(name); ext != ".js" && ext != ".css" {
		return c.FS.Open(name)
	}
	source, err := c.FS.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &commentlessFile{f, bytes.NewReader(withoutComments(source))}, nil
}

// ReadFile implements fs.ReadFileFS, which embed.FS would else do with comments.
func (c commentless) ReadFile(name string) ([]byte, error) {
	source, err := c.FS.ReadFile(name)
	if ext := path.Ext(name); err == nil && (ext == ".js" || ext == ".css") {
		source = withoutComments(source)
	}
	return source, err
}

type commentlessFile struct {
	fs.File
	content *bytes.Reader
}

func (f *commentlessFile) Read(b []byte) (int, error) { return f.content.Read(b) }

// Seek implements io.Seeker.
func (f *commentlessFile) Seek(offset int64, whence int) (int64, error) {
	return f.content.Seek(offset, whence)
}

// withoutComments empties the lines of a source that are nothing but a comment, and takes the
// indentation from the others. Inside a template literal of several lines, all stays.
func withoutComments(source []byte) []byte {
	out := make([]byte, 0, len(source))
	block, literal := false, false
	for line := range bytes.Lines(source) {
		text := strings.TrimSpace(string(line))
		if block || !literal && opensComment(text) {
			block = !strings.HasSuffix(text, "*/")
			out = append(out, '\n')
			continue
		}
		if !literal && strings.HasPrefix(text, "//") {
			out = append(out, '\n')
			continue
		}
		if !literal {
			line = bytes.TrimLeft(line, " ")
		}
		literal = literal != (strings.Count(text, "`")%2 == 1)
		out = append(out, line...)
	}
	return out
}

// opensComment reports whether nothing but a comment stands on a line, or on the first of its lines.
func opensComment(text string) bool {
	end := strings.Index(text, "*/")
	return strings.HasPrefix(text, "/*") && (end < 0 || end == len(text)-len("*/"))
}
