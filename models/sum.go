package models

import "strconv"

// A Sum is a total of amounts: Units of the currency and Micros millionths of
// one. Totals outgrow the int64 of a Money, so they are two integers and exact
// up to 9.2e18 units. What this package gives is normal: Micros is at least 0
// and less than a million, so that equal sums are equal values.
type Sum struct{ Units, Micros int64 }

// SumOf is the sum of one amount.
func SumOf(m Money) Sum { return Sum{Micros: int64(m)}.Normal() }

// Normal gives the same total in its one normal form.
func (s Sum) Normal() Sum {
	carry := s.Micros / moneyUnit
	s.Micros -= carry * moneyUnit
	if s.Micros < 0 {
		carry, s.Micros = carry-1, s.Micros+moneyUnit
	}
	s.Units += carry
	return s
}

// Add gives s and m together.
func (s Sum) Add(m Money) Sum { return s.Plus(SumOf(m)) }

// Sub gives s without m.
func (s Sum) Sub(m Money) Sum { return s.Minus(SumOf(m)) }

// Plus gives s and o together.
func (s Sum) Plus(o Sum) Sum { return Sum{s.Units + o.Units, s.Micros + o.Micros}.Normal() }

// Minus gives s without o.
func (s Sum) Minus(o Sum) Sum { return Sum{s.Units - o.Units, s.Micros - o.Micros}.Normal() }

// Cmp is -1, 0 or 1 as s is less than, equal to or greater than o.
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

// Float is s as the nearest float, for shares and percentages alone.
func (s Sum) Float() float64 { return float64(s.Units) + float64(s.Micros)/moneyUnit }

// String gives the shortest decimal form: 12.345, 1, -0.5.
func (s Sum) String() string { return string(s.Append(nil)) }

// Append appends the shortest decimal form to b.
func (s Sum) Append(b []byte) []byte {
	s = s.Normal()
	if s.Units < 0 {
		b = append(b, '-')
		s = Sum{}.Minus(s)
	}
	b = strconv.AppendUint(b, uint64(s.Units), 10)
	return appendFraction(b, uint64(s.Micros))
}
