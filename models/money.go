package models

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount in millionths of the currency unit: exact, never a float.
// On the wire it is a JSON number in its shortest form.
type Money int64

// Limits of an expense's amount (CONTRACT decision 11).
const (
	MinAmount Money = 10_000                        // 0.01
	MaxAmount Money = 9_000_000_000_000 * 1_000_000 // 9000000000000
)

const (
	moneyScale = 1_000_000
	// maxExponent bounds the decimal exponent that ParseMoney expands, so that
	// a short text such as 1e999999999 cannot demand a gigabyte.
	maxExponent = 400
)

// ErrNotANumber and ErrUnsafeNumber are the two ways in which ParseMoney refuses.
var (
	ErrNotANumber   = errors.New("not a number")
	ErrUnsafeNumber = errors.New("not a safe number")
)

// maxSafe is 2^53-1, the largest integer that a browser's number holds exactly.
var maxSafe = big.NewRat(1<<53-1, 1)

// ParseMoney reads a decimal number such as 12.345, -3 or 1.5e3 and rounds it
// to six decimals, half away from zero. It fails with ErrNotANumber, or with
// ErrUnsafeNumber beyond what a browser's number holds exactly. Limits of an
// expense are Draft.Check's business: values of up to 2^53-1 saturate at the
// largest Money.
func ParseMoney(s string) (Money, error) {
	r, err := parseDecimal(s)
	if err != nil {
		return 0, err
	}
	if new(big.Rat).Abs(r).Cmp(maxSafe) > 0 {
		return 0, ErrUnsafeNumber
	}
	return roundMoney(r), nil
}

func parseDecimal(s string) (*big.Rat, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if !decimal(mantissa) || (exponent == "" && strings.ContainsAny(s, "eE")) {
		return nil, ErrNotANumber
	}
	if exponent != "" {
		digits := strings.TrimLeft(exponent, "+-")
		if !allDigits(digits) || len(exponent)-len(digits) > 1 {
			return nil, ErrNotANumber
		}
		if huge := len(strings.TrimLeft(digits, "0")) > 3 || len(mantissa) > maxExponent; huge {
			return hugeOrTiny(mantissa, exponent)
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, ErrNotANumber
	}
	return r, nil
}

// hugeOrTiny answers for an exponent nobody should expand: zero for a zero
// mantissa or a negative exponent, unsafe otherwise.
func hugeOrTiny(mantissa, exponent string) (*big.Rat, error) {
	if strings.Trim(mantissa, "+-0.") == "" || exponent[0] == '-' {
		return new(big.Rat), nil
	}
	return nil, ErrUnsafeNumber
}

// decimal tells whether s is [+-]digits[.digits], with at least one digit.
func decimal(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	return allDigits(whole+fraction) && len(whole+fraction) > 0
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

var (
	ratScale = big.NewRat(moneyScale, 1)
	maxMoney = big.NewInt(1<<63 - 1)
)

// roundMoney gives r in millionths, half away from zero, saturating.
func roundMoney(r *big.Rat) Money {
	scaled := new(big.Rat).Mul(r, ratScale)
	num, den := new(big.Int).Abs(scaled.Num()), scaled.Denom()
	twice := new(big.Int).Add(new(big.Int).Lsh(num, 1), den)
	n := twice.Quo(twice, new(big.Int).Lsh(den, 1))
	if n.Cmp(maxMoney) > 0 {
		n = maxMoney
	}
	if r.Sign() < 0 {
		return -Money(n.Int64())
	}
	return Money(n.Int64())
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
	b = strconv.AppendUint(b, u/moneyScale, 10)
	fraction := u % moneyScale
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for div := uint64(moneyScale / 10); fraction > 0; div /= 10 {
		b = append(b, byte('0'+fraction/div))
		fraction %= div
	}
	return b
}
