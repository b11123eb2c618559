package bankfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"expenseflow/models"
)

// sampled is how many records are read to guess delimiter and columns, and in how many bytes of the
// beginning; a header is among them.
const (
	sampled      = 60
	sampledBytes = 256 << 10
)

// openTable recognises a table.
func openTable(text string, m Mapping) (*File, error) {
	if line, after, ok := strings.Cut(text, "\n"); ok && m.Delimiter == "" {
		if sign, found := strings.CutPrefix(strings.TrimRight(line, "\r"), "sep="); found && slices.Contains(Delimiters, sign) {
			m.Delimiter, text = sign, "\n"+after // spreadsheets say so; the lines keep their numbers
		}
	}
	g := guessLayout(text, m)
	f := &File{Kind: KindTable, App: g.app, Mapping: m, text: text, table: newTable(g.app)}
	if len(g.columns) < 2 && !m.Columns.complete() {
		return nil, models.E(models.Invalid, "The file has one column, so no dates with amounts: is it the export of an account?")
	}
	f.Mapping.Delimiter, f.Mapping.Header, f.Mapping.Columns = g.delimiter, g.headerText(), g.fields
	f.Columns = g.columns
	if !f.Mapping.Columns.complete() {
		f.Questions = append(f.Questions, "columns")
		f.Mapping.Decimal, f.Mapping.Dates, f.Mapping.Sign = cmp.Or(m.Decimal, "."), cmp.Or(m.Dates, "dmy"), cmp.Or(m.Sign, "minus")
		return f, nil
	}
	for f, n := range f.Mapping.Columns {
		if n > len(g.columns) {
			return nil, models.E(models.Invalid, fmt.Sprintf("There are %d columns, and %s is said to be number %d", len(g.columns), f, n))
		}
	}
	f.decide(m)
	return f, nil
}

// A layout is a guess at the columns of a table.
type layout struct {
	delimiter string
	header    int // line; 0 is none
	app       string
	fields    Columns
	columns   []Column
	score     int
}

func (l *layout) headerText() string {
	if l.header == 0 {
		return "none"
	}
	return strconv.Itoa(l.header)
}

// guessLayout returns the likeliest layout with what m decides.
func guessLayout(text string, m Mapping) layout {
	delimiters := Delimiters
	if m.Delimiter != "" {
		delimiters = []string{m.Delimiter}
	}
	var best layout
	for i, d := range delimiters {
		if l := layoutWith(text, d, m); i == 0 || l.score > best.score {
			best = l
		}
	}
	return best
}

// layoutWith returns the likeliest layout with a delimiter.
func layoutWith(text, delimiter string, m Mapping) layout {
	records := sample(text, delimiter)
	l := layout{delimiter: delimiter, fields: Columns{}}
	body := records
	for i, r := range records {
		if fields, app := recognise(r.cells); m.Header == "" && fields.complete() || r.line == m.headerLine() {
			l.header, l.app, l.fields, body = r.line, app, fields, records[i+1:]
			l.score = 1000 + 10*len(fields)
			break
		}
	}
	if l.header == 0 && m.Header == "" && firstNames(records) {
		l.header, body = records[0].line, records[1:]
		l.fields = columnsByName(records[0].cells)
	}
	l.columns = describe(records, l.header, body)
	if l.score == 0 {
		l.score = len(l.fields)
	}
	l.fields.add(byContent(body, len(l.columns)))
	if l.score < 1000 && l.fields.complete() {
		l.score += 100
	}
	l.score += min(len(l.columns), 9)
	if len(m.Columns) > 0 {
		l.fields = m.Columns
	}
	return l
}

// firstNames reports whether the first record names the columns of the second, in words that are
// not known.
func firstNames(records []record) bool {
	return len(records) > 1 && len(records[0].cells) > 1 && len(records[0].cells) == len(records[1].cells) &&
		!looksLikeData(records[0].cells) && looksLikeData(records[1].cells)
}

// add adds the fields of others that are missing, in columns that have none.
func (c Columns) add(others Columns) {
	taken := map[int]bool{}
	for _, column := range c {
		taken[column] = true
	}
	for _, f := range headerOrder {
		if column := others[f]; c[f] == 0 && column > 0 && !taken[column] && !c.excludes(f) {
			c[f] = column
		}
	}
	if c[Merchant] > 0 && c[Description] == others[Description] {
		delete(c, Description) // its name says less than the merchant's
	}
}

