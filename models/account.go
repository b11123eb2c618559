package models

import (
	"strings"
	"unicode"
)

// Limits of an account (docs/contract.md#validation and docs/contract.md#documents), texts in UTF-16 units.
const (
	MaxName     = 50
	MinPassword = 6
)

// Limits of an e-mail address in bytes (RFC 5321).
const (
	maxEmail     = 254
	maxLocalPart = 64
	maxLabel     = 63
)

// A Registration is the data of a sign-up form.
type Registration struct {
	Name     string
	Email    string
	Password string
}

// Normalize returns r with the name trimmed and the address in NormalizeEmail's form.
// The password is not changed.
func (r Registration) Normalize() Registration {
	r.Name = Trim(r.Name)
	r.Email = NormalizeEmail(r.Email)
	return r
}

// Check returns every rule that a normalized registration breaks, in the order name,
// email, password. minPassword is in UTF-16 units.
func (r Registration) Check(minPassword int) []Violation {
	return append(r.CheckIdentity(), CheckPassword("password", r.Password, minPassword)...)
}

// CheckIdentity checks the name and the address, but not the password.
func (r Registration) CheckIdentity() []Violation {
	return append(checkText("name", &r.Name, MaxName, true), CheckEmail(r.Email)...)
}

// NormalizeEmail returns the form in which an address is stored and looked up: trimmed
// and in lower case. A letter outside ASCII never becomes an ASCII letter: İ (U+0130)
// is not i, and the Kelvin sign (U+212A) is not k. Otherwise two different mailboxes
// would share one account.
func NormalizeEmail(s string) string {
	return strings.Map(func(r rune) rune {
		lower := unicode.ToLower(r)
		if r > unicode.MaxASCII && lower <= unicode.MaxASCII {
			return r
		}
		return lower
	}, Trim(s))
}

// CheckEmail returns RuleEmail unless s looks like an address: a local part, an at
// sign and a host name of at least two labels. Any top-level domain is accepted
// (docs/contract.md#d7).
func CheckEmail(s string) []Violation {
	user, host, ok := strings.Cut(s, "@")
	switch {
	case s == "":
		return []Violation{{Field: "email", Rule: RuleEmpty}}
	case !ok, len(s) > maxEmail, !isLocalPart(user), !isHostName(host):
		return []Violation{{Field: "email", Rule: RuleEmail}}
	}
	return nil
}

// CheckPassword returns the rule that a new password breaks. NUL is refused because
// other implementations of bcrypt stop reading the password there.
func CheckPassword(field, s string, minUnits int) []Violation {
	switch {
	case s == "":
		return []Violation{{Field: field, Rule: RuleEmpty}}
	case UTF16Len(s) < minUnits:
		return []Violation{{Field: field, Rule: RuleTooShort, Limit: minUnits}}
	case strings.ContainsRune(s, 0):
		return []Violation{{Field: field, Rule: RuleNUL}}
	}
	return nil
}

// isLocalPart reports whether s is a local part: atoms (RFC 5321) separated by dots.
// Letters of any script are allowed in an atom.
func isLocalPart(s string) bool {
	if len(s) > maxLocalPart {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, isNotAtomRune) {
			return false
		}
	}
	return true
}

func isNotAtomRune(r rune) bool {
	const specials = "!#$%&'*+-/=?^_`{|}~"
	return r <= 0x7f && !isLetterOrDigit(r) && !strings.ContainsRune(specials, r) || isBrowserSpace(r)
}

// isHostName reports whether s is a host name of two or more labels whose last label
// does not begin with a digit, so IP addresses are refused.
func isHostName(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !isHostLabel(label) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) >= 2 && (last[0] < '0' || last[0] > '9')
}

func isHostLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r <= 0x7f && r != '-' && !isLetterOrDigit(r)) || isBrowserSpace(r)
	})
}

func isLetterOrDigit(r rune) bool {
	return ('a' <= r && r <= 'z') || ('A' <= r && r <= 'Z') || ('0' <= r && r <= '9')
}
