package bankfile

import "strings"

// maxQuotedLines is how many line breaks the quoted cells of one record may have. A quote that is
// open for longer was not meant as one.
const maxQuotedLines = 20

// maxInVain is how many lines of a file are read for quotes that do not close. Afterwards a
// record is a line, so that work stays linear with the file.
const maxInVain = MaxRows

// A record is a row of a table as it is written.
type record struct {
	line    int // where it begins, from 1
	cells   []string
	problem string // why its cells mean nothing; "" if they do
}

// A recordReader takes a table apart, by its lines and the quotes in them. It is not
// encoding/csv, which ends with the first misplaced quote: here that is the problem of one row.
type recordReader struct {
	rest      string
	delimiter byte
	line      int // of the beginning of rest
	inVain    int // lines that were read for quotes that do not close
}

func newRecordReader(text string, delimiter byte) *recordReader {
	return &recordReader{rest: text, delimiter: delimiter, line: 1}
}

// next returns the next record that is not blank; false at the end.
func (r *recordReader) next() (record, bool) {
	for r.skipBlank(); r.rest != ""; r.skipBlank() {
		rec := record{line: r.line}
		if !r.quoted(&rec) {
			rec.cells = splitLine(r.cutLine(), r.delimiter)
			rec.problem = "A quote opens in this line and does not close"
		}
		if !blank(rec.cells) {
			return rec, true
		}
	}
	return record{}, false
}

// skipBlank moves behind lines that have nothing but delimiters and empty cells: exports may have
// hundreds of thousands of them.
func (r *recordReader) skipBlank() {
	for r.rest != "" {
		n := 0
		for n < len(r.rest) && (r.rest[n] == r.delimiter || r.rest[n] == ' ') || r.emptyQuotes(n) {
			if r.rest[n] == '"' {
				n++
			}
			n++
		}
		if !r.lineEnds(n) {
			return
		}
		r.rest, r.line = cutNewline(r.rest[n:]), r.line+1
	}
}

// emptyQuotes reports whether an empty cell in quotes begins at n.
func (r *recordReader) emptyQuotes(n int) bool {
	return strings.HasPrefix(r.rest[n:], `""`) && (r.lineEnds(n+2) || r.rest[n+2] == r.delimiter)
}

func (r *recordReader) lineEnds(n int) bool {
	return n == len(r.rest) || r.rest[n] == '\r' || r.rest[n] == '\n'
}

// quoted reads a record into rec, and moves behind it. Without that it returns false if a quote
// does not close.
func (r *recordReader) quoted(rec *record) bool {
	rest, lines := r.rest, 0
	for {
		cell, after, newlines, ok := r.cell(rest)
		if lines += newlines; !ok || lines > maxQuotedLines || lines > 0 && r.inVain > maxInVain {
			r.inVain += lines
			return false
		}
		if rec.cells = append(rec.cells, cell); len(rec.cells) > maxColumns {
			rec.cells, rec.problem = rec.cells[:maxColumns], "This line has more than 200 columns"
		}
		if after == "" || after[0] != r.delimiter {
			r.rest, r.line = cutNewline(after), r.line+lines+1
			return true
		}
		rest = after[1:]
	}
}

// cell reads one cell. after begins with a delimiter or the end of the line, or is empty.
func (r *recordReader) cell(s string) (cell, after string, newlines int, ok bool) {
	start := strings.TrimLeft(s, " ")
	if strings.HasPrefix(start, `"`) || strings.HasPrefix(start, `="`) {
		return r.quotedCell(start[strings.IndexByte(start, '"')+1:])
	}
	end := 0
	for end < len(s) && s[end] != r.delimiter && s[end] != '\r' && s[end] != '\n' {
		end++
	}
	return clean(s[:end]), s[end:], 0, true
}

// quotedCell reads a cell behind its opening quote. A quote before anything but a delimiter or
// the end of the line is text; behind a line break it is that of another cell, and this one
// never closed.
func (r *recordReader) quotedCell(s string) (cell, after string, newlines int, ok bool) {
	var b strings.Builder
	for {
		i := 0
		for i < len(s) && s[i] != '"' && s[i] != '\n' && i <= maxCell {
			i++
		}
		if i == len(s) || b.Len()+i > maxCell {
			return "", "", 0, false
		}
		b.WriteString(s[:i])
		c := s[i]
		s = s[i+1:]
		switch {
		case c == '\n':
			if newlines++; newlines > maxQuotedLines {
				return "", "", 0, false
			}
			b.WriteByte('\n')
		case strings.HasPrefix(s, `"`):
			b.WriteByte('"')
			s = s[1:]
		case r.closes(s):
			return clean(b.String()), r.trimLeft(s), newlines, true
		case newlines > 0:
			return "", "", 0, false
		default:
			b.WriteByte('"')
		}
	}
}

// closes reports whether a quote before s ends its cell.
func (r *recordReader) closes(s string) bool {
	s = r.trimLeft(s)
	return s == "" || s[0] == r.delimiter || s[0] == '\n' || s[0] == '\r'
}

// trimLeft removes what may be between a quote and a delimiter.
func (r *recordReader) trimLeft(s string) string {
	if r.delimiter == '\t' {
		return strings.TrimLeft(s, " ")
	}
	return strings.TrimLeft(s, " \t")
}

// cutLine returns the line at which the reader is, without its end, and moves behind it.
func (r *recordReader) cutLine() string {
	end := strings.IndexAny(r.rest, "\r\n")
	if end < 0 {
		end = len(r.rest)
	}
	line := r.rest[:end]
	r.rest, r.line = cutNewline(r.rest[end:]), r.line+1
	return line
}

// cutNewline removes one end of a line: LF, CR LF or CR.
func cutNewline(s string) string {
	s, cr := strings.CutPrefix(s, "\r")
	if after, lf := strings.CutPrefix(s, "\n"); lf || cr {
		return after
	}
	return s
}

func splitLine(line string, delimiter byte) []string {
	cells := strings.SplitN(line, string(delimiter), maxColumns+1)
	for i := range cells {
		cells[i] = clean(strings.Trim(cells[i], `"`))
	}
	return cells
}

func blank(cells []string) bool {
	for _, c := range cells {
		if c != "" {
			return false
		}
	}
	return true
}

// clean removes what nobody sees from a text: white space around it, control characters, and
// the apostrophe by which exports keep spreadsheets from evaluating it.
func clean(s string) string {
	if s = strings.TrimFunc(s, isSpace); s == "" {
		return ""
	}
	if len(s) > maxCell {
		s = strings.ToValidUTF8(s[:maxCell], "")
	}
	s = strings.TrimFunc(strings.Map(visible, s), isSpace)
	if len(s) > 1 && s[0] == '\'' && strings.IndexByte("=+-@", s[1]) >= 0 {
		return s[1:]
	}
	return s
}

func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\u00a0' || r == '\u202f'
}

func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return ' '
	case r < ' ' || (r >= 0x7f && r < 0xa0) || r == '\ufeff' || r == '\u200b' || (r >= '\u202a' && r <= '\u202e'):
		return -1
	}
	return r
}
