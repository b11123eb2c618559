package wire

import (
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// timeLayout is the format of every time: UTC with milliseconds.
const timeLayout = `"2006-01-02T15:04:05.000Z"`

// Time is a time that is encoded in UTC with milliseconds: "2026-01-19T08:30:00.000Z".
type Time time.Time

// MarshalJSON returns UTC with three digits of milliseconds.
func (t Time) MarshalJSON() ([]byte, error) { return appendTime(nil, time.Time(t)), nil }

// UnmarshalJSON reads what MarshalJSON wrote: commands read the answers of a running server.
func (t *Time) UnmarshalJSON(b []byte) error { return (*time.Time)(t).UnmarshalJSON(b) }

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, timeLayout)
}

// appendNonEmpty appends a key and its string; nothing if the string is empty.
func appendNonEmpty(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(append(b, key...), s)
}

// appendString appends s as encoding/json writes it, so that the same document
// has the same bytes whoever encodes it.
func appendString(b []byte, s string) []byte { return rawjson.AppendHTMLString(b, s) }

// An Amount is a models.Money that is encoded as a JSON number in its shortest form.
type Amount models.Money

// MarshalJSON returns the exact number.
func (a Amount) MarshalJSON() ([]byte, error) { return models.Money(a).Append(nil), nil }

// A Total is a models.Sum that is encoded as a JSON number in its shortest form. It is
// exact; JavaScript keeps about sixteen digits of it.
type Total models.Sum

// MarshalJSON returns the exact number.
func (t Total) MarshalJSON() ([]byte, error) { return models.Sum(t).Append(nil), nil }

// A Day is a models.Day that is encoded as "2026-01-19".
type Day models.Day

// MarshalJSON returns the date as a string.
func (d Day) MarshalJSON() ([]byte, error) { return appendDay(nil, models.Day(d)), nil }

func appendDay(b []byte, d models.Day) []byte { return append(d.Append(append(b, '"')), '"') }

// nullableTime returns nil, which is encoded as null, for the zero time.
func nullableTime(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return (*Time)(&t)
}

// percentage returns part as a percentage of whole; 0 if whole is 0.
func percentage(part, whole models.Sum) float64 {
	if whole.Cmp(models.Sum{}) == 0 {
		return 0
	}
	return part.Float() / whole.Float() * 100
}
