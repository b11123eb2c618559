package socketio

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Binary is a byte string that travels as an attachment instead of base64. It
// may stand anywhere inside an argument: by itself, in a slice, in a map, in an
// exported field of a struct. JavaScript receives an ArrayBuffer or a Buffer. A
// nil Binary is null.
//
// Inside a type with its own MarshalJSON it is what that method makes of it.
type Binary []byte

// maxArgDepth ends the encoding of arguments that contain themselves.
const maxArgDepth = 1000

var errArgDepth = errors.New("argument is nested too deeply, or contains itself")

var (
	binaryType  = reflect.TypeFor[Binary]()
	boundType   = reflect.TypeFor[bound]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	marshaler   = reflect.TypeFor[json.Marshaler]()
	textEncoder = reflect.TypeFor[encoding.TextMarshaler]()
)

// An argWriter writes arguments as JSON and takes the binaries out.
type argWriter struct {
	out         []byte
	attachments [][]byte
	scratch     bytes.Buffer
	enc         *json.Encoder // on scratch; made when needed
}

// args writes a JSON array of name, unless it is empty, and args.
func (w *argWriter) args(name string, args []any) error {
	w.out = append(w.out, '[')
	if name != "" {
		if err := w.leaf(name); err != nil {
			return err
		}
	}
	for i, arg := range args {
		if i > 0 || name != "" {
			w.out = append(w.out, ',')
		}
		if err := w.arg(arg); err != nil {
			return fmt.Errorf("argument %d: %w", i, err)
		}
	}
	w.out = append(w.out, ']')
	return nil
}

// arg writes one argument.
func (w *argWriter) arg(arg any) error {
	switch arg := arg.(type) {
	case json.RawMessage:
		return w.raw(arg)
	case bound:
		w.bound(arg)
		return nil
	}
	if arg == nil || !mayHoldBinary(reflect.TypeOf(arg)) {
		return w.leaf(arg)
	}
	return w.value(reflect.ValueOf(arg), 0)
}

// raw writes JSON as it stands.
func (w *argWriter) raw(raw json.RawMessage) error {
	if raw == nil {
		raw = json.RawMessage("null")
	}
	if !json.Valid(raw) {
		return errors.New("not valid JSON")
	}
	w.out = append(w.out, hideLookAlikes(raw)...)
	return nil
}

// bound writes an argument with its attachments, which are numbered anew.
func (w *argWriter) bound(b bound) {
	w.out = replacePlaceholders(w.out, b.raw, func(out []byte, num int) []byte {
		w.attachments = append(w.attachments, b.attachments[num])
		return appendPlaceholder(out, len(w.attachments)-1)
	})
}

// leaf writes a value without binaries as encoding/json does, but leaves <, >
// and & alone as JSON.stringify does.
func (w *argWriter) leaf(v any) error {
	if w.enc == nil {
		w.enc = json.NewEncoder(&w.scratch)
		w.enc.SetEscapeHTML(false)
	}
	w.scratch.Reset()
	if err := w.enc.Encode(v); err != nil {
		return err
	}
	w.out = append(w.out, hideLookAlikes(bytes.TrimSuffix(w.scratch.Bytes(), []byte{'\n'}))...)
	return nil
}

// value writes a value that may hold binaries.
func (w *argWriter) value(v reflect.Value, depth int) error {
	switch {
	case depth > maxArgDepth:
		return errArgDepth
	case v.IsValid() && v.Type() == binaryType:
		return w.binary(v.Bytes())
	case v.IsValid() && v.Type() == boundType:
		w.bound(v.Interface().(bound))
		return nil
	case !v.IsValid() || !mayHoldBinary(v.Type()):
		return w.plain(v)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return w.value(v.Elem(), depth+1)
	case reflect.Map:
		return w.object(v, depth)
	case reflect.Struct:
		return w.fields(v, depth)
	default:
		return w.list(v, depth)
	}
}

// plain writes a value without binaries; the zero Value is null.
func (w *argWriter) plain(v reflect.Value) error {
	if !v.IsValid() {
		w.out = append(w.out, "null"...)
		return nil
	}
	if v.Type() == rawType {
		return w.raw(v.Bytes())
	}
	return w.leaf(v.Interface())
}

// binary takes b out and leaves a placeholder.
func (w *argWriter) binary(b []byte) error {
	if b == nil {
		w.out = append(w.out, "null"...)
		return nil
	}
	w.out = appendPlaceholder(w.out, len(w.attachments))
	w.attachments = append(w.attachments, b)
	return nil
}

