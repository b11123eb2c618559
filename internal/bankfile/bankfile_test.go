package bankfile

import (
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/models"
)

var update = flag.Bool("update", false, "write the expected rows anew")

// A reading is what a file says, for a person to compare with it.
type reading struct {
	Error     string            `json:"error,omitempty"`
	Kind      string            `json:"kind,omitempty"`
	App       string            `json:"app,omitempty"`
	Mapping   map[string]string `json:"mapping,omitempty"`
	Columns   Columns           `json:"columns,omitempty"`
	Questions []string          `json:"questions,omitempty"`
	Rows      []readRow         `json:"rows,omitempty"`
}

type readRow struct {
	Line    int      `json:"line"`
	Problem string   `json:"problem,omitempty"`
	Day     string   `json:"day,omitempty"`
	Amount  string   `json:"amount,omitempty"`
	Type    string   `json:"type,omitempty"`
	Texts   []string `json:"texts,omitempty"` // description, merchant, category, notes, tags, currency
	Account string   `json:"account,omitempty"`
	ID      string   `json:"id,omitempty"`
}

func read(t *testing.T, data []byte, query string) reading {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping(q)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(data, m)
	if err != nil {
		return reading{Error: models.Message(err)}
	}
	out := reading{Kind: f.Kind, App: f.App, Columns: f.Mapping.Columns, Questions: f.Questions, Mapping: map[string]string{
		"delimiter": f.Mapping.Delimiter, "encoding": f.Mapping.Encoding, "decimal": f.Mapping.Decimal,
		"dates": f.Mapping.Dates, "sign": f.Mapping.Sign, "header": f.Mapping.Header,
	}}
	err = f.Rows(func(r Row) error {
		row := readRow{Line: r.Line, Problem: r.Problem, Account: r.Account, ID: r.ID}
		if r.Problem == "" {
			d := r.Draft()
			if vs := d.Check(); len(vs) > 0 {
				t.Errorf("line %d: the entry breaks %v", r.Line, vs)
			}
			row.Day, row.Amount, row.Type = r.Day.String(), d.Amount.String(), d.Type
			row.Texts = []string{d.Description, d.Merchant, d.Category, d.Notes, strings.Join(d.Tags.List(), ","), d.Currency}
		}
		out.Rows = append(out.Rows, row)
		return nil
	})
	if err != nil {
		out.Error = models.Message(err)
	}
	return out
}

func TestReportedFiles(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		if len(cells) < 5 || !strings.HasPrefix(line, "| `") {
			continue
		}
		n++
		name, query := strings.Trim(cells[1], " `"), strings.Trim(cells[4], " `")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, filepath.Join("testdata", name), query)
		})
	}
	if n < 60 {
		t.Errorf("%d files", n)
	}
}

func compare(t *testing.T, path, query string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(read(t, data, query), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path+".json", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestFilesOfOtherKindsAreRefusedWithASentence(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                      "empty",
		" \n\n":                 "empty",
		"PK\x03\x04rest":        "spreadsheet",
		"%PDF-1.7":              "PDF",
		"\x1f\x8b\x08":          "compressed",
		"!Type:Bank\nD1/2/26\n": "QIF",
		`<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">`: "CAMT",
		"<!DOCTYPE html><html>":     "web page",
		"<?xml version='1.0'?><a/>": "XML but not OFX",
		`{"a":1}`:                   "JSON",
		"a,b\nc\x00d,e\n":           "not text",
		"nothing here":              "one column",
	} {
		if got := read(t, []byte(content), ""); !strings.Contains(got.Error, want) {
			t.Errorf("%q: %+v, want %q", content, got, want)
		}
	}
}

// Limits are of bytes and of rows, and the sentence names them.
func TestFileBeyondTheLimitsIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Open(make([]byte, MaxBytes+1), Mapping{})
	if models.KindOf(err) != models.TooLarge || !strings.Contains(models.Message(err), "10 MB") {
		t.Errorf("bytes: %v", err)
	}
	rows := "Date,Amount\n" + strings.Repeat("2026-01-02,-1.00\n", MaxRows+1)
	if got := read(t, []byte(rows), ""); !strings.Contains(got.Error, "50000 rows") {
		t.Errorf("rows: %q", got.Error)
	}
}

