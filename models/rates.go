package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"
)

// Rates are the exchange rates that somebody who runs the server gave it. There
// are no others: nil knows that a currency is worth itself, and nothing else.
// A Rates never changes.
type Rates struct {
	Base string
	At   time.Time // of which moment they are, UTC

	per map[string]*big.Rat // how much of a currency one Base is worth
}

// maxRate bounds a rate, and one over it the smallest.
const maxRate = 1e12

// ParseRates reads {"base": code, "date": day or moment, "rates": {code: number}},
// where a number is how much of its currency one of base is worth. Without a date
// they are of fallback; other keys are ignored. The error says what is wrong in
// words that follow the name of a file.
func ParseRates(b []byte, fallback time.Time) (*Rates, error) {
	var sent struct {
		Base   string                 `json:"base"`
		Date   string                 `json:"date"`
		Amount json.Number            `json:"amount"`
		Rates  map[string]json.Number `json:"rates"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&sent); err != nil || d.More() {
		return nil, errors.New(`is no JSON object with "base" and "rates"`)
	}
	r := &Rates{Base: sent.Base, At: Millis(fallback), per: map[string]*big.Rat{}}
	switch {
	case !isCurrency(sent.Base):
		return nil, errors.New(`has no "base" of 3 to 5 capital letters`)
	case len(sent.Rates) == 0:
		return nil, errors.New(`has no "rates"`)
	case sent.Amount != "" && sent.Amount != "1" && sent.Amount != "1.0":
		return nil, errors.New(`has rates of an "amount" other than 1`)
	}
	if err := r.date(sent.Date); err != nil {
		return nil, err
	}
	for code, rate := range sent.Rates {
		if err := r.add(code, string(rate)); err != nil {
			return nil, err
		}
	}
	if own := r.per[r.Base]; own != nil && own.Cmp(big.NewRat(1, 1)) != 0 {
		return nil, fmt.Errorf("says that one %s is worth another amount of %s", r.Base, r.Base)
	}
	r.per[r.Base] = big.NewRat(1, 1)
	return r, nil
}

func (r *Rates) date(s string) error {
	if s == "" {
		return nil
	}
	if d, ok := ParseDay(s); ok {
		r.At = d.Time()
		return nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return errors.New(`has a "date" that is neither YYYY-MM-DD nor a moment`)
	}
	r.At = Millis(at)
	return nil
}

func (r *Rates) add(code, number string) error {
	if !isCurrency(code) {
		return fmt.Errorf("has a rate of %q, which is not 3 to 5 capital letters", code)
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f > maxRate || f < 1/maxRate {
		return fmt.Errorf("has a rate of %s that is not a number above zero", code)
	}
	r.per[code], _ = new(big.Rat).SetString(number)
	return nil
}

func isCurrency(code string) bool { return code != "" && len(checkCurrency(&code)) == 0 }

// Rate is how much of to one of from is worth; false if that is not known.
func (r *Rates) Rate(from, to string) (*big.Rat, bool) {
	if from == to {
		return big.NewRat(1, 1), true
	}
	if r == nil || r.per[from] == nil || r.per[to] == nil {
		return nil, false
	}
	return new(big.Rat).Quo(r.per[to], r.per[from]), true
}

// Codes are the currencies that one of base can be turned into, in order: at least
// itself.
func (r *Rates) Codes(base string) []string {
	if r == nil || r.per[base] == nil {
		return []string{base}
	}
	return slices.Sorted(maps.Keys(r.per))
}

// Convert gives a sum in another currency, rounded half away from zero to the
// decimals that it usually has; false if its rate is not known.
func (r *Rates) Convert(s Sum, from, to string) (Sum, bool) {
	rate, known := r.Rate(from, to)
	if !known {
		return Sum{}, false
	}
	unit := big.NewRat(1, moneyUnit)
	if c, ok := FindCurrency(to); ok {
		unit = big.NewRat(1, pow10(c.Decimals))
	}
	micros := new(big.Int).Add(new(big.Int).Mul(big.NewInt(s.Units), big.NewInt(moneyUnit)), big.NewInt(s.Micros))
	worth := new(big.Rat).Mul(new(big.Rat).SetFrac(micros, big.NewInt(moneyUnit)), rate)
	n := roundRat(worth.Quo(worth, unit))
	worth.Mul(new(big.Rat).SetInt(n), unit)
	return sumOfRat(worth)
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// roundRat rounds half away from zero.
func roundRat(x *big.Rat) *big.Int {
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	x = new(big.Rat).Add(x, half)
	return new(big.Int).Quo(x.Num(), x.Denom())
}

// sumOfRat gives whole millionths as a Sum; false if there are too many.
func sumOfRat(x *big.Rat) (Sum, bool) {
	micros := roundRat(new(big.Rat).Mul(x, big.NewRat(moneyUnit, 1)))
	units, rest := new(big.Int).QuoRem(micros, big.NewInt(moneyUnit), new(big.Int))
	return Sum{Units: units.Int64(), Micros: rest.Int64()}.Normal(), units.IsInt64()
}
