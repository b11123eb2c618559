package wire

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"expenseflow/models"
)

const (
	// maxEpoch is the largest time of a JavaScript Date, in milliseconds.
	maxEpoch = 8.64e15
	// currencyUnit is one unit of a currency: the number 1.
	currencyUnit models.Money = 1_000_000
)

// A dialect selects how values are converted. Joi converts numeric strings only. Mongoose
// also casts between strings, numbers and booleans, and treats null, and blank strings
// for numbers and dates, as absent.
type dialect uint8

const (
	joiDialect dialect = iota
	mongooseDialect
)

func (v dialect) absent(raw json.RawMessage) bool {
	return raw == nil || (v == mongooseDialect && typeOf(raw) == null)
}

func (v dialect) absentValue(raw json.RawMessage) bool {
	return v.absent(raw) || (v == mongooseDialect && typeOf(raw) == text && models.Trim(stringOf(raw)) == "")
}

// readText returns raw as a string; false if it cannot be converted.
func (v dialect) readText(raw json.RawMessage) (string, bool) {
	switch typeOf(raw) {
	case text:
		return stringOf(raw), true
	case number, boolean:
		return string(raw), v == mongooseDialect
	}
	return "", false
}

// readAmount returns raw as an amount, else the rule that it breaks.
func (v dialect) readAmount(raw json.RawMessage) (models.Money, models.Rule) {
	if typeOf(raw) == boolean && v == mongooseDialect {
		return map[byte]models.Money{'t': currencyUnit}[raw[0]], ""
	}
	return readAmount(raw)
}

// numeral returns the text of a number, or what a string contains without the space around
// it; ok is false for other types.
func numeral(raw json.RawMessage) (s string, ok bool) {
	switch typeOf(raw) {
	case text:
		return models.Trim(stringOf(raw)), true
	case number:
		return string(raw), true
	}
	return "", false
}

// readAmount parses a number or a numeric string.
func readAmount(raw json.RawMessage) (models.Money, models.Rule) {
	s, ok := numeral(raw)
	if !ok {
		return 0, models.RuleType
	}
	m, err := models.ParseMoney(s)
	switch {
	case errors.Is(err, models.ErrUnsafeNumber):
		return 0, models.RuleSafe
	case err != nil:
		return 0, models.RuleType
	}
	return m, ""
}

// readTime parses what JavaScript's Date accepts: milliseconds since 1970 as a number or
// a numeric string, or an ISO 8601 string.
func readTime(raw json.RawMessage) (time.Time, bool) {
	switch typeOf(raw) {
	case number:
		return parseEpochMillis(string(raw))
	case text:
		return ParseTime(stringOf(raw))
	}
	return time.Time{}, false
}

// isoLayouts are the forms of ISO 8601 that all browsers parse. Times without a zone are
// in UTC.
var isoLayouts = []struct {
	layout string
	zoned  bool // whether it has a zone; without one, the text determines the day
}{
	{time.RFC3339, true},
	{time.DateOnly, false},
	{"2006-01-02T15:04:05", false},
	{"2006-01-02T15:04", false},
	{"2006-01-02T15:04Z07:00", true},
	{"2006-01", false},
}

// ParseTime parses an ISO 8601 date or time, or milliseconds since 1970 in digits. The
// result is in UTC, truncated to milliseconds.
func ParseTime(s string) (time.Time, bool) {
	t, _, ok := parseDate(s)
	return t, ok
}

// parseDate parses as ParseTime does and returns the day of a text without a zone; nil
// for a time with one, whose day depends on the account's zone.
func parseDate(s string) (t time.Time, day *models.Day, ok bool) {
	s = models.Trim(s)
	if !strings.ContainsAny(s, "eE") {
		if t, ok := parseEpochMillis(s); ok {
			return t, nil, true
		}
	}
	for _, iso := range isoLayouts {
		t, err := time.Parse(iso.layout, s)
		if err != nil {
			continue
		}
		if !iso.zoned {
			d := models.DayOf(t, time.UTC)
			day = &d
		}
		return models.Millis(t), day, true
	}
	return time.Time{}, nil, false
}

// readDate parses as readTime does and returns the day as parseDate does.
func readDate(raw json.RawMessage) (t time.Time, day *models.Day, ok bool) {
	if typeOf(raw) == text {
		return parseDate(stringOf(raw))
	}
	t, ok = readTime(raw)
	return t, nil, ok
}

// parseEpochMillis parses milliseconds since 1970; fractions are truncated.
func parseEpochMillis(s string) (time.Time, bool) {
	ms, ok := parseMillis(s)
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// parseMillis parses a decimal number in the range of a JavaScript Date, where float64
// is exact.
func parseMillis(s string) (int64, bool) {
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false // ParseFloat would read "0x1p4" and "inf"
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) > maxEpoch {
		return 0, false
	}
	return int64(f), true
}

// readInt parses an integer, or a string that contains one.
func readInt(raw json.RawMessage) (int64, bool) {
	s, ok := numeral(raw)
	if !ok {
		return 0, false
	}
	m, err := models.ParseMoney(s)
	if err != nil || m%currencyUnit != 0 || m > models.MaxAmount || m < -models.MaxAmount {
		return 0, false
	}
	return int64(m / currencyUnit), true
}
