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
	maxEmailUser = 64
	maxLabel     = 63
)

// A Registration is what somebody who wants an account says.
type Registration struct {
	Name     string
	Email    string
	Password string
}

// Normalize trims the name and the address and lower-cases the latter. The
// password stays as it was typed.
func (r Registration) Normalize() Registration {
	r.Name = Trim(r.Name)
	r.Email = NormalizeEmail(r.Email)
	return r
}

// Check gives every rule the registration breaks, in the contract's order. It
// expects Normalize to have run. minPassword is in UTF-16 units.
func (r Registration) Check(minPassword int) []Violation {
	return append(r.CheckWho(), CheckPassword("password", r.Password, minPassword)...)
}

// CheckWho is Check without the password.
func (r Registration) CheckWho() []Violation {
	return append(checkText("name", &r.Name, MaxName, true), CheckEmail(r.Email)...)
}

// NormalizeEmail returns the spelling under which an address is stored and found:
// trimmed, and each letter in lower case. A letter outside ASCII never becomes one
// of ASCII: İvan@example.org (U+0130) is not ivan@example.org, and the Kelvin sign
// (U+212A) is not a k. Two addresses that a mail server tells apart would else be
// one account.
func NormalizeEmail(s string) string {
	return strings.Map(func(r rune) rune {
		lower := unicode.ToLower(r)
		if r > unicode.MaxASCII && lower <= unicode.MaxASCII {
			return r
		}
		return lower
	}, Trim(s))
}

// CheckEmail gives RuleEmail unless s looks like an address: anything before an
// at sign and a host name of at least two labels after it, whichever the top
// level domain (docs/contract.md#d7).
func CheckEmail(s string) []Violation {
	user, host, ok := strings.Cut(s, "@")
	switch {
	case s == "":
		return []Violation{{Field: "email", Rule: RuleEmpty}}
	case !ok, len(s) > maxEmail, !emailUser(user), !emailHost(host):
		return []Violation{{Field: "email", Rule: RuleEmail}}
	}
	return nil
}

// CheckPassword gives the rule that a new password breaks. A NUL would end the
// password early in other programs' bcrypt, so it is refused.
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

// emailUser tells whether s is dot-separated atoms (RFC 5321), or letters of
// any script.
func emailUser(s string) bool {
	if len(s) > maxEmailUser {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, notInAtom) {
			return false
		}
	}
	return true
}

func notInAtom(r rune) bool {
	const specials = "!#$%&'*+-/=?^_`{|}~"
	return r <= 0x7f && !letterOrDigit(r) && !strings.ContainsRune(specials, r) || browserSpace(r)
}

// emailHost tells whether s is a host name of two labels or more whose last
// does not begin with a digit: an address of numbers is none.
func emailHost(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !hostLabel(label) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) >= 2 && (last[0] < '0' || last[0] > '9')
}

func hostLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r <= 0x7f && r != '-' && !letterOrDigit(r)) || browserSpace(r)
	})
}

func letterOrDigit(r rune) bool {
	return ('a' <= r && r <= 'z') || ('A' <= r && r <= 'Z') || ('0' <= r && r <= '9')
}