// list writes a slice or an array.
func (w *argWriter) list(v reflect.Value, depth int) error {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return w.plain(reflect.Value{})
	}
	w.out = append(w.out, '[')
	for i := range v.Len() {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.value(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	return nil
}

// object writes a map with string keys, sorted as encoding/json does.
func (w *argWriter) object(v reflect.Value, depth int) error {
	if v.IsNil() {
		return w.plain(reflect.Value{})
	}
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("%s: only maps with string keys may hold a Binary", v.Type())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	w.out = append(w.out, '{')
	for i, key := range keys {
		if err := w.member(i > 0, key.String(), v.MapIndex(key), depth); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return nil
}

// member writes one key and its value.
func (w *argWriter) member(comma bool, key string, v reflect.Value, depth int) error {
	if comma {
		w.out = append(w.out, ',')
	}
	if err := w.leaf(key); err != nil {
		return err
	}
	w.out = append(w.out, ':')
	return w.value(v, depth+1)
}

// fields writes a struct as encoding/json would.
func (w *argWriter) fields(v reflect.Value, depth int) error {
	w.out = append(w.out, '{')
	comma := false
	for _, f := range jsonFields(v.Type()) {
		fv, err := v.FieldByIndexErr(f.index)
		if err != nil || f.omits(fv) { // a nil embedded pointer has no fields
			continue
		}
		if f.quote {
			fv = quoted(fv)
		}
		if err := w.member(comma, f.name, fv, depth); err != nil {
			return err
		}
		comma = true
	}
	w.out = append(w.out, '}')
	return nil
}

// quoted is what the option "string" makes of numbers and booleans.
func quoted(v reflect.Value) reflect.Value {
	switch {
	case v.CanInt(), v.CanUint(), v.CanFloat(), v.Kind() == reflect.Bool:
		text, err := json.Marshal(v.Interface())
		if err == nil {
			return reflect.ValueOf(string(text))
		}
	}
	return v
}

// A jsonField is how encoding/json sees one field.
type jsonField struct {
	index     []int
	name      string
	omitEmpty bool
	omitZero  bool
	quote     bool // option "string"
}

// omits tells whether the field is left out when it holds v.
func (f *jsonField) omits(v reflect.Value) bool {
	return f.omitZero && v.IsZero() || f.omitEmpty && isEmpty(v)
}

// isEmpty is what omitempty means by it.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

var fieldsOf sync.Map // reflect.Type to []jsonField

// jsonFields lists the fields of a struct that are encoded, embedded structs
// taken apart.
func jsonFields(t reflect.Type) []jsonField {
	if cached, ok := fieldsOf.Load(t); ok {
		return cached.([]jsonField)
	}
	var list []jsonField
	for _, sf := range reflect.VisibleFields(t) {
		if f, ok := newJSONField(sf); ok {
			list = append(list, f)
		}
	}
	fieldsOf.Store(t, list)
	return list
}

// newJSONField reads the tag of sf. It reports false for fields that are not
// encoded: unexported ones, "-", and embedded structs, whose own fields follow.
func newJSONField(sf reflect.StructField) (f jsonField, ok bool) {
	tag := sf.Tag.Get("json")
	if tag == "-" || !sf.IsExported() {
		return f, false
	}
	name, options, _ := strings.Cut(tag, ",")
	if sf.Anonymous && name == "" && isStruct(sf.Type) {
		return f, false
	}
	opts := strings.Split(options, ",")
	return jsonField{
		index:     sf.Index,
		name:      cmp.Or(name, sf.Name),
		omitEmpty: slices.Contains(opts, "omitempty"),
		omitZero:  slices.Contains(opts, "omitzero"),
		quote:     slices.Contains(opts, "string"),
	}, true
}

// isStruct tells whether t is a struct or points to one.
func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

var holdsBinary sync.Map // reflect.Type to bool

// mayHoldBinary tells whether a value of type t can have a Binary in it. Most
// types cannot, and are left to encoding/json.
func mayHoldBinary(t reflect.Type) bool {
	if known, ok := holdsBinary.Load(t); ok {
		return known.(bool)
	}
	holds := findBinary(t, map[reflect.Type]bool{})
	holdsBinary.Store(t, holds)
	return holds
}

// findBinary looks for Binary in t; seen stops at types that contain themselves.
func findBinary(t reflect.Type, seen map[reflect.Type]bool) bool {
	switch {
	case t == binaryType, t == boundType:
		return true
	case t == rawType, seen[t], t.Implements(marshaler), t.Implements(textEncoder):
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return findBinary(t.Elem(), seen)
	case reflect.Struct:
		return slices.ContainsFunc(reflect.VisibleFields(t), func(sf reflect.StructField) bool {
			return (sf.IsExported() || sf.Anonymous) && findBinary(sf.Type, seen)
		})
	}
	return false
}
