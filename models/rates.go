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

// Rates are exchange rates from the operator's file. A nil *Rates converts each currency
// to itself only. A Rates is immutable.
type Rates struct {
	Base string
	At   time.Time // when the rates were valid, UTC

	perBase map[string]*big.Rat // units of a currency for one unit of Base
}

// maxRate is the largest allowed rate; 1/maxRate is the smallest.
const maxRate = 1e12

// ParseRates parses {"base": code, "date": day or time, "rates": {code: number}}, where
// a number is the units of its currency for one unit of base. fallback is used without a
// date; other keys are ignored. The error's text completes a sentence that begins with
// the file's name.
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
	r := &Rates{Base: sent.Base, At: Millis(fallback), perBase: map[string]*big.Rat{}}
	switch {
	case !isCurrency(sent.Base):
		return nil, errors.New(`has no "base" of 3 to 5 capital letters`)
	case len(sent.Rates) == 0:
		return nil, errors.New(`has no "rates"`)
	case sent.Amount != "" && sent.Amount != "1" && sent.Amount != "1.0":
		return nil, errors.New(`has rates of an "amount" other than 1`)
	}
	if err := r.setDate(sent.Date); err != nil {
		return nil, err
	}
	for code, rate := range sent.Rates {
		if err := r.add(code, string(rate)); err != nil {
			return nil, err
		}
	}
	if own := r.perBase[r.Base]; own != nil && own.Cmp(big.NewRat(1, 1)) != 0 {
		return nil, fmt.Errorf("says that one %s is worth another amount of %s", r.Base, r.Base)
	}
	r.perBase[r.Base] = big.NewRat(1, 1)
	return r, nil
}

func (r *Rates) setDate(s string) error {
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
	r.perBase[code], _ = new(big.Rat).SetString(number)
	return nil
}

func isCurrency(code string) bool { return code != "" && len(checkCurrency(&code)) == 0 }

// Rate returns the units of to for one unit of from; false if unknown.
func (r *Rates) Rate(from, to string) (*big.Rat, bool) {
	if from == to {
		return big.NewRat(1, 1), true
	}
	if r == nil || r.perBase[from] == nil || r.perBase[to] == nil {
		return nil, false
	}
	return new(big.Rat).Quo(r.perBase[to], r.perBase[from]), true
}

// Codes returns the sorted codes of the currencies that base can be converted to,
// including base itself.
func (r *Rates) Codes(base string) []string {
	if r == nil || r.perBase[base] == nil {
		return []string{base}
	}
	return slices.Sorted(maps.Keys(r.perBase))
}

// Convert converts a sum to another currency, rounded half away from zero to that
// currency's usual number of decimals; false if the rate is unknown.
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

// sumOfRat returns x, rounded to millionths, as a Sum; false on overflow.
func sumOfRat(x *big.Rat) (Sum, bool) {
	micros := roundRat(new(big.Rat).Mul(x, big.NewRat(moneyUnit, 1)))
	units, rest := new(big.Int).QuoRem(micros, big.NewInt(moneyUnit), new(big.Int))
	return Sum{Units: units.Int64(), Micros: rest.Int64()}.Normalized(), units.IsInt64()
}
