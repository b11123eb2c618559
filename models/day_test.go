package models

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDaysAreThoseOfTheCalendar compares Day with package time.
func TestDaysAreThoseOfTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Day(rapid.Int64Range(int64(MinDay), int64(MaxDay)).Draw(t, "day"))
		midnight := d.Time()
		year, month, day := midnight.Date()
		switch back, ok := ParseDay(d.String()); {
		case !ok || back != d || d.String() != midnight.Format(time.DateOnly):
			t.Fatalf("%d is written %s and read %d", d, d, back)
		case Date(year, month, day) != d || d.Weekday() != midnight.Weekday():
			t.Fatalf("%s is made %s", d, Date(year, month, day))
		case DayOf(midnight, time.UTC) != d || DayOf(midnight.Add(24*time.Hour-1), time.UTC) != d:
			t.Fatalf("%s does not hold its own moments", d)
		}
		n := rapid.Int64Range(-400, 400).Draw(t, "n")
		if far := d + Day(n); far >= MinDay && far <= MaxDay && far != DayOf(midnight.AddDate(0, 0, int(n)), time.UTC) {
			t.Fatalf("%s and %d days is %s", d, n, far)
		}
	})
}

func TestAMomentHasTheDayOfItsZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, _ := LoadZone(rapid.SampledFrom([]string{
			"America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin", "Asia/Manila",
		}).Draw(t, "zone"))
		at := time.UnixMilli(rapid.Int64Range(-6e13, 2e14).Draw(t, "at"))
		d := DayOf(at, zone)
		if want := at.In(zone).Format(time.DateOnly); d.String() != want || !d.MayContain(at) {
			t.Fatalf("%s in %s is %s, want %s", at.UTC(), zone, d, want)
		}
		if from, to := TimeRange(d, d); at.Before(from) || !at.Before(to) {
			t.Fatalf("%s is of %s, whose moments are %s to %s", at, d, from, to)
		}
		if (d + 3).MayContain(at) || (d - 3).MayContain(at) {
			t.Fatalf("%s may be of %s or %s", at, d+3, d-3)
		}
	})
}

func TestDaysAroundChangesOfTheClock(t *testing.T) {
	for _, tt := range []struct{ zone, at, want string }{
		{"America/Los_Angeles", "2026-03-08T09:59:59Z", "2026-03-08"}, // one second before 02:00 becomes 03:00
		{"America/Los_Angeles", "2026-03-08T07:59:59Z", "2026-03-07"},
		{"America/Los_Angeles", "2026-03-09T06:59:59Z", "2026-03-08"}, // a day of 23 hours
		{"America/Los_Angeles", "2026-11-02T07:59:59Z", "2026-11-01"}, // a day of 25 hours
		{"America/Los_Angeles", "2026-11-02T08:00:00Z", "2026-11-02"},
		{"Pacific/Auckland", "2026-04-04T11:00:00Z", "2026-04-05"},
		{"Pacific/Auckland", "2026-04-05T11:59:59Z", "2026-04-05"}, // 25 hours
		{"Pacific/Auckland", "2026-04-05T12:00:00Z", "2026-04-06"},
		{"Pacific/Auckland", "2024-02-28T11:00:00Z", "2024-02-29"},
		{"America/Los_Angeles", "2024-03-01T07:59:59Z", "2024-02-29"},
		{"Pacific/Auckland", "2026-12-31T11:00:00Z", "2027-01-01"},
		{"Pacific/Auckland", "9999-12-31T23:00:00Z", "9999-12-31"}, // no year 10000
		{"America/Los_Angeles", "0000-01-01T00:00:00Z", "0000-01-01"},
	} {
		zone, _ := LoadZone(tt.zone)
		at, err := time.Parse(time.RFC3339, tt.at)
		if got := DayOf(at, zone).String(); got != tt.want || err != nil {
			t.Errorf("%s in %s is %s, %v, want %s", tt.at, tt.zone, got, err, tt.want)
		}
	}
}

