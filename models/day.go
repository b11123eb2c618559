package models

import "time"

// A Day is a calendar day of no zone, counted in days since 1970-01-01. It is
// what totals, budgets and dashboards count by; a moment has a Day only in some
// zone (DayOf). Days compare and add up as integers, so d+1 is the next day.
//
// Its text is YYYY-MM-DD. The years are 0 to 9999.
type Day int64

// The first and the last Day.
var (
	MinDay = Date(0, time.January, 1)
	MaxDay = Date(9999, time.December, 31)
)

const daySeconds = 24 * 60 * 60

// Date is the day of a year, a month and a day of the month, out of range as in
// time.Date: the 32nd of January is the 1st of February.
func Date(year int, month time.Month, day int) Day {
	return Day(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), daySeconds))
}

// DayOf is the day that people in zone call t's. It never leaves MinDay to
// MaxDay: a moment within half a day of the ends counts as theirs.
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

// ParseDay reads YYYY-MM-DD; false for anything else, such as 2026-02-29.
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	return DayOf(t, time.UTC), true
}

// Time is midnight UTC of the day, the moment that stands for it where a moment
// is needed.
func (d Day) Time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// Date is the inverse of the function Date.
func (d Day) Date() (year int, month time.Month, day int) { return d.Time().Date() }

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return d.Time().Weekday() }

// AddMonths moves by whole months, to the last day of a month that has no such
// day: a month after 31 January is 28 or 29 February.
func (d Day) AddMonths(n int) Day {
	year, month, day := d.Date()
	first := Date(year, month+time.Month(n), 1)
	year, month, _ = first.Date()
	return min(first+Day(day-1), Date(year, month+1, 1)-1)
}

// String gives YYYY-MM-DD.
func (d Day) String() string { return string(d.Append(nil)) }

// Append appends YYYY-MM-DD to b.
func (d Day) Append(b []byte) []byte {
	year, month, day := d.Date()
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	return appendTwo(b, day)
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// anyOffset is more than any zone was ever away from UTC.
const anyOffset = 16 * time.Hour

// Possible reports whether t is of this day somewhere on Earth. The stored day of
// an expense always is one of its date's.
func (d Day) Possible(t time.Time) bool {
	midnight := d.Time()
	return !t.Before(midnight.Add(-anyOffset)) && t.Before(midnight.Add(24*time.Hour+anyOffset))
}

// MomentsOf are bounds of the moments that can be of the days from first to last:
// from included, to excluded.
func MomentsOf(first, last Day) (from, to time.Time) {
	return first.Time().Add(-anyOffset), (last + 1).Time().Add(anyOffset)
}

// A DayRef names a day as clients do: by itself, or by a moment, which is of its
// day in the account's zone. The zero DayRef names none.
type DayRef struct {
	At   time.Time // UTC; the zero time unless it is by a moment
	Day  Day       // if Bare
	Bare bool      // it is by itself
}

// OnDay names a day by itself.
func OnDay(d Day) DayRef { return DayRef{Day: d, Bare: true} }

// IsZero reports whether no day is named.
func (r DayRef) IsZero() bool { return r == DayRef{} }

// In is the day in an account of this zone; that of no DayRef means nothing.
func (r DayRef) In(zone *time.Location) Day {
	if r.Bare {
		return r.Day
	}
	return DayOf(r.At, zone)
}
