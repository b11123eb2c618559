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

// MaxCurrencies is in how many currencies an account may have entries at once: the
// total of each is looked at with every change.
const MaxCurrencies = 200

// Categories are the categories an expense may have: the seven that the
// original names in its error texts, then the six that its pages offer too
// (docs/contract.md#d6).
var Categories = []string{
	"food", "transport", "entertainment", "utilities", "healthcare", "shopping", "other",
	"bills", "education", "travel", "salary", "freelance", "investment",
}

// IncomeCategories are those of Categories that say where money comes from. An
// entry of any type may have them, but nobody plans what to spend on one.
var IncomeCategories = []string{"salary", "freelance", "investment"}

// NamedCategories is how many of Categories the error texts list.
const NamedCategories = 7

// Types are the types an expense may have.
var Types = []string{"income", "expense"}

// A Rule names what a value must satisfy.
type Rule string

// The rules. Doors put them into their own words (internal/wire).
const (
	RuleRequired Rule = "required"  // absent
	RuleType     Rule = "type"      // of the wrong JSON type
	RuleEmpty    Rule = "empty"     // blank text
	RuleTooLong  Rule = "too_long"  // more than Limit UTF-16 units
	RuleTooShort Rule = "too_short" // fewer than Limit UTF-16 units
	RuleTooBig   Rule = "too_big"   // more than Limit bytes
	RuleMin      Rule = "min"       // below Limit, or if that is 0 below MinAmount
	RuleMax      Rule = "max"       // above Limit, or if that is 0 above MaxAmount
	RuleSafe     Rule = "safe"      // beyond 2^53-1
	RuleOneOf    Rule = "one_of"    // not one of the known values
	RuleDate     Rule = "date"      // no date
	RuleCurrency Rule = "currency"  // not 3 to 5 letters
	RuleEmail    Rule = "email"     // no e-mail address
	RulePositive Rule = "positive"  // zero or less
	RuleNegative Rule = "negative"  // less than zero
	RuleTooMany  Rule = "too_many"  // more than Limit elements
	RulePhone    Rule = "phone"     // no telephone number with its country's code
	RuleURL      Rule = "url"       // no http or https address
	RuleZone     Rule = "zone"      // no time zone of the IANA database
	RuleOrder    Rule = "order"     // an end before its beginning
	RuleNUL      Rule = "nul"       // holds a NUL character, which no database keeps
	RuleCommon   Rule = "common"    // a password that is guessed first
	RuleUnknown  Rule = "not_known" // a key nobody expects
	RuleDay      Rule = "day"       // no YYYY-MM-DD
	RuleKnown    Rule = "known"     // not one of Currencies
)

// A Violation is one rule that one field breaks.
type Violation struct {
	Field string // in the contract's spelling, such as "amount"
	Rule  Rule
	Limit int    // for RuleTooLong, RuleTooShort, RuleTooBig, RuleMin and RuleMax
	Value string // as the client sent it, for texts that quote it
}

// An InvalidError says which rules a client's values break; Violations is never
// empty. It is an Invalid Error too, whose words are not yet those of a door
// (internal/wire puts them so).
type InvalidError struct{ Violations []Violation }

// Error names the fields and rules, without the values: it may be logged.
func (e *InvalidError) Error() string {
	parts := make([]string, 0, maxNamed+1)
	for i, v := range e.Violations {
		if i == maxNamed {
			parts = append(parts, "and more")
			break
		}
		parts = append(parts, nameOf(v.Field)+": "+string(v.Rule))
	}
	return strings.Join(parts, ", ")
}

// How many violations an error's text names, and how many bytes of a name that a client
// chose: it goes into logs.
const (
	maxNamed = 10
	maxName  = 100
)

func nameOf(field string) string {
	if len(field) <= maxName {
		return field
	}
	return strings.ToValidUTF8(field[:maxName], "") + "..."
}

// Unwrap makes KindOf see an Invalid error.
func (e *InvalidError) Unwrap() error { return E(Invalid, e.Error()) }

// InvalidIf gives an InvalidError for violations, and nil for none.
func InvalidIf(violations []Violation) error {
	if len(violations) == 0 {
		return nil
	}
	return &InvalidError{violations}
}

// Check gives every rule the draft breaks, in the contract's order of fields,
// and nil for a good draft. It expects Normalize to have run.
func (d Draft) Check() []Violation {
	return Patch{
		Description: &d.Description, Amount: &d.Amount, Category: &d.Category, Type: &d.Type,
		Date: d.Date, Currency: &d.Currency, Merchant: &d.Merchant, Notes: &d.Notes,
	}.Check()
}