// recognise returns the fields of a header. That of a known program goes by its own names.
func recognise(names []string) (Columns, string) {
	for _, a := range apps {
		if fields := a.columns(names); fields != nil {
			return fields, a.name
		}
	}
	if looksLikeData(names) {
		return Columns{}, ""
	}
	return columnsByName(names), ""
}

// looksLikeData reports whether a row has a date, as no header does.
func looksLikeData(cells []string) bool {
	return slices.ContainsFunc(cells, func(c string) bool {
		_, ok := parseDate(c, "dmy")
		_, us := parseDate(c, "mdy")
		return ok || us
	})
}

func sample(text, delimiter string) (records []record) {
	if len(text) > sampledBytes {
		text = text[:sampledBytes]
		text = text[:strings.LastIndexAny(text, "\r\n")+1]
	}
	r := newRecordReader(text, delimiter[0])
	for len(records) < sampled {
		rec, ok := r.next()
		if !ok {
			break
		}
		records = append(records, rec)
	}
	return records
}

// describe returns the columns: as many as most rows behind the header have, or the header.
func describe(records []record, header int, body []record) []Column {
	counts := map[int]int{}
	width := 0
	for _, r := range body {
		if counts[len(r.cells)]++; counts[len(r.cells)] > counts[width] {
			width = len(r.cells)
		}
	}
	var names []string
	for _, r := range records {
		if r.line == header {
			names = r.cells
		}
	}
	columns := make([]Column, max(width, len(names)))
	for i := range columns {
		columns[i].Name = shorten(cellAt(names, i+1), 60)
		for _, r := range body {
			if columns[i].Sample == "" && len(r.cells) == width {
				columns[i].Sample = shorten(cellAt(r.cells, i+1), 60)
			}
		}
	}
	return columns
}

// byContent finds the columns of a table without a header: the first with dates, the first with
// amounts, and the one with the longest texts.
func byContent(records []record, width int) Columns {
	fields, longest := Columns{}, 0
	for i := 1; i <= width; i++ {
		dates, amounts, letters, texts := contentOf(records, i)
		switch {
		case texts > 0 && dates*10 >= texts*7 && fields[Date] == 0:
			fields[Date] = i
		case texts > 0 && amounts*10 >= texts*7 && fields[Amount] == 0:
			fields[Amount] = i
		case dates == 0 && amounts == 0 && letters > longest:
			fields[Description], longest = i, letters
		}
	}
	return fields
}

// contentOf counts what is in a column: dates, amounts with decimals, letters, and texts.
func contentOf(records []record, column int) (dates, amounts, letters, texts int) {
	for _, r := range records {
		cell := cellAt(r.cells, column)
		if cell == "" {
			continue
		}
		texts++
		letters += lettersIn(cell)
		_, dmy := parseDate(cell, "dmy")
		_, mdy := parseDate(cell, "mdy")
		n, ok := splitAmount(cell)
		switch {
		case dmy || mdy:
			dates++
		case ok && (strings.ContainsAny(n.digits, ".,") || n.negative):
			amounts++
		}
	}
	return dates, amounts, letters, texts
}

func lettersIn(s string) (n int) {
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// decide sets what the whole table shows: the order of dates, the decimal sign, and the sign of
// what was spent. asked is what the caller decided.
func (f *File) decide(asked Mapping) {
	f.table.study(f.text, f.Mapping)
	t, m := f.table, &f.Mapping
	var known bool
	likely := "."
	if m.Delimiter == ";" {
		likely = ","
	}
	if m.Decimal, known = t.decimals.sign(likely); !known && asked.Decimal == "" {
		f.Questions = append(f.Questions, "decimal")
	}
	m.Decimal = cmp.Or(asked.Decimal, m.Decimal)
	likely = "dmy"
	if m.Decimal == "." && m.Delimiter == "," {
		likely = "mdy"
	}
	if m.Dates, known = t.dates.order(likely); !known && asked.Dates == "" {
		f.Questions = append(f.Questions, "dates")
	}
	m.Dates = cmp.Or(asked.Dates, m.Dates)
	if m.Sign, known = t.sign(m.Columns); !known && asked.Sign == "" {
		f.Questions = append(f.Questions, "sign")
	}
	m.Sign = cmp.Or(asked.Sign, m.Sign)
}
