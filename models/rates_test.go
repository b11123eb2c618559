package models

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const someRates = `{"amount": 1.0, "base": "USD", "date": "2026-11-27", "rates": {"EUR": 0.8, "INR": 89.5, "JPY": 156.25, "BTC": 0.00001}}`

func TestRatesConvertWhatTheyKnow(t *testing.T) {
	r, err := ParseRates([]byte(someRates), time.Time{})
	if err != nil || !r.At.Equal(onDay("2026-11-27").Time()) {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, tt := range []struct {
		amount   Money
		from, to string
		want     string
	}{
		{10_000_000, "USD", "INR", "895"},
		{10_000_000, "EUR", "INR", "1118.75"},
		{1_000_000, "INR", "EUR", "0.01"}, // 0.0089...
		{-1_000_000, "INR", "EUR", "-0.01"},
		{12_345_000, "USD", "JPY", "1929"}, // yen have no decimals
		{1_000_000, "USD", "BTC", "0.00001"},
		{1_234_567, "EUR", "EUR", "1.23"},
		{1, "USD", "GBP", ""},
		{1, "GBP", "USD", ""},
	} {
		got, ok := r.Convert(SumOf(tt.amount), tt.from, tt.to)
		if ok != (tt.want != "") || ok && got.String() != tt.want {
			t.Errorf("%s %s is %s %s, %v, want %s", tt.amount, tt.from, got, tt.to, ok, tt.want)
		}
	}
}

func TestWithoutRatesACurrencyIsWorthItself(t *testing.T) {
	var none *Rates
	if s, ok := none.Convert(SumOf(10_000), "USD", "USD"); !ok || s.String() != "0.01" {
		t.Errorf("%s, %v", s, ok)
	}
	if _, ok := none.Convert(SumOf(1), "USD", "EUR"); ok {
		t.Error("a rate was made up")
	}
	if codes := none.Codes("USD"); len(codes) != 1 || codes[0] != "USD" {
		t.Errorf("%v", codes)
	}
}

func TestBadRatesAreToldInOneSentence(t *testing.T) {
	for body, want := range map[string]string{
		"":                                                               "no JSON object",
		"[]":                                                             "no JSON object",
		`{"base": "USD"}{}`:                                              "no JSON object",
		`{"base": "USD", "rates": []}`:                                   "no JSON object",
		`{"rates": {"EUR": 1}}`:                                          `no "base"`,
		`{"base": "usd", "rates": {}}`:                                   `no "base"`,
		`{"base": "USD", "rates": {}}`:                                   `no "rates"`,
		`{"base": "USD", "rates": null}`:                                 `no "rates"`,
		`{"base": "USD", "rates": {"EUR": 0}}`:                           "rate of EUR",
		`{"base": "USD", "rates": {"EUR": -1}}`:                          "rate of EUR",
		`{"base": "USD", "rates": {"EUR": 1e400}}`:                       "rate of EUR",
		`{"base": "USD", "rates": {"EUR": 1e-4000000}}`:                  "rate of EUR",
		`{"base": "USD", "rates": {"EUR": null}}`:                        "rate of EUR",
		`{"base": "USD", "rates": {"EUR": "x"}}`:                         "no JSON object",
		`{"base": "USD", "rates": {"euro!": 1}}`:                         `"euro!"`,
		`{"base": "USD", "rates": {"USD": 2}}`:                           "one USD is worth",
		`{"base": "USD", "date": "yesterday", "rates": {"EUR": 1}}`:      `"date"`,
		`{"base": "USD", "amount": 10, "date": "", "rates": {"EUR": 1}}`: `"amount"`,
	} {
		if r, err := ParseRates([]byte(body), time.Time{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want %s", body, r, err, want)
		}
	}
}

// Converting a sum there and back changes at most its last decimal.
func TestThereAndBackIsTheSame(t *testing.T) {
	r, _ := ParseRates([]byte(someRates), time.Time{})
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Int64Range(-1e12, 1e12).Draw(t, "cents")
		s := SumOf(Money(cents * 10_000))
		rupees, _ := r.Convert(s, "USD", "INR")
		back, ok := r.Convert(rupees, "INR", "USD")
		if !ok || back != s {
			t.Fatalf("%s is %s, which is %s", s, rupees, back)
		}
	})
}
