package app

import (
	"fmt"
	"strings"
	"testing"
)

// at is the body of an expense with this date and further fields.
func at(date, more string) string {
	return fmt.Sprintf(`{"description":"Lunch","amount":10,"category":"food","type":"expense","date":%q%s}`, date, more)
}

// The days of an account are those of the zone that a client named first, and then of its
// setting. A change of the zone moves no earlier day.
func TestAnAccountsDaysAreThoseOfItsZone(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		day := func(body string, headers ...string) string {
			return r.call("POST", "/api/expenses", alice, body, headers...).field("day")
		}
		for i, tt := range []struct{ want, got string }{
			{"2026-03-01", day(at("2026-03-01T03:00:00Z", ""), "X-Time-Zone", "Mars/Olympus")},
			{"2026-02-28", day(at("2026-03-01T03:00:00Z", ""), "X-Time-Zone", "America/Los_Angeles")},
			{"2026-02-28", day(at("2026-03-01T03:00:00Z", ""), "X-Time-Zone", "Pacific/Auckland")}, // another device
			{"2026-03-01", day(at("2026-03-01", ""))},
			{"2026-03-02", day(at("2026-03-01T20:00:00Z", `,"day":"2026-03-02"`))},
		} {
			if tt.got != tt.want {
				t.Errorf("%d: %s, want %s", i, tt.got, tt.want)
			}
		}
		before := r.call("GET", "/api/expenses", alice, "").body
		a := r.call("PATCH", "/api/user/settings", alice, `{"timeZone":"Pacific/Auckland"}`)
		if a.body != `{"currency":"INR","currencyChosen":false,"timeZone":"Pacific/Auckland","name":"Test"}` {
			t.Errorf("settings: %d %s", a.code, a.body)
		}
		if after := r.call("GET", "/api/expenses", alice, "").body; after != before {
			t.Errorf("the zone moved days:\n%s\n%s", before, after)
		}
		if got := day(at("2026-03-01T12:00:00Z", "")); got != "2026-03-02" {
			t.Errorf("noon in UTC is of %s in Auckland", got)
		}
		if a := r.call("GET", "/api/dashboard?from=2026-02-28&to=2026-02-28", alice, ""); !strings.Contains(a.body,
			`"expense":20,"balance":-20,"count":2`) {
			t.Errorf("28 February: %s", a.body)
		}
		if a := r.call("PATCH", "/api/user/settings", alice, `{"timeZone":"Mars/Olympus"}`); a.code != 400 {
			t.Errorf("no zone: %d %s", a.code, a.body)
		}
	})
}

// Amounts of different currencies were added up.
func TestCurrenciesAreNotAddedUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		for _, currency := range []string{"", `,"currency":"USD"`, `,"currency":"INR"`} {
			r.call("POST", "/api/expenses", alice, at("2026-03-01", currency))
		}
		balance := func() string { return r.call("GET", "/api/accounts/balance", alice, "").body }
		if b := balance(); !strings.Contains(b, `"expense":20,"currency":"INR","byCurrency":[{"currency":"USD","income":0,`+
			`"expense":10,"balance":-10,"count":1,"converted":null}]`) {
			t.Errorf("in rupees: %s", b)
		}
		if a := r.call("PUT", "/api/currency/preference", alice, `{"currency":"usd"}`); a.code != 200 ||
			a.body != `{"success":true,"message":"Currency preference updated"}` {
			t.Errorf("preference: %d %s", a.code, a.body)
		}
		if b := balance(); !strings.Contains(b, `"expense":20,"currency":"USD","byCurrency":[{"currency":"INR","income":0,`+
			`"expense":10,`) {
			t.Errorf("in dollars: %s", b)
		}
		for _, bad := range []string{`{"currency":"XYZ"}`, `{}`, `{"currency":7}`} {
			if a := r.call("PUT", "/api/currency/preference", alice, bad); a.code != 400 || a.field("error") != "Invalid currency code" {
				t.Errorf("%s: %d %s", bad, a.code, a.body)
			}
		}
		if a := r.call("GET", "/api/currency/preference", alice, ""); a.body != `{"success":true,"data":{"preferredCurrency":"USD"}}` {
			t.Errorf("preference: %s", a.body)
		}
		if a := r.call("GET", "/api/currency/rates?base=EUR", "", ""); !strings.HasPrefix(a.body,
			`{"success":true,"data":{"baseCurrency":"EUR","rates":{"EUR":1},`) {
			t.Errorf("rates: %s", a.body)
		}
		if a := r.call("GET", "/api/currency/supported", "", ""); !strings.HasPrefix(a.body,
			`{"success":true,"data":{"currencies":[{"code":"USD","name":"US Dollar","symbol":"$","decimals":2},{"code":"EUR"`) {
			t.Errorf("supported: %.200s", a.body)
		}
	})
}
