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
