package bankfile

import (
	"strings"
	"unicode"

	"expenseflow/models"
)

// A number is an amount as it is written: its digits and separators, apart from everything else.
type number struct {
	digits   string // digits, "." and ","
	negative bool
	currency string // of a sign or code beside it; "" if there is none
}

// currencySigns name one currency each; $ and ¥ do not.
var currencySigns = map[rune]string{
	'€': "EUR", '£': "GBP", '₹': "INR", '₽': "RUB", '₩': "KRW", '₺': "TRY", '₴': "UAH", '₪': "ILS",
}

// splitAmount takes an amount apart; false if the text is none. Minus may be before or behind
// it, and parentheses and DR mean minus too.
func splitAmount(s string) (n number, ok bool) {
	var digits, letters strings.Builder
	for _, r := range strings.Replace(s, "Rs.", "Rs", 1) {
		switch {
		case r >= '0' && r <= '9', r == '.', r == ',':
			digits.WriteRune(r)
		case r == '-' || r == '\u2212' || r == '\u2013' || r == '(':
			if n.negative && r != '-' {
				return n, false
			}
			n.negative = true
		case currencySigns[r] != "":
			n.currency = currencySigns[r]
		case unicode.IsLetter(r):
			letters.WriteRune(r)
		case !strings.ContainsRune(" \u00a0\u202f\u2009'’+)$¥*", r):
			return n, false
		}
	}
	n.digits = strings.TrimRight(digits.String(), ".,")
	return n, strings.ContainsFunc(n.digits, isDigit) && grouped(s) && n.word(letters.String())
}

// grouped reports whether a text has the digits of one number: what is not of it is before or
// behind, and spaces within separate three digits.
func grouped(s string) bool {
	first, last := strings.IndexFunc(s, isDigit), strings.LastIndexFunc(s, isDigit)
	inner := s[first : last+1]
	for strings.ContainsAny(inner, "-–−()+") || strings.ContainsFunc(inner, unicode.IsLetter) {
		return false
	}
	groups := strings.FieldsFunc(inner, func(r rune) bool { return strings.ContainsRune(" \u00a0\u202f\u2009'’", r) })
	for _, g := range groups[1:] {
		if whole := strings.FieldsFunc(g, func(r rune) bool { return r == '.' || r == ',' }); len(whole) == 0 || len(whole[0]) != 3 {
			return false
		}
	}
	return true
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// word reads the letters beside an amount: a currency, or a side.
func (n *number) word(letters string) bool {
	switch upper := strings.ToUpper(letters); {
	case upper == "":
	case upper == "DR":
		n.negative = true
	case upper == "CR" || upper == "KR" || upper == "RS" || upper == "ZŁ" || upper == "KČ" || upper == "FT" || upper == "R":
	case len(upper) == 3 && strings.Trim(upper, capitals) == "" && upper != "NAN" && upper != "INF":
		n.currency = upper
	default:
		return false
	}
	return true
}

// parseAmount returns the amount that a text names with this decimal sign. The other sign
// separates groups of digits, of which each but the first has two or three, the last three.
func parseAmount(s, decimal string) (m models.Money, currency string, ok bool) {
	n, ok := splitAmount(s)
	if !ok {
		return 0, "", false
	}
	whole, fraction, found := strings.Cut(n.digits, decimal)
	if found && strings.ContainsAny(fraction, ".,") {
		return 0, "", false
	}
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r == '.' || r == ',' })
	for i, g := range groups {
		if last := i == len(groups)-1; i > 0 && (last && len(g) != 3 || len(g) < 2 || len(g) > 3) {
			return 0, "", false
		}
	}
	text := strings.Join(groups, "")
	if text == "" {
		text = "0"
	}
	if fraction != "" {
		text += "." + fraction
	}
	m, err := models.ParseMoney(text)
	if n.negative {
		m = -m
	}
	return m, n.currency, err == nil
}

// A decimalEvidence counts what a file's amounts say about their decimal sign.
type decimalEvidence struct{ point, comma, open int }

func (e *decimalEvidence) add(s string) {
	n, ok := splitAmount(s)
	if !ok {
		return
	}
	p, c := strings.LastIndexByte(n.digits, '.'), strings.LastIndexByte(n.digits, ',')
	sign := max(p, c)
	switch {
	case sign < 0:
	case p >= 0 && c >= 0:
		e.count(n.digits[sign])
	case strings.Count(n.digits, n.digits[sign:sign+1]) > 1:
		e.count(".,"[1-strings.IndexByte(".,", n.digits[sign])])
	case len(n.digits)-sign-1 != 3 || sign > 3 || strings.HasPrefix(n.digits, "0"):
		e.count(n.digits[sign])
	default:
		e.open++
	}
}

func (e *decimalEvidence) count(sign byte) {
	if sign == '.' {
		e.point++
	} else {
		e.comma++
	}
}

// sign returns the decimal sign; known is false if it may be either.
func (e *decimalEvidence) sign(likely string) (sign string, known bool) {
	switch {
	case e.comma > e.point:
		return ",", true
	case e.point > 0:
		return ".", true
	}
	return likely, e.open == 0
}
