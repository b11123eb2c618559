package original

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/models"
)

// isEmpty reports whether a value says nothing: absent, null, false, zero, or empty.
func isEmpty(v bson.RawValue) bool {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return true
	case bson.TypeString:
		s, ok := v.StringValueOK()
		return ok && s == ""
	case bson.TypeBoolean:
		yes, _ := v.BooleanOK()
		return !yes
	case bson.TypeArray, bson.TypeEmbeddedDocument:
		const empty = 5
		return len(v.Value) <= empty
	case bson.TypeDouble, bson.TypeInt32, bson.TypeInt64:
		f, _ := v.AsFloat64OK()
		return f == 0
	}
	return false
}

// text returns a text; null and absent are empty.
func text(name string, v bson.RawValue) (string, error) {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return "", nil
	case bson.TypeString:
		s, ok := v.StringValueOK()
		if !ok || !isUTF8(s) {
			return "", problemf("%q is no text in UTF-8", name)
		}
		return s, nil
	}
	return "", problemf("%q must be a string", name)
}

func isUTF8(s string) bool { return strings.ToValidUTF8(s, "") == s }

// money returns an amount, and whether it had to be rounded to six decimals. Numbers in a text
// are accepted, as the original's forms did.
func money(name string, v bson.RawValue) (m models.Money, rounded bool, err error) {
	number, err := decimalText(name, v)
	if err != nil {
		return 0, false, err
	}
	m, err = models.ParseMoney(number)
	switch {
	case errors.Is(err, models.ErrUnsafeNumber):
		return 0, false, problemf("%q must be a safe number", name)
	case err != nil && v.Type == bson.TypeString:
		return 0, false, problemf("%q is a text that is no number", name)
	case err != nil:
		return 0, false, problemf("%q is no number but NaN or infinity", name)
	}
	return m, decimals(number) > moneyDecimals, nil
}

// moneyDecimals is how many decimals an amount keeps (docs/contract.md#amounts).
const moneyDecimals = 6

func decimalText(name string, v bson.RawValue) (string, error) {
	switch v.Type {
	case bson.TypeDouble:
		if f, ok := v.DoubleOK(); ok && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'f', -1, 64), nil
		}
		return "NaN", nil
	case bson.TypeInt32, bson.TypeInt64:
		n, _ := v.AsInt64OK()
		return strconv.FormatInt(n, 10), nil
	case bson.TypeDecimal128:
		d, _ := v.Decimal128OK()
		return d.String(), nil
	case bson.TypeString:
		s, _ := v.StringValueOK()
		return strings.TrimSpace(s), nil
	case 0, bson.TypeNull, bson.TypeUndefined:
		return "", problemf("%q is required", name)
	}
	return "", problemf("%q must be a number", name)
}

// decimals returns how many decimals a number has; 0 for one with an exponent.
func decimals(number string) int {
	_, after, _ := strings.Cut(number, ".")
	if strings.ContainsAny(after, "eE") {
		return 0
	}
	return len(strings.TrimRight(after, "0"))
}

// Years outside of these have no form that all clients read.
const (
	firstYear = 0
	lastYear  = 9999
)

// moment returns a time; zero if there is none. Texts are accepted as JavaScript writes them.
func moment(v bson.RawValue) (time.Time, error) {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return time.Time{}, nil
	case bson.TypeDateTime:
		if t, ok := v.TimeOK(); ok {
			return inRange(t)
		}
	case bson.TypeString:
		s, _ := v.StringValueOK()
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				return inRange(t)
			}
		}
		return time.Time{}, problem("must be a valid date")
	case bson.TypeDouble, bson.TypeInt64, bson.TypeInt32:
		if ms, ok := v.AsFloat64OK(); ok && math.Abs(ms) < 1e16 {
			return inRange(time.UnixMilli(int64(ms)))
		}
	}
	return time.Time{}, problem("must be a valid date")
}

func inRange(t time.Time) (time.Time, error) {
	if t = t.UTC(); t.Year() < firstYear || t.Year() > lastYear {
		return time.Time{}, problem("is not in the years 0 to 9999")
	}
	return t, nil
}

// date is moment with the name of the field in the problem.
func date(name string, v bson.RawValue) (time.Time, error) {
	t, err := moment(v)
	if err != nil {
		return t, problemf("%q %v", name, err)
	}
	return t, nil
}

func isTrue(v bson.RawValue) bool {
	yes, _ := v.BooleanOK()
	return yes
}

// time0 is moment with zero for what is no time.
func time0(v bson.RawValue) time.Time {
	t, _ := moment(v) // it is zero then
	return t
}