func TestMonthsAreAddedToTheirLastDay(t *testing.T) {
	for _, tt := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-01-31", 1, "2026-02-28"},
		{"2024-01-31", 1, "2024-02-29"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2026-03-31", -1, "2026-02-28"},
		{"2026-11-15", 2, "2027-01-15"},
		{"2026-01-15", -13, "2024-12-15"},
	} {
		if got := onDay(tt.from).AddMonths(tt.n); got.String() != tt.want {
			t.Errorf("%s and %d months is %s, want %s", tt.from, tt.n, got, tt.want)
		}
	}
}

func TestNoDays(t *testing.T) {
	for _, s := range []string{
		"", "2026-02-29", "2026-1-1", "2026-01-01T00:00:00Z", "10000-01-01", "-001-01-01", "2026-13-01",
		"today",
	} {
		if d, ok := ParseDay(s); ok {
			t.Errorf("%q is read as %s", s, d)
		}
	}
}

func TestNamesThatAreNoZone(t *testing.T) {
	for _, name := range []string{
		"", "Local", "Mars/Olympus", "../etc/passwd", "America/", "utc\x00", "+02:00",
		string(make([]byte, 1000)),
	} {
		if zone, ok := LoadZone(name); ok {
			t.Errorf("%q is the zone %s", name, zone)
		}
	}
	for _, name := range []string{
		"UTC", "Asia/Calcutta", "Asia/Kolkata", "US/Pacific", "Etc/GMT+5",
		"America/Argentina/ComodRivadavia",
	} {
		if zone, ok := LoadZone(name); !ok || zone.String() != name {
			t.Errorf("%q is no zone", name)
		}
	}
}

// TestADateSetsItsDay covers the forms in which pages send dates.
func TestADateSetsItsDay(t *testing.T) {
	angeles, _ := LoadZone("America/Los_Angeles")
	evening := time.Date(2026, time.March, 1, 3, 0, 0, 0, time.UTC) // 28 February there
	midnight := onDay("2026-03-01").Time()
	named := func(s string) *Day { d := onDay(s); return &d }
	for _, tt := range []struct {
		name  string
		patch Patch
		date  time.Time
		day   string
	}{
		{"a moment", Patch{Date: &evening}, evening, "2026-02-28"},
		{"a bare day", Patch{Date: &midnight, Day: named("2026-03-01")}, midnight, "2026-03-01"},
		{"a moment and its day", Patch{Date: &evening, Day: named("2026-03-01")}, evening, "2026-03-01"},
		{"a moment and a day it never has", Patch{Date: &evening, Day: named("2026-02-20")}, evening, "2026-02-28"},
		{"another day alone", Patch{Day: named("2026-02-20")}, onDay("2026-02-20").Time(), "2026-02-20"},
		{"the stored day alone", Patch{Day: named("2026-01-15")}, onDay("2026-01-15").Time().Add(time.Hour), "2026-01-15"},
		{"neither", Patch{}, onDay("2026-01-15").Time().Add(time.Hour), "2026-01-15"},
	} {
		e := Expense{Date: onDay("2026-01-15").Time().Add(time.Hour), Day: onDay("2026-01-15")}
		tt.patch.Apply(&e, angeles)
		if !e.Date.Equal(tt.date) || e.Day.String() != tt.day {
			t.Errorf("%s: %s on %s, want %s on %s", tt.name, e.Date, e.Day, tt.date, tt.day)
		}
	}
}

// TestADocumentSentBackMovesNoDay covers a page in another zone that changes the amount and
// sends all other fields as it read them.
func TestADocumentSentBackMovesNoDay(t *testing.T) {
	angeles, _ := LoadZone("America/Los_Angeles")
	e := Expense{Date: onDay("2026-03-01").Time(), Day: onDay("2026-03-01")}
	date := e.Date
	Patch{Date: &date}.Apply(&e, angeles)
	if e.Day.String() != "2026-03-01" {
		t.Errorf("its day is %s now", e.Day)
	}
	b := Budget{Start: e.Date, StartDay: e.Day}
	BudgetPatch{Start: &date}.Apply(&b, angeles)
	if b.StartDay.String() != "2026-03-01" {
		t.Errorf("the budget begins on %s now", b.StartDay)
	}
}
