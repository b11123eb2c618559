// Package bankfile reads the files that banks and other programs export: tables (CSV) and OFX.
//
// What it promises:
//
//   - Open guesses how a file is to be read, and says what it cannot know (File.Questions).
//     A Mapping decides whatever it names, the rest is guessed.
//   - A row that cannot be read has a Problem, one sentence, and its neighbours are read. Nothing
//     is dropped silently.
//   - Text is data: a formula is not evaluated, markup is not resolved beyond the characters that
//     OFX escapes.
//   - Work and memory grow linearly with the file, which has at most MaxBytes and MaxRows.
//   - The same bytes with the same Mapping give the same rows, and a row that is in two exports
//     of one account has the same Key in both.
package bankfile

import (
	"bytes"
	"strings"

	"expenseflow/models"
)

// Limits of one file.
const (
	MaxBytes = 10 << 20
	MaxRows  = 50_000
)

const (
	maxColumns = 200
	maxCell    = 8 << 10 // bytes of one cell or of one element's text
)

// The kinds of files.
const (
	KindTable = "csv"
	KindOFX   = "ofx"
)

// A File is an opened file.
type File struct {
	Kind string // KindTable or KindOFX
	App  string // the program whose export it is, such as "Firefly III"; "" if unknown

	Mapping   Mapping  // complete: what was asked for, and the guesses; of OFX the encoding alone
	Columns   []Column // of a table
	Questions []string // names of the Mapping's fields that the file does not decide; see Ask

	text  string
	table *table // of a table
}

// A Column is a column of a table.
type Column struct {
	Name   string // from the header; "" without one
	Sample string // the first text in it
}

// A Row is one entry of a file.
type Row struct {
	Line int // where it begins, from 1; in OFX the number of the transaction

	Day         models.Day
	Amount      models.Money // negative if it was spent
	Currency    string       // a code; "": none is named
	Description string
	Merchant    string
	Category    string // as the file names it
	Notes       string
	Tags        []string
	Account     string
	ID          string // the bank's (FITID), which need not be unique; "" if it has none

	Problem string // why it cannot be imported, a sentence; "" if it can
}

// Open recognises a file and how it is to be read. m decides what it names.
//
// The error is models.Invalid or models.TooLarge with one sentence: it is none of the files that
// this package reads.
func Open(data []byte, m Mapping) (*File, error) {
	if len(data) > MaxBytes {
		return nil, ErrTooLarge
	}
	if why := foreign(data); why != "" {
		return nil, models.E(models.Invalid, why)
	}
	text, encoding, err := decode(data, m.Encoding)
	if err != nil {
		return nil, err
	}
	m.Encoding = encoding
	if isOFX(text) {
		return &File{Kind: KindOFX, Mapping: Mapping{Encoding: encoding, Currency: m.Currency}, text: text}, nil
	}
	if why := foreignText(text); why != "" {
		return nil, models.E(models.Invalid, why)
	}
	return openTable(text, m)
}

// Rows calls fn with each row, in the file's order, and returns fn's error; or
// models.TooLarge after MaxRows. Each Question must have been answered, or its guess is used.
func (f *File) Rows(fn func(Row) error) error {
	n := 0
	counted := func(r Row) error {
		if n++; n > MaxRows {
			return errManyRows
		}
		if r.Problem == "" && r.Currency == "" {
			r.Currency = f.Mapping.Currency
		}
		return fn(r)
	}
	if f.Kind == KindOFX {
		return ofxRows(f.text, counted)
	}
	return f.table.rows(f.text, f.Mapping, counted)
}

// Count returns how many rows Rows has. Its error is that of Rows for a file with too many.
func (f *File) Count() (n int64, err error) {
	if f.table != nil && f.table.count > MaxRows {
		return 0, errManyRows
	}
	if f.table != nil {
		return int64(f.table.count), nil
	}
	err = f.Rows(func(Row) error {
		n++
		return nil
	})
	return n, err
}

// Ask returns the question about a field of the Mapping that Questions names: one sentence.
func Ask(question string) string {
	return map[string]string{
		"columns": "Which column has the date, and which the amount? Name them, such as columns=date:1,amount:3",
		"dates":   "Is 03/04 the third of April (dates=dmy) or the fourth of March (dates=mdy)?",
		"decimal": "Is 1.234 a thousand (decimal=,) or a little more than one (decimal=.)?",
		"sign":    "All amounts have the same sign: were they spent (sign=plus) or received (sign=minus)?",
	}[question]
}

// CodeTooLarge is the code of models.TooLarge.
const CodeTooLarge = "IMPORT_TOO_LARGE"

// ErrTooLarge is the error of a file with more than MaxBytes.
var ErrTooLarge = tooLarge("The file has more than 10 MB (10485760 bytes): export a shorter time, or split it")

func tooLarge(msg string) error {
	return &models.Error{Kind: models.TooLarge, Msg: msg, Code: CodeTooLarge, Setting: models.FixedLimit}
}

// foreign recognises files of other kinds by their first bytes, and says what to do.
func foreign(data []byte) string {
	starts := func(magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "The file is empty"
	case starts("PK\x03\x04"), starts("\xd0\xcf\x11\xe0"):
		return "This is a spreadsheet or an archive: save it as CSV first"
	case starts("%PDF"):
		return "This is a PDF: ask the bank for CSV or OFX"
	case starts("\x1f\x8b"):
		return "The file is compressed: unpack it first"
	}
	return ""
}

// foreignText is foreign for files that are text.
func foreignText(text string) string {
	head := strings.ToLower(strings.TrimSpace(text[:min(len(text), 1000)]))
	switch {
	case strings.HasPrefix(head, "!type:"), strings.HasPrefix(head, "!account"), strings.HasPrefix(head, "!option:"):
		return "This is QIF: export CSV or OFX instead"
	case strings.HasPrefix(head, "<!doctype html"), strings.HasPrefix(head, "<html"):
		return "This is a web page, perhaps that of a sign-in, and not the file"
	case strings.HasPrefix(head, "<") && strings.Contains(head, "camt.05"):
		return "This is CAMT: export CSV or OFX instead"
	case strings.HasPrefix(head, "<?xml"), strings.HasPrefix(head, "<"):
		return "This is XML but not OFX: export CSV or OFX instead"
	case strings.HasPrefix(head, "{"), strings.HasPrefix(head, "["):
		return "This is JSON, but not an export of this program: export CSV instead"
	case strings.Contains(text, "\x00"):
		return "The file is not text: export CSV or OFX"
	}
	return ""
}
