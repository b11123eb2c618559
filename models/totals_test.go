package models

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestTotalsAreTheFoldOfEntries adds and removes entries at random.
func TestTotalsAreTheFoldOfEntries(t *testing.T) {
	type entry struct {
		currency, kind string
		amount         Money
	}
	rapid.Check(t, func(t *rapid.T) {
		var totals Totals
		var entries []entry
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			if n := len(entries); n > 0 && rapid.Bool().Draw(t, "remove") {
				i := rapid.IntRange(0, n-1).Draw(t, "which")
				totals = totals.With(entries[i].currency, entries[i].kind, entries[i].amount, -1)
				entries = append(entries[:i], entries[i+1:]...)
				continue
			}
			e := entry{
				rapid.SampledFrom([]string{"", "INR", "USD", "EUR", "BTC"}).Draw(t, "currency"),
				rapid.SampledFrom(Types).Draw(t, "type"), Money(rapid.Int64Range(1, int64(MaxAmount)).Draw(t, "amount")),
			}
			before := slices.Clone(totals)
			after := totals.With(e.currency, e.kind, e.amount, 1)
			if diff := cmp.Diff(before, totals); diff != "" {
				t.Fatalf("the totals before changed:\n%s", diff)
			}
			totals, entries = after, append(entries, e)
		}
		own, others := totals.ForAccount("INR")
		var want CurrencyTotal
		for _, e := range entries {
			if e.currency == "" || e.currency == "INR" {
				want = want.with(e.kind, SumOf(e.amount), 1)
			}
		}
		want.Currency = "INR"
		count := own.Count
		for _, c := range others {
			count += c.Count
		}
		if own != want || int(count) != len(entries) {
			t.Fatalf("%+v beside %+v, want %+v of %d", own, others, want, len(entries))
		}
	})
}
