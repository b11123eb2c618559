package models

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// exact is s in millionths.
func exact(s Sum) *big.Int {
	n := new(big.Int).Mul(big.NewInt(s.Units), big.NewInt(moneyUnit))
	return n.Add(n, big.NewInt(s.Micros))
}

func TestSumsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(-int64(MaxAmount), int64(MaxAmount)), 0, 50).Draw(t, "amounts")
		want, sum, back := new(big.Int), Sum{}, Sum{}
		for _, a := range amounts {
			want.Add(want, big.NewInt(a))
			sum = sum.Add(Money(a))
			back = back.Sub(Money(a))
		}
		if exact(sum).Cmp(want) != 0 || sum != sum.Normalized() || sum.Micros < 0 || sum.Micros >= moneyUnit {
			t.Fatalf("the sum of %d is %+v, want %s millionths", amounts, sum, want)
		}
		if sum.Plus(back) != (Sum{}) || sum.Minus(sum) != (Sum{}) {
			t.Fatalf("%v and %v do not make nothing", sum, back)
		}
		if got := readDecimal(t, sum.String()); got.Cmp(want) != 0 {
			t.Fatalf("%+v is written %s", sum, sum)
		}
	})
}

// readDecimal returns a decimal text in millionths, and fails unless it is the
// shortest.
func readDecimal(t *rapid.T, s string) *big.Int {
	r, ok := new(big.Rat).SetString(s)
	if !ok || (strings.Contains(s, ".") && strings.HasSuffix(s, "0")) || strings.HasPrefix(s, "-0") && r.Sign() == 0 {
		t.Fatalf("%q is no shortest decimal", s)
	}
	r.Mul(r, new(big.Rat).SetInt64(moneyUnit))
	return r.Num()
}

func TestSumsCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Sum {
			return Sum{rapid.Int64Range(-3, 3).Draw(t, name), rapid.Int64Range(-2e6, 2e6).Draw(t, name+" micros")}
		}
		a, b := draw("a"), draw("b")
		if got, want := a.Cmp(b), exact(a).Cmp(exact(b)); got != want {
			t.Fatalf("%+v against %+v is %d, want %d", a, b, got, want)
		}
	})
}

func TestASumOutgrowsMoney(t *testing.T) {
	sum := Sum{}
	for range 10 {
		sum = sum.Add(MaxAmount)
	}
	if sum.String() != "90000000000000" {
		t.Errorf("ten times the largest amount is %s", sum)
	}
	if half := SumOf(-500_000); half.String() != "-0.5" || half.Float() != -0.5 {
		t.Errorf("-0.5 is %s, %v", half, half.Float())
	}
}
