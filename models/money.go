package models

import (
	"errors"
	"strconv"
	"strings"
)

// Money is an amount in millionths of the currency unit: exact, never a float.
// On the wire it is a JSON number in its shortest form.
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

	// maxExponent clamps the written exponent. It is far longer than any body,
	// so no mantissa can bring a clamped value back into range.
	maxExponent = 1 << 40
)

// ErrNotANumber and ErrUnsafeNumber are the two ways in which ParseMoney refuses.
var (
	ErrNotANumber   = errors.New("not a number")
	ErrUnsafeNumber = errors.New("not a safe number")
)

// ParseMoney reads a decimal number such as 12.345, -3 or 1.5e3 and rounds it
// to six decimals, half away from zero. It fails with ErrNotANumber, or with
// ErrUnsafeNumber beyond what a browser's number holds exactly. Limits of an
// expense are Draft.Check's business: values of up to 2^53-1 saturate at the
// largest Money. Its work grows with the length of s alone, whatever the
// exponent says.
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

// A decimal is 0.digits times ten to the power of point; digits has no leading
// zero and is empty for zero.
type decimal struct {
	digits string
	point  int
}

// parseDecimal reads digits[.digits][e[+-]digits] with a digit in the mantissa.
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

// parseExponent reads [+-]digits, clamped to maxExponent; false if it is not that.
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

// money gives d in millionths.
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

// digit gives the digit at position i after the decimal's leading "0."; there
// are zeros on both sides of those written.
func (d decimal) digit(i int) int64 {
	if i < 0 || i >= len(d.digits) {
		return 0
	}
	return int64(d.digits[i] - '0')
}

// slice reads the digits of positions from <= i < to as a number.
func (d decimal) slice(from, to int) int64 {
	var n int64
	for i := from; i < to; i++ {
		n = n*10 + d.digit(i)
	}
	return n
}

// hasAfter tells whether a digit other than zero stands at position i or later.
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

// String gives the shortest decimal form: 12.345, 1, -0.5.
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

// appendFraction appends what follows the whole units: nothing for none.
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
