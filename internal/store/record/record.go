// Package record encodes structs as the JSON that the store keeps in text columns: the
// entities of the change log, the results of operations, settings.
//
// A field is kept under the name in its tag `log:"name"`; with the option omitempty it is
// left out while it is zero. Fields without the tag are not kept. A time.Time is kept as
// milliseconds since 1970. Rows live for months, so a name never changes its meaning.
//
// A batch has two records of each of its expenses, so Encode writes them without
// encoding/json, which takes twice as long for the whole.
package record

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// Encode returns the JSON of v, a struct, a slice of structs or a pointer to either.
func Encode(v any) string {
	value := reflect.Indirect(reflect.ValueOf(v))
	return string(mappingOf(value.Type()).append(make([]byte, 0, 384), value))
}

// Decode reads what Encode wrote into the value that v points to. What the JSON does not
// name stays as it is.
func Decode(data []byte, v any) error {
	value := reflect.ValueOf(v).Elem()
	m := mappingOf(value.Type())
	plain := reflect.New(m.plain)
	if !value.IsZero() {
		_ = json.Unmarshal(m.append(nil, value), plain.Interface()) // reads what Encode writes
	}
	if err := json.Unmarshal(data, plain.Interface()); err != nil {
		return fmt.Errorf("decode %s: %w", value.Type(), err)
	}
	m.decode(value, plain.Elem())
	return nil
}

// A mapping says how a type is kept: append writes its JSON, which encoding/json reads as a
// value of the plain type, which decode converts.
type mapping struct {
	plain  reflect.Type
	append func(b []byte, v reflect.Value) []byte
	decode func(to, from reflect.Value)
}

var mappings sync.Map // reflect.Type to *mapping

func mappingOf(t reflect.Type) *mapping {
	if m, ok := mappings.Load(t); ok {
		return m.(*mapping)
	}
	m := newMapping(t)
	mappings.Store(t, m)
	return m
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

func newMapping(t reflect.Type) *mapping {
	switch {
	case t == timeType:
		return &mapping{reflect.TypeFor[int64](), appendTime, decodeTime}
	case t == rawType:
		return &mapping{t, appendRaw, reflect.Value.Set}
	case t.Kind() == reflect.Struct:
		return structMapping(t)
	case t.Kind() == reflect.Slice:
		return sliceMapping(t, mappingOf(t.Elem()))
	case t.Kind() == reflect.Pointer:
		return pointerMapping(mappingOf(t.Elem()))
	case t.Kind() == reflect.String:
		return &mapping{reflect.TypeFor[string](), appendString, convert}
	case t.Kind() == reflect.Bool:
		return &mapping{reflect.TypeFor[bool](), appendBool, convert}
	}
	return &mapping{reflect.TypeFor[int64](), appendInt, convert}
}

func convert(to, from reflect.Value) { to.Set(from.Convert(to.Type())) }

func appendString(b []byte, v reflect.Value) []byte { return rawjson.AppendString(b, v.String()) }

func appendBool(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }

func appendInt(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }

func appendRaw(b []byte, v reflect.Value) []byte {
	if v.Len() == 0 {
		return append(b, "null"...)
	}
	return append(b, v.Bytes()...)
}

func appendTime(b []byte, v reflect.Value) []byte {
	return strconv.AppendInt(b, timeOf(v).UnixMilli(), 10)
}

func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time) // without a copy on the heap
	}
	return v.Interface().(time.Time)
}

func decodeTime(to, from reflect.Value) { to.Set(reflect.ValueOf(time.UnixMilli(from.Int()).UTC())) }

func sliceMapping(t reflect.Type, of *mapping) *mapping {
	m := &mapping{plain: reflect.SliceOf(of.plain)}
	m.append = func(b []byte, v reflect.Value) []byte {
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = of.append(b, v.Index(i))
		}
		return append(b, ']')
	}
	m.decode = func(to, from reflect.Value) {
		if from.Len() == 0 && t.Elem().Kind() == reflect.Struct {
			to.SetZero()
			return
		}
		to.Set(reflect.MakeSlice(t, from.Len(), from.Len()))
		for i := range from.Len() {
			of.decode(to.Index(i), from.Index(i))
		}
	}
	return m
}

func pointerMapping(of *mapping) *mapping {
	return &mapping{
		plain: reflect.PointerTo(of.plain),
		append: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, "null"...)
			}
			return of.append(b, v.Elem())
		},
		decode: func(to, from reflect.Value) {
			if to.SetZero(); !from.IsNil() {
				to.Set(reflect.New(to.Type().Elem()))
				of.decode(to.Elem(), from.Elem())
			}
		},
	}
}

// A field is a field of a struct that is kept.
type field struct {
	*mapping
	index     int
	name      string // quoted, with the colon
	omitempty bool

	mayBeAbsent bool // which differs from 0: the plain type is a pointer
	moment      int  // of a day, by the tag `of:"Name"`: the index of its time.Time; else -1
}

func structMapping(t reflect.Type) *mapping {
	var fields []field
	var plain []reflect.StructField
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("log")
		if tag == "" {
			continue
		}
		f := fieldOf(t, i, tag)
		fields = append(fields, f)
		plain = append(plain, reflect.StructField{
			Name: t.Field(i).Name, Type: f.plain, Tag: reflect.StructTag(`json:"` + tag + `"`),
		})
	}
	return &mapping{
		plain:  reflect.StructOf(plain),
		append: func(b []byte, v reflect.Value) []byte { return appendFields(b, fields, v) },
		decode: func(to, from reflect.Value) { decodeFields(fields, to, from) },
	}
}

func fieldOf(t reflect.Type, i int, tag string) field {
	name, options, _ := strings.Cut(tag, ",")
	f := field{
		mapping: mappingOf(t.Field(i).Type), index: i, moment: -1,
		name: strconv.Quote(name) + ":", omitempty: options == "omitempty",
	}
	moment, isDay := t.FieldByName(t.Field(i).Tag.Get("of"))
	if isDay {
		f.moment = moment.Index[0]
	}
	if f.mayBeAbsent = isDay || f.omitempty && t.Field(i).Type == timeType; f.mayBeAbsent {
		f.mapping = &mapping{reflect.PointerTo(f.plain), f.append, f.decode}
	}
	return f
}

func appendFields(b []byte, fields []field, v reflect.Value) []byte {
	b = append(b, '{')
	for i := range fields {
		f := &fields[i]
		of := v.Field(f.index)
		if f.omitempty && of.IsZero() {
			continue
		}
		b = f.append(append(b, f.name...), of)
		b = append(b, ',')
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

func decodeFields(fields []field, to, from reflect.Value) {
	for i := range fields {
		f := &fields[i]
		of, kept := to.Field(f.index), from.Field(i)
		switch {
		case !f.mayBeAbsent:
			f.decode(of, kept)
		case !kept.IsNil():
			f.decode(of, kept.Elem())
		case f.moment < 0:
			of.SetZero()
		default:
			f.setDay(of, timeOf(to.Field(f.moment)))
		}
	}
}

// setDay sets a day of a record from before days were kept: the moment's in UTC.
func (f *field) setDay(day reflect.Value, at time.Time) {
	if day.SetZero(); !at.IsZero() {
		day.SetInt(int64(models.DayOf(at, time.UTC)))
	}
}
