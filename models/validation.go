package models

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// Limits of an expense's texts, in UTF-16 units as browsers count them
// (docs/contract.md#validation and docs/contract.md#documents).
const (
	MaxDescription = 100
	MaxMerchant    = 50
	MaxNotes       = 500
)

// MaxCurrencies is the maximum number of currencies of an account's entries: every
// change updates the list of totals by currency.
const MaxCurrencies = 200

// Categories lists the categories of expenses: the NamedCategories that error texts
// list, then the others that pages offer (docs/contract.md#d6).
var Categories = []string{
	"food", "transport", "entertainment", "utilities", "healthcare", "shopping", "other",
	"bills", "education", "travel", "salary", "freelance", "investment",
}

// IncomeCategories are the Categories of income. Entries of any type may have them, but
// budgets may not.
var IncomeCategories = []string{"salary", "freelance", "investment"}

// NamedCategories is the number of Categories that error texts list.
const NamedCategories = 7

// Types are the types an expense may have.
var Types = []string{"income", "expense"}

// A Rule is a validation rule. internal/wire has the error texts.
type Rule string

// The rules; the comments say when each is broken.
const (
	RuleRequired   Rule = "required"  // absent
	RuleType       Rule = "type"      // of the wrong JSON type
	RuleEmpty      Rule = "empty"     // blank text
	RuleTooLong    Rule = "too_long"  // more than Limit UTF-16 units
	RuleTooShort   Rule = "too_short" // fewer than Limit UTF-16 units
	RuleTooBig     Rule = "too_big"   // more than Limit bytes
	RuleMin        Rule = "min"       // below Limit; below MinAmount if Limit is 0
	RuleMax        Rule = "max"       // above Limit; above MaxAmount if Limit is 0
	RuleSafe       Rule = "safe"      // beyond 2^53-1
	RuleOneOf      Rule = "one_of"    // not one of the allowed values
	RuleDate       Rule = "date"      // not a date
	RuleCurrency   Rule = "currency"  // not 3 to 5 letters
	RuleEmail      Rule = "email"     // not an e-mail address
	RulePositive   Rule = "positive"  // zero or less
	RuleNegative   Rule = "negative"  // less than zero
	RuleTooMany    Rule = "too_many"  // more than Limit elements
	RulePhone      Rule = "phone"     // not a telephone number with a country code
	RuleURL        Rule = "url"       // not an http or https URL
	RuleZone       Rule = "zone"      // not a time zone of the IANA database
	RuleOrder      Rule = "order"     // an end before its start
	RuleNUL        Rule = "nul"       // contains NUL, which databases do not store
	RuleCommon     Rule = "common"    // a common password
	RuleUnknownKey Rule = "not_known" // an unknown key
	RuleDay        Rule = "day"       // not YYYY-MM-DD
	RuleSupported  Rule = "known"     // not one of Currencies
)

// A Violation is a rule that a field breaks.
type Violation struct {
	Field string // JSON name, such as "amount"
	Rule  Rule
	Limit int    // for RuleTooLong, RuleTooShort, RuleTooBig, RuleTooMany, RuleMin and RuleMax
	Value string // as the client sent it, for texts that quote it
}

// An InvalidError lists the rules that a client's values break; Violations is never
// empty. Its kind is Invalid. internal/wire translates it into the text of a response.
type InvalidError struct{ Violations []Violation }

// Error names the fields and rules without the values, so it may be logged.
func (e *InvalidError) Error() string {
	parts := make([]string, 0, maxListedViolations+1)
	for i, v := range e.Violations {
		if i == maxListedViolations {
			parts = append(parts, "and more")
			break
		}
		parts = append(parts, shortName(v.Field)+": "+string(v.Rule))
	}
	return strings.Join(parts, ", ")
}

// Limits of InvalidError's text, which is logged: the number of violations, and the
// bytes of a field name that a client chose.
const (
	maxListedViolations = 10
	maxListedName       = 100
)

func shortName(field string) string {
	if len(field) <= maxListedName {
		return field
	}
	return strings.ToValidUTF8(field[:maxListedName], "") + "..."
}

// Unwrap returns an Error of kind Invalid, so that KindOf reports it.
func (e *InvalidError) Unwrap() error { return E(Invalid, e.Error()) }

// InvalidIf returns an InvalidError if there are violations; else nil.
func InvalidIf(violations []Violation) error {
	if len(violations) == 0 {
		return nil
	}
	return &InvalidError{violations}
}

// Check returns every rule that a normalized draft breaks, in the contract's order of
// fields; nil if valid.
func (d Draft) Check() []Violation { return d.Patch().Check() }

// Check returns every rule that the fields of a normalized patch break, in the
// contract's order; nil if valid.
func (p Patch) Check() []Violation {
	var vs []Violation
	vs = append(vs, checkText("description", p.Description, MaxDescription, true)...)
	vs = append(vs, checkAmount(p.Amount)...)
	vs = append(vs, checkOneOf("category", p.Category, Categories)...)
	vs = append(vs, checkOneOf("type", p.Type, Types)...)
	vs = append(vs, checkDate(p.Date)...)
	vs = append(vs, checkCurrency(p.Currency)...)
	for _, f := range TextFields {
		vs = append(vs, checkText(f.Name, *f.InPatch(&p), f.Limit, false)...)
	}
	return append(vs, checkTags(p.Tags)...)
}

// CheckText returns the rule that a text of at most limit UTF-16 units breaks.
func CheckText(field, s string, limit int) []Violation { return checkText(field, &s, limit, false) }

