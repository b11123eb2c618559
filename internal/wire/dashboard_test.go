package wire_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func dashboard(e models.Expense) models.Dashboard {
	return models.Dashboard{
		From: models.DayOf(noon, time.UTC), To: models.DayOf(noon, time.UTC) + 1, Version: 7, Others: elsewhere(),
		CurrencyTotal: models.CurrencyTotal{
			Currency: "INR", Income: models.Sum{Units: 100},
			Expense: models.Sum{Units: 30, Micros: 300_000}, Count: 4,
		},
		ByCategory: []models.CategoryTotal{
			{Category: "food", Total: models.Sum{Units: 20, Micros: 200_000}, Count: 2},
			{Category: "other", Total: models.Sum{Units: 10, Micros: 100_000}, Count: 1},
		},
		Series: []models.DayTotal{{
			Day: models.DayOf(noon, time.UTC), Income: models.Sum{Units: 100},
			Expense: models.Sum{Units: 30, Micros: 300_000},
		}},
		Recent: []models.Expense{e}, GeneratedAt: later,
	}
}

func TestDaysOfADashboard(t *testing.T) {
	on := func(y int, m time.Month, d int) models.DayRef { return models.DayRefOf(models.Date(y, m, d)) }
	at := func(s string) models.DayRef { t, _ := time.Parse(time.RFC3339, s); return models.DayRef{At: t} }
	open := models.DayRef{}
	tests := []struct {
		from, to    string
		first, last models.DayRef
		err         string
	}{
		{"", "", open, open, ""},
		{"2026-01-19", "", on(2026, 1, 19), open, ""},
		{"", "1768780800000", open, at("2026-01-19T00:00:00Z"), ""},
		// one day, somewhere
		{"2026-01-19T23:59:59Z", "2026-01-19T00:00:00Z", at("2026-01-19T23:59:59Z"), at("2026-01-19T00:00:00Z"), ""},
		{"2026-01-19T23:59", "2026-02", on(2026, 1, 19), on(2026, 2, 1), ""},
		{"0001-01-01", "2026-01-19", on(1, 1, 1), on(2026, 1, 19), ""},
		{"0001-01-02", "0001-01-01", open, open, `"to" must be greater than or equal to "from"`},
		{"2026-01-20", "2026-01-19", open, open, `"to" must be greater than or equal to "from"`},
		{"then", "", open, open, `"from" must be a valid date`},
		{"", "now", open, open, `"to" must be a valid date`},
		{"8640000000000000", "", open, open, `"from" must be a valid date`},
	}
	for _, tt := range tests {
		arg := fmt.Sprintf(`{"from":%q,"to":%q}`, tt.from, tt.to)
		for door, parse := range map[string]func() (models.DayRef, models.DayRef, error){
			"HTTP": func() (models.DayRef, models.DayRef, error) { return wire.ParseDays(tt.from, tt.to) },
			"socket": func() (models.DayRef, models.DayRef, error) {
				return wire.ParseDashboardSubscribe(json.RawMessage(arg))
			},
		} {
			first, last, err := parse()
			if tt.err != "" {
				if err == nil || models.Message(err) != tt.err {
					t.Errorf("%s %s: %v", door, arg, err)
				}
			} else if err != nil || first != tt.first || last != tt.last {
				t.Errorf("%s %s: %v to %v, %v", door, arg, first, last, err)
			}
		}
	}
}

func TestWhatADashboardSubscriptionMayLeaveOut(t *testing.T) {
	for arg, want := range map[string]string{
		"": "", "null": "", "{}": "", `{"from":null,"to":null,"more":1}`: "",
		`"2026"`: `"value" must be of type object`, `[]`: `"value" must be of type object`,
		`{"from":true}`: `"from" must be a valid date`,
	} {
		first, last, err := wire.ParseDashboardSubscribe(json.RawMessage(arg))
		if want == "" && (err != nil || !first.IsZero() || !last.IsZero()) {
			t.Errorf("%s: %v to %v, %v", arg, first, last, err)
		} else if want != "" && (err == nil || models.Message(err) != want) {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

func FuzzParseDashboardSubscribe(f *testing.F) {
	for _, arg := range []string{`{"from":"2026-01-19","to":1768780800000}`, `{"from":null}`, "null", "{"} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		first, last, err := wire.ParseDashboardSubscribe(json.RawMessage(arg))
		if err != nil && models.KindOf(err) != models.Invalid {
			t.Fatalf("%q: %v", arg, err)
		}
		if err == nil && !first.IsZero() && !last.IsZero() && last.IsDay && first.IsDay && last.Day < first.Day {
			t.Fatalf("%q: %v to %v", arg, first, last)
		}
	})
}

func FuzzParseDays(f *testing.F) {
	f.Add("2026-01-19", "1768780800000")
	f.Add("", "-1")
	f.Fuzz(func(t *testing.T, from, to string) {
		first, last, err := wire.ParseDays(from, to)
		if err != nil && models.KindOf(err) != models.Invalid {
			t.Fatalf("%q, %q: %v", from, to, err)
		}
		if err == nil && !first.IsZero() && !last.IsZero() && last.IsDay && first.IsDay && last.Day < first.Day {
			t.Fatalf("%q, %q: %v to %v", from, to, first, last)
		}
	})
}
