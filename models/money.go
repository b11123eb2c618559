package models

import (
	"errors"
	"strconv"
	"strings"
)

// Money is an exact amount in millionths of the currency unit. In JSON it is a number
// in its shortest form.
type Money int64

// Limits of an expense's amount (docs/contract.md#amounts).
const (
	MinAmount Money = 10_000                        // 0.01
	MaxAmount Money = 9_000_000_000_000 * moneyUnit // 9000000000000
)

const (
	moneyUnit     = 1_000_000
	moneyDecimals = 6

	// maxSafe is 2^53-1, the largest integer that a browser's number holds
	// exactly; it has maxSafeDigits digits.
	maxSafe       = 1<<53 - 1
	maxSafeDigits = 16

	maxMoney = 1<<63 - 1 // millionths
	maxWhole = maxMoney / moneyUnit

	// maxExponent limits the exponent of the text. It exceeds the length of any request
	// body, so no mantissa can bring a clamped value back into range.
	maxExponent = 1 << 40
)

// ErrNotANumber and ErrUnsafeNumber are the errors of ParseMoney.
var (
	ErrNotANumber   = errors.New("not a number")
	ErrUnsafeNumber = errors.New("not a safe number")
)

// ParseMoney parses a decimal number such as 12.345, -3 or 1.5e3 and rounds it to six
// decimals, half away from zero. Values above the largest Money and up to 2^53-1
// saturate; Draft.Check refuses them later. The running time depends on the length of
// s only, not on the exponent.
//
// Errors: ErrNotANumber, and ErrUnsafeNumber beyond 2^53-1, the largest integer that a
// JavaScript number holds exactly.
func ParseMoney(s string) (Money, error) {
	negative, s := cutSign(s)
	d, err := parseDecimal(s)
	if err != nil {
		return 0, err
	}
	m, err := d.money()
	if negative {
		m = -m
	}
	return m, err
}

// A decimal is the number 0.digits times 10^point. digits has no leading zero and is
// empty for zero.
type decimal struct {
	digits string
	point  int
}

// parseDecimal parses digits[.digits][e[+-]digits]; the mantissa has at least one digit.
func parseDecimal(s string) (decimal, error) {
	mantissa, exponent, scientific := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, scientific = s[:i], s[i+1:], true
	}
	power, ok := parseExponent(exponent)
	if scientific != ok {
		return decimal{}, ErrNotANumber
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if !allDigits(digits) {
		return decimal{}, ErrNotANumber
	}
	significant := strings.TrimLeft(digits, "0")
	return decimal{significant, len(whole) - (len(digits) - len(significant)) + power}, nil
}

// parseExponent parses [+-]digits, clamped to maxExponent; false for anything else.
func parseExponent(s string) (int, bool) {
	negative, digits := cutSign(s)
	if !allDigits(digits) {
		return 0, false
	}
	power := 0
	for _, c := range []byte(digits) {
		power = min(power*10+int(c-'0'), maxExponent)
	}
	if negative {
		power = -power
	}
	return power, true
}

// money returns d in millionths, or ErrUnsafeNumber.
func (d decimal) money() (Money, error) {
	if d.digits == "" || d.point < -moneyDecimals {
		return 0, nil // zero, or less than half of a millionth
	}
	if d.point > maxSafeDigits {
		return 0, ErrUnsafeNumber
	}
	whole := d.slice(0, d.point)
	if whole > maxSafe || (whole == maxSafe && d.hasAfter(d.point)) {
		return 0, ErrUnsafeNumber
	}
	if whole > maxWhole {
		return maxMoney, nil
	}
	n := uint64(whole)*moneyUnit + uint64(d.slice(d.point, d.point+moneyDecimals))
	if d.digit(d.point+moneyDecimals) >= 5 {
		n++
	}
	return Money(min(n, maxMoney)), nil
}

// digit returns the i-th digit after the leading "0."; 0 before and after the digits of d.
func (d decimal) digit(i int) int64 {
	if i < 0 || i >= len(d.digits) {
		return 0
	}
	return int64(d.digits[i] - '0')
}

// slice returns the digits at positions from <= i < to as a number.
func (d decimal) slice(from, to int) int64 {
	var n int64
	for i := from; i < to; i++ {
		n = n*10 + d.digit(i)
	}
	return n
}

// hasAfter reports whether there is a nonzero digit at position i or later.
func (d decimal) hasAfter(i int) bool {
	return i < len(d.digits) && strings.Trim(d.digits[max(i, 0):], "0") != ""
}

func cutSign(s string) (negative bool, rest string) {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		return s[0] == '-', s[1:]
	}
	return false, s
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// String returns the shortest decimal form: 12.345, 1, -0.5.
func (m Money) String() string { return string(m.Append(nil)) }

// Append appends the shortest decimal form to b.
func (m Money) Append(b []byte) []byte {
	u := uint64(m)
	if m < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/moneyUnit, 10)
	return appendFraction(b, u%moneyUnit)
}

// appendFraction appends the point and the decimals; nothing if fraction is 0.
func appendFraction(b []byte, fraction uint64) []byte {
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for div := uint64(moneyUnit / 10); fraction > 0; div /= 10 {
		b = append(b, byte('0'+fraction/div))
		fraction %= div
	}
	return b
}