func checkText(field string, s *string, limit int, required bool) []Violation {
	switch {
	case s == nil:
		return nil
	case *s == "" && required:
		return []Violation{{Field: field, Rule: RuleEmpty}}
	case strings.ContainsRune(*s, 0):
		return []Violation{{Field: field, Rule: RuleNUL}}
	case UTF16Len(*s) > limit:
		return []Violation{{Field: field, Rule: RuleTooLong, Limit: limit, Value: *s}}
	}
	return nil
}

func checkAmount(m *Money) []Violation {
	switch {
	case m == nil:
		return nil
	case *m < MinAmount:
		return []Violation{{Field: "amount", Rule: RuleMin, Value: m.String()}}
	case *m > MaxAmount:
		return []Violation{{Field: "amount", Rule: RuleMax, Value: m.String()}}
	}
	return nil
}

func checkOneOf(field string, s *string, known []string) []Violation {
	if s == nil {
		return nil
	}
	if slices.Contains(known, *s) {
		return nil
	}
	return []Violation{{Field: field, Rule: RuleOneOf, Value: *s}}
}

// Years outside these bounds are refused, because PostgreSQL and RFC 3339 cannot
// represent all of them.
const (
	minYear = 0
	maxYear = 9999
)

func checkDate(t *time.Time) []Violation { return checkDateOf("date", t) }

func checkDateOf(field string, t *time.Time) []Violation {
	if t == nil || (t.UTC().Year() >= minYear && t.UTC().Year() <= maxYear) {
		return nil
	}
	return []Violation{{Field: field, Rule: RuleDate, Value: strconv.FormatInt(t.UnixMilli(), 10)}}
}

func checkCurrency(s *string) []Violation {
	if s == nil || *s == "" {
		return nil
	}
	if len(*s) < 3 || len(*s) > 5 || strings.Trim(*s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return []Violation{{Field: "currency", Rule: RuleCurrency, Value: *s}}
	}
	return nil
}

// Normalize returns d with trimmed texts, an upper-case currency and the date in UTC,
// truncated to milliseconds.
func (d Draft) Normalize() Draft {
	d.Description = Trim(d.Description)
	for _, f := range TextFields {
		text := f.InDraft(&d)
		*text = Trim(*text)
	}
	d.Currency = CurrencyCode(d.Currency)
	d.Tags = normalizeTags(d.Tags)
	d.Date = millisPtr(d.Date)
	return d
}

// Normalize returns p normalized as Draft.Normalize does.
func (p Patch) Normalize() Patch {
	p.Description = mapPtr(p.Description, Trim)
	for _, f := range TextFields {
		*f.InPatch(&p) = mapPtr(*f.InPatch(&p), Trim)
	}
	p.Currency = mapPtr(p.Currency, CurrencyCode)
	p.Tags = mapPtr(p.Tags, normalizeTags)
	p.Date = millisPtr(p.Date)
	return p
}

// Apply writes the fields that p names into e; zone is the owner's. A Day without a
// Date sets the date to that day's midnight UTC, unless it is the stored day.
func (p Patch) Apply(e *Expense, zone *time.Location) {
	setIf(&e.Description, p.Description)
	setIf(&e.Amount, p.Amount)
	setIf(&e.Category, p.Category)
	setIf(&e.Type, p.Type)
	if p.Date == nil && p.Day != nil && *p.Day != e.Day {
		midnight := p.Day.Time()
		p.Date = &midnight
	}
	setDated(&e.Date, &e.Day, p.Date, p.Day, zone)
	setIf(&e.Currency, p.Currency)
	setIf(&e.Tags, p.Tags)
	for _, f := range TextFields {
		setIf(f.InExpense(e), *f.InPatch(&p))
	}
}

// WithDate returns d with a date: its own, else at, or midnight UTC of its day if at
// cannot be on that day.
func (d Draft) WithDate(at time.Time) Draft {
	if d.Date == nil {
		if d.Day != nil && !d.Day.MayContain(at) {
			at = d.Day.Time()
		}
		d.Date = &at
	}
	return d
}

// ResolveDay returns the day of a time: named if it is not nil and possible for at, else
// the day of at in zone.
func ResolveDay(at time.Time, named *Day, zone *time.Location) Day {
	if named != nil && named.MayContain(at) {
		return *named
	}
	return DayOf(at, zone)
}

// setDated writes a time and its ResolveDay. A time equal to the stored one, which a
// page sends back as it read it, does not change the day.
func setDated(to *time.Time, day *Day, date *time.Time, named *Day, zone *time.Location) {
	if date == nil {
		return
	}
	if named != nil || !date.Equal(*to) {
		*day = ResolveDay(*date, named, zone)
	}
	*to = *date
}

func setIf[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func mapPtr[T any](v *T, f func(T) T) *T {
	if v == nil {
		return nil
	}
	out := f(*v)
	return &out
}

func millisPtr(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	cut := Millis(*t)
	return &cut
}

// Millis returns t in UTC, truncated to milliseconds, the resolution of JSON times.
func Millis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Trim removes leading and trailing white space as JavaScript's String.trim does.
func Trim(s string) string { return strings.TrimFunc(s, isBrowserSpace) }

// isBrowserSpace reports whether JavaScript treats r as white space: as Unicode does,
// but with the byte order mark and without NEL.
func isBrowserSpace(r rune) bool {
	const byteOrderMark, nextLine = 0xFEFF, 0x85
	return r == byteOrderMark || (unicode.IsSpace(r) && r != nextLine)
}

// UTF16Len returns the length of s in UTF-16 units, as JavaScript counts it.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// IsID reports whether s is an id: 24 lower-case hex digits.
func IsID(s string) bool {
	return len(s) == 24 && strings.Trim(s, "0123456789abcdef") == ""
}
