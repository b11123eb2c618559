package static

import (
	"bytes"
	"strings"
)

// withoutComments empties the lines of a source that are nothing but a comment, and takes the
// indentation from the others: a quarter of what a browser would load is written for people. The
// lines stay, so that an error names the line of the source. Inside a template literal of several lines, all stays.
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