// Check gives every rule the named fields break, in the contract's order.
func (p Patch) Check() []Violation {
	var vs []Violation
	vs = append(vs, checkText("description", p.Description, MaxDescription, true)...)
	vs = append(vs, checkAmount(p.Amount)...)
	vs = append(vs, checkOneOf("category", p.Category, Categories)...)
	vs = append(vs, checkOneOf("type", p.Type, Types)...)
	vs = append(vs, checkDate(p.Date)...)
	vs = append(vs, checkCurrency(p.Currency)...)
	vs = append(vs, checkText("merchant", p.Merchant, MaxMerchant, false)...)
	return append(vs, checkText("notes", p.Notes, MaxNotes, false)...)
}

// CheckText gives the rule that a text of at most limit UTF-16 units breaks.
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

// Dates outside these years are refused: browsers show them, PostgreSQL and
// RFC 3339 do not keep them all.
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

// Normalize trims texts, upper-cases the currency and cuts the date to whole
// milliseconds in UTC, as the original's schema does before it checks.
func (d Draft) Normalize() Draft {
	d.Description = Trim(d.Description)
	d.Merchant = Trim(d.Merchant)
	d.Notes = Trim(d.Notes)
	d.Currency = CurrencyCode(d.Currency)
	d.Date = millis(d.Date)
	return d
}

// Normalize does to the named fields what Draft.Normalize does.
func (p Patch) Normalize() Patch {
	p.Description = mapped(p.Description, Trim)
	p.Merchant = mapped(p.Merchant, Trim)
	p.Notes = mapped(p.Notes, Trim)
	p.Currency = mapped(p.Currency, CurrencyCode)
	p.Date = millis(p.Date)
	return p
}

// Apply writes the named fields into e, of an account of this zone, and touches
// nothing else. A day without a date is that day's, unless it is the stored one.
func (p Patch) Apply(e *Expense, zone *time.Location) {
	set(&e.Description, p.Description)
	set(&e.Amount, p.Amount)
	set(&e.Category, p.Category)
	set(&e.Type, p.Type)
	if p.Date == nil && p.Day != nil && *p.Day != e.Day {
		midnight := p.Day.Time()
		p.Date = &midnight
	}
	setDated(&e.Date, &e.Day, p.Date, p.Day, zone)
	set(&e.Currency, p.Currency)
	set(&e.Merchant, p.Merchant)
	set(&e.Notes, p.Notes)
}

// Dated gives the draft a date, if it has none: at, or its day's if at is never of
// that day.
func (d Draft) Dated(at time.Time) Draft {
	if d.Date == nil {
		if d.Day != nil && !d.Day.Possible(at) {
			at = d.Day.Time()
		}
		d.Date = &at
	}
	return d
}

// NamedDay is the day of a moment: the one that was named for it, if it is of that
// day anywhere on Earth, else its day in zone. nil names none.
func NamedDay(at time.Time, named *Day, zone *time.Location) Day {
	if named != nil && named.Possible(at) {
		return *named
	}
	return DayOf(at, zone)
}

// setDated writes a moment and its NamedDay. A moment that is the stored one, which
// a page sends back as it read it, moves no day.
func setDated(to *time.Time, day *Day, date *time.Time, named *Day, zone *time.Location) {
	if date == nil {
		return
	}
	if named != nil || !date.Equal(*to) {
		*day = NamedDay(*date, named, zone)
	}
	*to = *date
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func mapped(s *string, f func(string) string) *string {
	if s == nil {
		return nil
	}
	out := f(*s)
	return &out
}

func millis(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	cut := Millis(*t)
	return &cut
}

// Millis gives t in UTC with whole milliseconds, the resolution of the wire.
func Millis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Trim cuts white space as a browser's String.trim does.
func Trim(s string) string { return strings.TrimFunc(s, browserSpace) }

// browserSpace is Unicode's white space and line ends, except that browsers
// count the byte order mark as blank and the control character NEL not.
func browserSpace(r rune) bool {
	const byteOrderMark, nextLine = 0xFEFF, 0x85
	return r == byteOrderMark || (unicode.IsSpace(r) && r != nextLine)
}

// UTF16Len is the length of s as a browser counts it.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// ID24 tells whether s is an id as this server makes them: 24 lower-case hex
// digits. Anything else names no row.
func ID24(s string) bool {
	return len(s) == 24 && strings.Trim(s, "0123456789abcdef") == ""
}
