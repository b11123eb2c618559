package bankfile

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"expenseflow/models"
)

// months are beginnings of the names of months, without accents: English, German, French,
// Spanish, Italian, Portuguese, Dutch, Swedish, Polish.
var months = [12][]string{
	{"jan", "ene", "gen", "sty", "janv"},
	{"feb", "fev", "lut", "fevr"},
	{"mar", "mrz", "maer", "maa", "mrt"},
	{"apr", "avr", "abr", "kwi"},
	{"may", "mai", "maj", "mei", "mag"},
	{"jun", "juin", "giu", "cze"},
	{"jul", "juil", "lug", "lip"},
	{"aug", "aou", "ago", "sie"},
	{"sep", "set", "wrz"},
	{"oct", "okt", "out", "ott", "paz"},
	{"nov", "lis"},
	{"dec", "dez", "dic", "des", "gru"},
}

func monthOf(word string) int {
	word = plainWord(word)
	for i, names := range months {
		for _, n := range names {
			if len(word) >= 3 && strings.HasPrefix(word, n) {
				return i + 1
			}
		}
	}
	return 0
}

// dateParts are the three parts of a date as they are written. A month that is written in
// letters is in month; then the others are in numbers.
type dateParts struct {
	numbers []string
	month   int
	dotted  bool // 31.12.2026
}

// splitDate takes a date apart; false if it is none. A time behind it is left out.
func splitDate(s string) (p dateParts, ok bool) {
	for s != "" && !p.full() {
		n := strings.IndexFunc(s, func(r rune) bool { return isDigit(r) != isDigit(rune(s[0])) })
		if n < 0 {
			n = len(s)
		}
		if c := s[0]; c >= '0' && c <= '9' {
			p.numbers = append(p.numbers, s[:n])
		} else if !p.word(s[:n]) {
			return p, false
		}
		s = s[n:]
		if len(p.numbers) == 1 && p.month == 0 && len(p.numbers[0]) >= 8 {
			return p, s == "" || strings.HasPrefix(s, "T") || strings.HasPrefix(s, " ") || s[0] == '.' || s[0] == '['
		}
	}
	return p, p.full() && isTime(s)
}

func (p *dateParts) full() bool {
	return len(p.numbers) == 3 || (len(p.numbers) == 2 && p.month > 0)
}

// word reads what is between the numbers of a date.
func (p *dateParts) word(s string) bool {
	letters := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(s) > 24 {
		return false
	}
	if letters == "" {
		p.dotted = p.dotted || strings.Contains(s, ".")
		return strings.Trim(s, " ./-,'’年月日") == ""
	}
	for w := range strings.FieldsFuncSeq(letters, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if m := monthOf(w); m > 0 && p.month == 0 {
			p.month = m
		}
	}
	return p.month > 0 || isFiller(letters)
}

// isFiller reports whether a word before the month means nothing: a weekday, "1st", "de".
func isFiller(word string) bool {
	switch w := plainWord(word); w {
	case "st", "nd", "rd", "th", "de", "of", "年", "月", "日":
		return true
	default:
		return len(w) >= 2 && strings.Contains("monday tuesday wednesday thursday friday saturday sunday", w)
	}
}

// isTime reports whether what follows a date may be a time.
func isTime(s string) bool {
	s = strings.TrimLeft(s, " .,'T日")
	return s == "" || (s[0] >= '0' && s[0] <= '9' && strings.ContainsAny(s, ":hH")) || len(s) <= 12 && strings.Contains(s, ":")
}

// parseDate returns the day that a text names, with the order of day, month and year for a date
// in numbers that does not begin with the year.
func parseDate(s, order string) (models.Day, bool) {
	p, ok := splitDate(strings.TrimSpace(s))
	if !ok {
		return 0, false
	}
	y, m, d := p.inOrder(order)
	if len(y) <= 2 {
		y = century(y)
	}
	year, e1 := strconv.Atoi(y)
	month, e2 := strconv.Atoi(m)
	day, e3 := strconv.Atoi(d)
	if e1 != nil || e2 != nil || e3 != nil || len(y) != 4 || month < 1 || month > 12 {
		return 0, false
	}
	at := models.Date(year, time.Month(month), day)
	if _, gotMonth, got := at.Date(); got != day || int(gotMonth) != month || len(d) > 2 || year < 1900 {
		return 0, false
	}
	return at, true
}

// inOrder returns the year, the month and the day of p.
func (p dateParts) inOrder(order string) (y, m, d string) {
	n := p.numbers
	switch {
	case len(n) == 1:
		return compact(n[0], order)
	case p.month > 0 && len(n[0]) == 4:
		return n[0], strconv.Itoa(p.month), n[1]
	case p.month > 0:
		return n[1], strconv.Itoa(p.month), n[0]
	case len(n[0]) == 4, order == "ymd" && len(n[2]) <= 2:
		return n[0], n[1], n[2]
	case order == "mdy":
		return n[2], n[0], n[1]
	}
	return n[2], n[1], n[0]
}

// compact takes a date without separators apart: 20261231, or 31122026.
func compact(s, order string) (y, m, d string) {
	if s = s[:8]; s[:2] == "19" || s[:2] == "20" {
		if m := s[4:6]; m >= "01" && m <= "12" {
			return s[:4], m, s[6:]
		}
	}
	if order == "mdy" {
		return s[4:], s[:2], s[2:4]
	}
	return s[4:], s[2:4], s[:2]
}

// century completes a year of two digits: until 69 it is of this century.
func century(y string) string {
	if y < "70" {
		return "20" + y
	}
	return "19" + y
}

// A dateEvidence counts what a file's dates say about their order.
type dateEvidence struct{ ymd, dmy, mdy, open int }

func (e *dateEvidence) add(s string) {
	p, ok := splitDate(strings.TrimSpace(s))
	switch {
	case !ok:
	case p.month > 0 || len(p.numbers) == 1 || len(p.numbers[0]) == 4:
		e.ymd++
	case p.numbers[1] > "12" && len(p.numbers[1]) == 2:
		e.mdy++
	case p.dotted || p.numbers[0] > "12" && len(p.numbers[0]) == 2:
		e.dmy++
	default:
		e.open++
	}
}

// order returns the order; known is false if both the day and the month may be first.
func (e *dateEvidence) order(likely string) (order string, known bool) {
	switch {
	case e.dmy > e.mdy:
		return "dmy", true
	case e.mdy > 0:
		return "mdy", true
	case e.open > 0:
		return likely, false
	}
	return "ymd", true
}
