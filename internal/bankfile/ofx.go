package bankfile

import (
	"fmt"
	"html"
	"strings"
)

// isOFX reports whether a text is OFX: by its header, or by its first element.
func isOFX(text string) bool {
	head := strings.ToUpper(text[:min(len(text), 4000)])
	return strings.Contains(head, "OFXHEADER") || strings.Contains(head, "<OFX>") || strings.Contains(head, "<OFX ") ||
		strings.Contains(head, "<STMTTRN>") || strings.Contains(head, "<BANKTRANLIST>")
}

// An ofxReader reads the transactions of OFX, whose elements end with the next one or with a
// tag of their own (SGML, XML, and what banks make of them). It needs of the document only what
// an entry needs: everything else may be missing, unknown or wrong.
type ofxReader struct {
	rest     string
	account  string
	currency string
	fields   map[string]string // of the transaction that is open; nil between them
	inside   string            // CURRENCY or ORIGCURRENCY within a transaction
	number   int
	fn       func(Row) error
}

// ofxRows calls fn with each transaction.
func ofxRows(text string, fn func(Row) error) error {
	r := &ofxReader{rest: text, fn: fn}
	for {
		tag, value, ok := r.element()
		if !ok {
			return r.end()
		}
		if err := r.read(tag, value); err != nil {
			return err
		}
	}
}

// read takes an element in.
func (r *ofxReader) read(tag, value string) error {
	switch tag {
	case "STMTTRN":
		if err := r.end(); err != nil {
			return err
		}
		r.fields = map[string]string{}
		r.number++
	case "/STMTTRN", "/BANKTRANLIST", "/STMTRS", "/CCSTMTRS", "BANKTRANLIST", "STMTRS", "CCSTMTRS", "LEDGERBAL":
		return r.end()
	case "CURRENCY", "ORIGCURRENCY":
		r.inside = tag
	case "/CURRENCY", "/ORIGCURRENCY":
		r.inside = ""
	case "CURDEF":
		r.currency = currencyOf(value)
	case "ACCTID":
		if r.fields == nil { // else that of the other side
			r.account = value
		}
	default:
		r.keep(tag, value)
	}
	return nil
}

// keep keeps the first value of an element of a transaction.
func (r *ofxReader) keep(tag, value string) {
	if tag == "CURSYM" && r.inside == "ORIGCURRENCY" {
		return // what was paid elsewhere; the amount is in the account's
	}
	if r.fields != nil && value != "" && r.fields[tag] == "" && len(r.fields) < maxColumns {
		r.fields[tag] = value
	}
}

// end ends the transaction that is open.
func (r *ofxReader) end() error {
	if r.fields == nil {
		return nil
	}
	f := r.fields
	r.fields, r.inside = nil, ""
	row := Row{
		Line: r.number, Account: r.account, Currency: r.currency, ID: f["FITID"], Description: f["NAME"], Notes: f["MEMO"],
	}
	if own := currencyOf(f["CURSYM"]); own != "" {
		row.Currency = own
	}
	if row.Description == "" || strings.HasPrefix(row.Notes, row.Description) {
		row.Description, row.Notes = row.Notes, ""
	}
	if f["CHECKNUM"] != "" && row.Description == "" {
		row.Description = "Check " + f["CHECKNUM"]
	}
	row.Problem = setPosted(&row, f)
	return r.fn(row)
}

// setPosted sets the day and the amount of a transaction, and returns its problem.
func setPosted(row *Row, f map[string]string) string {
	var known bool
	for _, tag := range []string{"DTPOSTED", "DTUSER", "DTAVAIL"} {
		if row.Day, known = parseDate(f[tag], "ymd"); known {
			break
		}
	}
	if !known {
		return fmt.Sprintf("%q is not a date (DTPOSTED)", shorten(f["DTPOSTED"], 40))
	}
	amount, _, ok := parseAmount(f["TRNAMT"], ofxDecimal(f["TRNAMT"]))
	switch {
	case !ok:
		return fmt.Sprintf("%q is not an amount (TRNAMT)", shorten(f["TRNAMT"], 40))
	case amount == 0:
		return "Its amount is zero"
	}
	row.Amount = amount
	return ""
}

// ofxDecimal returns the decimal sign of an amount: the last one, for there is no other by the
// specification.
func ofxDecimal(s string) string {
	if i := strings.LastIndexAny(s, ".,"); i >= 0 && strings.Count(s, s[i:i+1]) == 1 {
		return s[i : i+1]
	} else if i >= 0 && s[i] == '.' {
		return ","
	}
	return "."
}

const maxTag = 64 // bytes

// element returns the next tag in upper case, "/" before it if it ends an element, and the text
// behind it; false at the end.
func (r *ofxReader) element() (tag, value string, ok bool) {
	for {
		start := strings.IndexByte(r.rest, '<')
		if start < 0 {
			return "", "", false
		}
		r.rest = r.rest[start+1:]
		if tag, ok := r.tag(); ok {
			return tag, r.value(), true
		}
	}
}

// tag reads a tag behind its "<", and moves behind it; false if it is none.
func (r *ofxReader) tag() (string, bool) {
	end := strings.IndexByte(r.rest[:min(len(r.rest), maxTag)], '>')
	if end < 1 {
		return "", false
	}
	name, _, _ := strings.Cut(r.rest[:end], " ")
	if name == "" || strings.Trim(name, tagLetters) != "" {
		return "", false
	}
	r.rest = r.rest[end+1:]
	return strings.ToUpper(name), true
}

const tagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"

// value reads the text before the next tag. A "<" that begins none is text.
func (r *ofxReader) value() string {
	if data, ok := strings.CutPrefix(strings.TrimLeft(r.rest, " \r\n\t"), "<![CDATA["); ok {
		if end := strings.Index(data[:min(len(data), maxCell)], "]]>"); end >= 0 {
			r.rest = data[end+3:]
			return clean(data[:end])
		}
	}
	end := 0
	for limit := min(len(r.rest), maxCell); ; end++ {
		i := strings.IndexByte(r.rest[end:limit], '<')
		if i < 0 {
			end = limit
			break
		}
		if end += i; r.beginsTag(r.rest[end+1:]) {
			break
		}
	}
	value := r.rest[:end]
	r.rest = r.rest[end:]
	if strings.Contains(value, "&") {
		value = html.UnescapeString(value)
	}
	return clean(value)
}

func (r *ofxReader) beginsTag(s string) bool {
	other := ofxReader{rest: s}
	_, ok := other.tag()
	return ok || strings.HasPrefix(s, "!") || strings.HasPrefix(s, "?")
}