// Files that were made to cost more than they are long are read in time linear in their length.
func TestHostileFilesAreReadInLinearTime(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	for name, content := range map[string]string{
		"quotes that never close": "Date,Amount\n" + strings.Repeat("\"x\n", 1<<18),
		"quotes in one line":      "Date,Amount\n" + strings.Repeat(`"x`, 1<<18),
		"delimiters":              "Date,Amount\n" + strings.Repeat(",", 1<<20),
		"open tags":               "OFXHEADER:100\n<OFX>" + strings.Repeat("<A>", 1<<18),
		"angles":                  "OFXHEADER:100\n<OFX>" + strings.Repeat("<", 1<<20),
		"transactions":            "OFXHEADER:100\n<OFX>" + strings.Repeat("<STMTTRN><NAME>x", 1<<16),
		"entities":                "OFXHEADER:100\n<OFX><STMTTRN><NAME>" + strings.Repeat("&amp;", 1<<18),
		"letters for a date":      "Date,Amount\n" + strings.Repeat("january ", 1<<16) + ",1.00\n",
	} {
		began, n := time.Now(), 0
		f, err := Open([]byte(content), Mapping{})
		if err == nil {
			_ = f.Rows(func(Row) error {
				if n++; n > MaxRows {
					return stop
				}
				return nil
			})
		}
		if d := time.Since(began); d > time.Minute { // quadratic work would take hours
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestMappingIsChecked(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"delimiter=x":                "delimiter",
		"decimal=%3B":                "decimal",
		"dates=ydm":                  "dates",
		"sign=up":                    "sign",
		"encoding=ebcdic":            "encoding",
		"header=-1":                  "header",
		"currency=12":                "currency",
		"columns=date:0":             "columns",
		"columns=price:1":            "columns",
		"columns=date":               "columns",
		"columns=date:1,amount:9999": "columns",
	} {
		q, _ := url.ParseQuery(query)
		if _, err := ParseMapping(q); models.KindOf(err) != models.Invalid || !strings.Contains(models.Message(err), want) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// A column that is named but not there is said, not left empty.
func TestMappedColumnThatIsNotThere(t *testing.T) {
	t.Parallel()
	got := read(t, []byte("Date,Amount\n2026-01-02,-1.00\n"), "columns=date:1,amount:5")
	if !strings.Contains(got.Error, "2 columns") {
		t.Errorf("%+v", got)
	}
}

// Two exports that overlap name what is in both alike.
func TestKeysAgreeBetweenExports(t *testing.T) {
	t.Parallel()
	keys := func(content string) (keys []string) {
		f, err := Open([]byte(content), Mapping{Dates: "dmy"})
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Rows(func(r Row) error { keys = append(keys, r.Key()); return nil })
		return keys
	}
	january := keys("Date;Text;Amount\n30.01.2026;Tea;-1.234,50\n31.01.2026;Cake;-4,00\n")
	february := keys("\ufeffDate,Text,Amount\r\n2026-01-31,Cake,-4.00\r\n2026-02-01,Tea,-1.00\r\n")
	if january[1] != february[0] || january[0] == january[1] {
		t.Errorf("%v, %v", january, february)
	}
}

func FuzzOpen(f *testing.F) {
	for _, pattern := range []string{"testdata/*.csv", "testdata/*.ofx", "testdata/*.qfx", "testdata/*.txt"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opened, err := Open(data, Mapping{})
		if err != nil {
			if models.Message(err) == "" || (models.KindOf(err) != models.Invalid && models.KindOf(err) != models.TooLarge) {
				t.Fatalf("not a sentence for users: %v", err)
			}
			return
		}
		for _, q := range opened.Questions {
			if Ask(q) == "" {
				t.Fatalf("no question for %q", q)
			}
		}
		last := 0
		_ = opened.Rows(func(r Row) error {
			if r.Line <= last {
				t.Fatalf("line %d after %d", r.Line, last)
			}
			last = r.Line
			if d := r.Draft(); r.Problem == "" && !fits(d) {
				t.Fatalf("a row without a problem is no entry: %+v: %v", d, d.Check())
			}
			return nil
		})
	})
}

// fits reports whether an entry breaks no rule but those of the amount.
func fits(d models.Draft) bool {
	for _, v := range d.Check() {
		if v.Field != "amount" {
			return false
		}
	}
	return true
}
