package models

import "strconv"

// A Sum is an exact total of amounts: Units plus Micros millionths of the currency
// unit, up to 9.2e18 units. It is two integers because totals can exceed the range of
// Money. The functions of this package return Sums with 0 <= Micros < 1,000,000, so
// that equal totals compare equal.
type Sum struct{ Units, Micros int64 }

// SumOf returns m as a Sum.
func SumOf(m Money) Sum { return Sum{Micros: int64(m)}.Normalized() }

// Normalized returns s with 0 <= Micros < 1,000,000.
func (s Sum) Normalized() Sum {
	carry := s.Micros / moneyUnit
	s.Micros -= carry * moneyUnit
	if s.Micros < 0 {
		carry, s.Micros = carry-1, s.Micros+moneyUnit
	}
	s.Units += carry
	return s
}

// Add returns s + m.
func (s Sum) Add(m Money) Sum { return s.Plus(SumOf(m)) }

// Sub returns s - m.
func (s Sum) Sub(m Money) Sum { return s.Minus(SumOf(m)) }

// Plus returns s + o.
func (s Sum) Plus(o Sum) Sum { return Sum{s.Units + o.Units, s.Micros + o.Micros}.Normalized() }

// Minus returns s - o.
func (s Sum) Minus(o Sum) Sum { return Sum{s.Units - o.Units, s.Micros - o.Micros}.Normalized() }

// Cmp returns -1, 0 or 1 if s is less than, equal to or greater than o.
func (s Sum) Cmp(o Sum) int {
	d := s.Minus(o)
	switch {
	case d.Units < 0:
		return -1
	case d == Sum{}:
		return 0
	}
	return 1
}

// Float returns the float64 nearest to s. Use it for percentages only, not for money.
func (s Sum) Float() float64 { return float64(s.Units) + float64(s.Micros)/moneyUnit }

// String returns the shortest decimal form: 12.345, 1, -0.5.
func (s Sum) String() string { return string(s.Append(nil)) }

// Append appends the shortest decimal form to b.
func (s Sum) Append(b []byte) []byte {
	s = s.Normalized()
	if s.Units < 0 {
		b = append(b, '-')
		s = Sum{}.Minus(s)
	}
	b = strconv.AppendUint(b, uint64(s.Units), 10)
	return appendFraction(b, uint64(s.Micros))
}
