package wire

import (
	"time"

	"expenseflow/models"
)

// An Amount is a models.Money as a JSON number in its shortest form.
type Amount models.Money

// MarshalJSON gives the exact number.
func (a Amount) MarshalJSON() ([]byte, error) { return models.Money(a).Append(nil), nil }

// A Total is a models.Sum as a JSON number in its shortest form. It is exact
// here; a browser's number keeps some sixteen digits of it.
type Total models.Sum

// MarshalJSON gives the exact number.
func (t Total) MarshalJSON() ([]byte, error) { return models.Sum(t).Append(nil), nil }

// A Day is a date without a time of day: 2026-01-19.
type Day models.Day

// MarshalJSON gives the date.
func (d Day) MarshalJSON() ([]byte, error) { return appendDay(nil, models.Day(d)), nil }

func appendDay(b []byte, d models.Day) []byte { return append(d.Append(append(b, '"')), '"') }

// known gives nil, which is written null, for a time that is open or never was.
func known(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return (*Time)(&t)
}

// share is how much of whole part is, in percent; of nothing it is 0.
func share(part, whole models.Sum) float64 {
	if whole.Cmp(models.Sum{}) == 0 {
		return 0
	}
	return part.Float() / whole.Float() * 100
}
