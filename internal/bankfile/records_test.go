package bankfile

import (
	"strings"
	"testing"
)

// Cells that go over several lines, and at last a quote that never closes: each line would be the
// beginning of another attempt to read all of the others as one record.
func TestAQuoteThatNeverClosesKeepsNobodyWaiting(t *testing.T) {
	text := strings.Repeat("\"a\nb\",", 300_000) + `"`
	r, n := newRecordReader(text, ','), 0
	for {
		if _, ok := r.next(); !ok {
			break
		}
		n++
	}
	if n < 300_000 {
		t.Errorf("%d records", n)
	}
}

// Digits that are none of 0 to 9 are letters of a text here, as Arabic and full-width ones are.
func TestADateInArabicDigitsIsReadToItsEnd(t *testing.T) {
	arabic := "\u0663\u0661/\u0661\u0662/\u0662\u0660\u0662\u0666"
	for _, text := range []string{"\u0663", arabic, "\uff13\uff11.12.2026", "31.12.\u0968\u0966"} {
		if _, ok := parseDate(text, "dmy"); ok {
			t.Errorf("%q is a date", text)
		}
	}
}

// Spreadsheets export the empty rows below a table too, in quotes or not: ten megabytes of them took
// seconds, for each was read as a record, once for each delimiter and once more.
func TestEmptyRowsCostNothing(t *testing.T) {
	const head = "Date,Text,Amount\n2026-01-02,Tea,-1.00\n"
	for _, line := range []string{"\n", "\r\n", ",,\n", "\"\"\n", `"","", ""` + "\r\n", " \n"} {
		text := head + strings.Repeat(line, 50_000) + "2026-01-03,Milk,-2.00\n"
		var rows []Row
		allocations := testing.AllocsPerRun(1, func() {
			f, err := Open([]byte(text), Mapping{})
			if err != nil {
				t.Fatal(err)
			}
			rows = rows[:0]
			_ = f.Rows(func(r Row) error { rows = append(rows, r); return nil })
		})
		if len(rows) != 2 || rows[1].Line != 50_003 || rows[1].Description != "Milk" || allocations > 5000 {
			t.Errorf("%q: %d allocations, %+v", line, int(allocations), rows)
		}
	}
}

func TestQuotesThatAreTextAreNoEmptyRow(t *testing.T) {
	for _, text := range []string{`""""`, `""x`, `"",x`, "\"\n.\""} {
		if rec, ok := newRecordReader(text+"\n", ',').next(); !ok || rec.line != 1 {
			t.Errorf("%q is skipped", text)
		}
	}
}

// The count is known before the rows are read; it has to be theirs.
func TestCountIsThatOfTheRows(t *testing.T) {
	const header = "Date,Text,Amount\n"
	for text, want := range map[string]int64{
		header + "2026-01-02,Tea,-1.00\n\n\"\",\nTotal,,-1.00\n": 2,
		"<OFX><STMTTRN><DTPOSTED>20260105<TRNAMT>-1<STMTTRN>":    2,
		header + strings.Repeat("x,y,z\n", MaxRows+1):            0,
	} {
		f, err := Open([]byte(text), Mapping{})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := f.Count(); n != want || (err != nil) != (want == 0) {
			t.Errorf("%.60q: %d, %v", text, n, err)
		}
	}
}
