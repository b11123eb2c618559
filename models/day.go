package models

import "time"

// A Day is a calendar day without a time zone, as a number of days since 1970-01-01.
// Totals, budgets and dashboards group entries by Day. DayOf converts a time to its
// Day in a zone. d+1 is the day after d.
//
// The text form is YYYY-MM-DD, with years from 0 to 9999.
type Day int64

// The first and the last Day.
var (
	MinDay = Date(0, time.January, 1)
	MaxDay = Date(9999, time.December, 31)
)

const daySeconds = 24 * 60 * 60

// Date returns the Day of a date. Values out of range are normalized as in time.Date:
// 32 January is 1 February.
func Date(year int, month time.Month, day int) Day {
	return Day(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), daySeconds))
}

// DayOf returns the day of t in zone, clamped to MinDay and MaxDay.
func DayOf(t time.Time, zone *time.Location) Day {
	_, offset := t.In(zone).Zone()
	return min(max(Day(floorDiv(t.Unix()+int64(offset), daySeconds)), MinDay), MaxDay)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ParseDay parses YYYY-MM-DD. It returns false for anything else, such as 2026-02-29.
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	return DayOf(t, time.UTC), true
}

// Time returns midnight UTC of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// Date returns the year, month and day of the month: the inverse of the function Date.
func (d Day) Date() (year int, month time.Month, day int) { return d.Time().Date() }

// Weekday returns the day of the week.
func (d Day) Weekday() time.Weekday { return d.Time().Weekday() }

// AddMonths returns the day n months later, or the last day of that month if it is
// shorter: one month after 31 January is 28 or 29 February.
func (d Day) AddMonths(n int) Day {
	year, month, day := d.Date()
	first := Date(year, month+time.Month(n), 1)
	year, month, _ = first.Date()
	return min(first+Day(day-1), Date(year, month+1, 1)-1)
}

// String returns YYYY-MM-DD.
func (d Day) String() string { return string(d.Append(nil)) }

// Append appends YYYY-MM-DD to b.
func (d Day) Append(b []byte) []byte {
	year, month, day := d.Date()
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	return appendTwo(b, day)
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// maxZoneOffset is larger than the UTC offset of any time zone in history.
const maxZoneOffset = 16 * time.Hour

// MayContain reports whether t falls on this day in some time zone. Expense.Day is
// always possible for Expense.Date.
func (d Day) MayContain(t time.Time) bool {
	midnight := d.Time()
	return !t.Before(midnight.Add(-maxZoneOffset)) && t.Before(midnight.Add(24*time.Hour+maxZoneOffset))
}

// TimeRange returns bounds of the times that fall on one of the days from first to
// last in some time zone: from is included, to is excluded.
func TimeRange(first, last Day) (from, to time.Time) {
	return first.Time().Add(-maxZoneOffset), (last + 1).Time().Add(maxZoneOffset)
}

// A DayRef is a day in a request: a Day, or a time whose day in the account's zone is
// meant. The zero DayRef is no day.
type DayRef struct {
	At    time.Time // UTC; zero if IsDay
	Day   Day       // if IsDay
	IsDay bool      // whether it is Day, not At
}

// DayRefOf returns a reference to d.
func DayRefOf(d Day) DayRef { return DayRef{Day: d, IsDay: true} }

// IsZero reports whether r is no day.
func (r DayRef) IsZero() bool { return r == DayRef{} }

// In returns the day for an account in zone. It must not be called on a zero DayRef.
func (r DayRef) In(zone *time.Location) Day {
	if r.IsDay {
		return r.Day
	}
	return DayOf(r.At, zone)
}
