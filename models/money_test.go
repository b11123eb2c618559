package models_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"expenseflow/models"
)

func TestParseMoneyIsExact(t *testing.T) {
	tests := []struct{ in, want string }{
		{"12.5", "12.5"},
		{"12.345", "12.345"},
		{"0.1", "0.1"},
		{".5", "0.5"},
		{"5.", "5"},
		{"+7", "7"},
		{"-3", "-3"},
		{"-0", "0"},
		{"0", "0"},
		{"000012.500", "12.5"},
		{"1.5e3", "1500"},
		{"1.5E+3", "1500"},
		{"1500e-3", "1.5"},
		{"0.0000005", "0.000001"},
		{"0.00000049999", "0"},
		{"-0.0000005", "-0.000001"},
		{"1.0000004", "1"},
		{"1.9999995", "2"},
		{"9000000000000", "9000000000000"},
		{"9000000000000.000001", "9000000000000.000001"},
		{"8999999999999.999999", "8999999999999.999999"},
		{"0e999999999999999999999", "0"},
		{"1e-999999999999999999999", "0"},
		{"0." + strings.Repeat("0", 500) + "1e501", "1"},
		{"1" + strings.Repeat("0", 500) + "e-500", "1"},
		{"9007199254740991", "9223372036854.775807"}, // saturates; beyond every limit
		{"-9007199254740991", "-9223372036854.775807"},
	}
	for _, tt := range tests {
		got, err := models.ParseMoney(tt.in)
		if err != nil || got.String() != tt.want {
			t.Errorf("ParseMoney(%.30q) = %v, %v; want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	tests := []struct {
		in   string
		want error
	}{
		{"", models.ErrNotANumber},
		{".", models.ErrNotANumber},
		{"-", models.ErrNotANumber},
		{"abc", models.ErrNotANumber},
		{"1,000", models.ErrNotANumber},
		{"1_000", models.ErrNotANumber},
		{"0x10", models.ErrNotANumber},
		{"1e", models.ErrNotANumber},
		{"1e+", models.ErrNotANumber},
		{"1e5e5", models.ErrNotANumber},
		{"1e1.5", models.ErrNotANumber},
		{"e5", models.ErrNotANumber},
		{"--1", models.ErrNotANumber},
		{"1.2.3", models.ErrNotANumber},
		{" 1", models.ErrNotANumber},
		{"Infinity", models.ErrNotANumber},
		{"NaN", models.ErrNotANumber},
		{"9007199254740992", models.ErrUnsafeNumber},
		{"9007199254740991.1", models.ErrUnsafeNumber},
		{"-9007199254740992", models.ErrUnsafeNumber},
		{"1e400", models.ErrUnsafeNumber},
		{"1e999999999999999999999", models.ErrUnsafeNumber},
	}
	for _, tt := range tests {
		if _, err := models.ParseMoney(tt.in); !errors.Is(err, tt.want) {
			t.Errorf("ParseMoney(%q) = %v, want %v", tt.in, err, tt.want)
		}
	}
}

// The sum of ten times 0.1 is exactly 1, unlike in floating point.
func TestMoneyAddsExactly(t *testing.T) {
	tenth, err := models.ParseMoney("0.1")
	if err != nil {
		t.Fatal(err)
	}
	if sum := 10 * tenth; sum.String() != "1" {
		t.Errorf("ten times 0.1 = %s", sum)
	}
}

// A body of ten megabytes may consist of a single number.
func TestParseMoneyTakesALongNumberInLinearTime(t *testing.T) {
	long := "1." + strings.Repeat("3", 10<<20)
	got, err := models.ParseMoney(long)
	if err != nil || got.String() != "1.333333" {
		t.Errorf("got %v, %v", got, err)
	}
}

// Every amount comes back as it was sent (docs/contract.md#amounts).
func TestMoneyComesBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := models.Money(rapid.Int64Range(-int64(models.MaxAmount), int64(models.MaxAmount)).Draw(t, "money"))
		got, err := models.ParseMoney(m.String())
		if err != nil || got != m {
			t.Fatalf("%s came back as %v, %v", m, got, err)
		}
	})
}

// FuzzParseMoney compares ParseMoney with exact rational arithmetic.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"12.345", "-1e-7", "9007199254740991.5", "1e400", ".5", "5.", "00.10e+2", "4.9999995"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := models.ParseMoney(s)
		if again, err2 := models.ParseMoney(got.String()); err == nil && (err2 != nil || again != got) {
			t.Fatalf("%q gave %s, which gives %v, %v", s, got, again, err2)
		}
		if i := strings.IndexAny(s, "eE"); len(s) > 100 || (i >= 0 && len(s)-i > 5) || strings.ContainsAny(s, "/_xXbBoOpPiIn") {
			return // what the reference cannot read, or only slowly
		}
		want, wantErr := reference(s)
		if !errors.Is(err, wantErr) || got != want {
			t.Fatalf("ParseMoney(%q) = %v, %v; want %v, %v", s, got, err, want, wantErr)
		}
	})
}

func reference(s string) (models.Money, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, models.ErrNotANumber
	}
	magnitude := new(big.Rat).Abs(r)
	if magnitude.Cmp(big.NewRat(1<<53-1, 1)) > 0 {
		return 0, models.ErrUnsafeNumber
	}
	magnitude.Mul(magnitude, big.NewRat(1_000_000, 1))
	magnitude.Add(magnitude, big.NewRat(1, 2))
	n := new(big.Int).Quo(magnitude.Num(), magnitude.Denom())
	if !n.IsInt64() {
		n.SetInt64(1<<63 - 1)
	}
	if r.Sign() < 0 {
		n.Neg(n)
	}
	return models.Money(n.Int64()), nil
}
