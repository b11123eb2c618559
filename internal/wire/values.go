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
	// maxEpoch is the last moment of a browser's Date, in milliseconds.
	maxEpoch = 8.64e15
	// oneUnit is one unit of a currency, in which booleans and versions count.
	oneUnit models.Money = 1_000_000
)

// A voice is how single values are read: Joi converts numeric strings only;
// Mongoose casts whatever has an obvious meaning and takes null, and a blank for
// a number or a date, as absent.
type voice uint8

const (
	joi voice = iota
	mongo
)

func (v voice) absent(raw json.RawMessage) bool {
	return raw == nil || (v == mongo && typeOf(raw) == null)
}

func (v voice) absentValue(raw json.RawMessage) bool {
	return v.absent(raw) || (v == mongo && typeOf(raw) == text && models.Trim(str(raw)) == "")
}

// readText gives raw as a text; false if it is none.
func (v voice) readText(raw json.RawMessage) (string, bool) {
	switch typeOf(raw) {
	case text:
		return str(raw), true
	case number, boolean:
		return string(raw), v == mongo
	}
	return "", false
}

// readAmount gives raw as an amount, or the rule that it breaks.
func (v voice) readAmount(raw json.RawMessage) (models.Money, models.Rule) {
	if typeOf(raw) == boolean && v == mongo {
		return map[byte]models.Money{'t': oneUnit}[raw[0]], ""
	}
	return readAmount(raw)
}

// readAmount reads a number or a numeric string.
func readAmount(raw json.RawMessage) (models.Money, models.Rule) {
	s := string(raw)
	switch typeOf(raw) {
	case text:
		s = models.Trim(str(raw))
	case number:
	default:
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

// readTime reads what a browser's Date takes: milliseconds since 1970 as a
// number or a numeric string, or an ISO text.
func readTime(raw json.RawMessage) (time.Time, bool) {
	switch typeOf(raw) {
	case number:
		return epoch(string(raw))
	case text:
		return ParseTime(str(raw))
	}
	return time.Time{}, false
}

// isoLayouts are the spellings of a moment that browsers share. Without a zone
// it is UTC: the server's own zone is no business of a client's.
var isoLayouts = []struct {
	layout string
	zoned  bool // the others name their day themselves
}{
	{time.RFC3339, true},
	{time.DateOnly, false},
	{"2006-01-02T15:04:05", false},
	{"2006-01-02T15:04", false},
	{"2006-01-02T15:04Z07:00", true},
	{"2006-01", false},
}

// ParseTime reads an ISO date or moment, or milliseconds since 1970 in digits.
// The result is in UTC with whole milliseconds.
func ParseTime(s string) (time.Time, bool) {
	t, _, ok := parseDate(s)
	return t, ok
}

// parseDate is ParseTime with the day that a text without a zone names itself; nil
// for a moment, whose day depends on where one is.
func parseDate(s string) (t time.Time, day *models.Day, ok bool) {
	s = models.Trim(s)
	if !strings.ContainsAny(s, "eE") {
		if t, ok := epoch(s); ok {
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

// readDate is readTime with the day that the value names itself, as parseDate does.
func readDate(raw json.RawMessage) (t time.Time, day *models.Day, ok bool) {
	if typeOf(raw) == text {
		return parseDate(str(raw))
	}
	t, ok = readTime(raw)
	return t, nil, ok
}

// epoch reads milliseconds since 1970, fractions cut.
func epoch(s string) (time.Time, bool) {
	ms, ok := parseMillis(s)
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// parseMillis reads a decimal number within a browser's time range. A float
// is exact there.
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

// readInt reads a whole number or the text of one.
func readInt(raw json.RawMessage) (int64, bool) {
	s := string(raw)
	switch typeOf(raw) {
	case text:
		s = models.Trim(str(raw))
	case number:
	default:
		return 0, false
	}
	m, err := models.ParseMoney(s)
	if err != nil || m%oneUnit != 0 || m > models.MaxAmount || m < -models.MaxAmount {
		return 0, false
	}
	return int64(m / oneUnit), true
}
