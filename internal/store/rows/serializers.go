package rows

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"expenseflow/internal/store/record"

	"gorm.io/gorm/schema"
)

// The serializers that tags name (`gorm:"serializer:millis"`). Times are whole milliseconds
// since 1970 in UTC.
func init() {
	for name, s := range map[string]serializer{
		"millis":        {Integer, encodeMillis, decodeMillis},             // of a time.Time
		"zeroableTime":  {Integer, encodeZeroableTime, decodeZeroableTime}, // of a time.Time; the zero time is 0
		"nullable":      {NullableInteger, encodeNullable, decodeNullable},
		"flag":          {Integer, encodeFlag, decodeFlag},          // of a bool: 0 or 1
		"clientText":    {Text, encodeClientText, decodeClientText}, // of a string that a client chose, see Storable
		"raw":           {Text, encodeRaw, decodeRaw},               // of a json.RawMessage; "" is none
		"record":        {Text, encodeRecord, decodeRecord},
		"totals":        {Text, encodeTotals, decodeTotals},
		"transactionID": {TransactionID, encodeTransactionID, decodeTransactionID}, // of a uint64
	} {
		schema.RegisterSerializer(name, s)
	}
}

var ctx = context.Background()

// A serializer converts a field to and from its column.
type serializer struct {
	kind   Kind
	encode func(field reflect.Value) any
	decode func(field reflect.Value, column any) error
}

// Value implements schema.SerializerInterface.
func (s serializer) Value(_ context.Context, _ *schema.Field, _ reflect.Value, value any) (any, error) {
	v := s.encode(reflect.ValueOf(value))
	if n, ok := v.(*int64); ok && n != nil {
		return *n, nil
	} else if ok {
		return nil, nil
	}
	return v, nil
}

// Scan implements schema.SerializerInterface.
func (s serializer) Scan(ctx context.Context, f *schema.Field, row reflect.Value, column any) error {
	return s.decode(f.ReflectValueOf(ctx, row), column)
}

func integer(column any) (int64, error) {
	n, ok := column.(int64)
	if !ok {
		return 0, fmt.Errorf("%T is no integer", column)
	}
	return n, nil
}

func text(column any) (string, error) {
	s, ok := column.(string)
	if !ok {
		return "", fmt.Errorf("%T is no text", column)
	}
	return s, nil
}

func timeOf(field reflect.Value) time.Time {
	if field.CanAddr() {
		return *field.Addr().Interface().(*time.Time)
	}
	return field.Interface().(time.Time)
}

func setTime(field reflect.Value, t time.Time) { *field.Addr().Interface().(*time.Time) = t }

func encodeMillis(field reflect.Value) any { return timeOf(field).UnixMilli() }

func decodeMillis(field reflect.Value, column any) error {
	ms, err := integer(column)
	setTime(field, time.UnixMilli(ms).UTC())
	return err
}

func encodeZeroableTime(field reflect.Value) any {
	if t := timeOf(field); !t.IsZero() {
		return t.UnixMilli()
	}
	return int64(0)
}

func decodeZeroableTime(field reflect.Value, column any) error {
	if column == int64(0) {
		field.SetZero()
		return nil
	}
	return decodeMillis(field, column)
}

// nullable is of a time.Time or an integer whose zero value is NULL.

func encodeNullable(field reflect.Value) any {
	if field.IsZero() {
		return (*int64)(nil)
	}
	var n int64
	if field.CanInt() {
		n = field.Int()
	} else {
		n = timeOf(field).UnixMilli()
	}
	return &n
}

func decodeNullable(field reflect.Value, column any) error {
	if field.SetZero(); column == nil {
		return nil
	}
	if !field.CanInt() {
		return decodeMillis(field, column)
	}
	n, err := integer(column)
	field.SetInt(n)
	return err
}

func encodeFlag(field reflect.Value) any {
	if field.Bool() {
		return int64(1)
	}
	return int64(0)
}

func decodeFlag(field reflect.Value, column any) error {
	n, err := integer(column)
	field.SetBool(n != 0)
	return err
}

// raw mends broken UTF-8 as encoding/json does when it decodes.

func encodeRaw(field reflect.Value) any {
	return strings.ToValidUTF8(string(field.Bytes()), "\uFFFD")
}

func decodeRaw(field reflect.Value, column any) error {
	s, err := text(column)
	if field.SetZero(); s != "" {
		field.Set(reflect.ValueOf(json.RawMessage(s)))
	}
	return err
}

func encodeRecord(field reflect.Value) any {
	if field.CanAddr() {
		return record.Encode(field.Addr().Interface()) // without a copy on the heap
	}
	return record.Encode(field.Interface())
}

func decodeRecord(field reflect.Value, column any) error {
	s, err := text(column)
	if err != nil {
		return err
	}
	field.SetZero()
	return record.Decode([]byte(s), field.Addr().Interface())
}

func encodeTransactionID(field reflect.Value) any { return strconv.FormatUint(field.Uint(), 10) }

func decodeTransactionID(field reflect.Value, column any) error {
	s, err := text(column)
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(s, 10, 64)
	field.SetUint(id)
	return err
}

func encodeClientText(field reflect.Value) any { return Storable(field.String()) }

func decodeClientText(field reflect.Value, column any) error {
	s, err := text(column)
	field.SetString(Original(s))
	return err
}

// Storable escapes the names that devices choose for themselves, so that any of
// them can be kept, NUL characters and broken UTF-8 included: parking an
// operation must never fail on what it is called. Original undoes it.
func Storable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\\") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == '\\' || (r == utf8.RuneError && n == 1) {
			fmt.Fprintf(&b, `\%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// Original returns what Storable escaped.
func Original(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if _, err := fmt.Sscanf(s[i:min(i+3, len(s))], `\%02x`, &c); err == nil {
			b.WriteByte(c)
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
