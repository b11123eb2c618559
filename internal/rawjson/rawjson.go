// Package rawjson takes valid JSON apart without copying or reflection, and writes JSON
// strings.
//
// It exists for the two places that read thousands of small objects, too many for
// encoding/json to build a map by reflection for each: batches of operations and the
// packets of sockets (docs/decisions/0008).
//
// Every function that reads, except DeeperThan, needs valid JSON: let json.Valid check
// what comes from outside first. On anything else they return nonsense or panic. What
// they return shares memory with its input and must not be changed.
//
// All functions may be called concurrently.
package rawjson

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// Members yields the keys of an object, as they are written and with their quotes, and
// its values, in order. A key that is written twice is yielded twice. object begins with
// "{".
func Members(object []byte) iter.Seq2[json.RawMessage, json.RawMessage] {
	return func(yield func(key, value json.RawMessage) bool) {
		for i := SkipSpace(object, 1); object[i] != '}'; {
			keyEnd := End(object, i)
			from := ValueAfterKey(object, keyEnd)
			to := End(object, from)
			if !yield(object[i:keyEnd:keyEnd], object[from:to:to]) {
				return
			}
			i = Next(object, to)
		}
	}
}

// Elements yields the values of an array in order. array begins with "[".
func Elements(array []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for i := SkipSpace(array, 1); array[i] != ']'; {
			to := End(array, i)
			if !yield(array[i:to:to]) {
				return
			}
			i = Next(array, to)
		}
	}
}

// SkipSpace returns the first index from i on at which there is no white space.
func SkipSpace(b []byte, i int) int {
	for IsSpace(b[i]) {
		i++
	}
	return i
}

// IsSpace reports whether c is white space in JSON.
func IsSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// Next returns where the element after the one that ends at i begins, or the index of
// the closing bracket if there is none.
func Next(b []byte, i int) int {
	i = SkipSpace(b, i)
	if b[i] == ',' {
		return SkipSpace(b, i+1)
	}
	return i
}

// ValueAfterKey returns where the value begins whose key ends at i.
func ValueAfterKey(b []byte, i int) int {
	return SkipSpace(b, SkipSpace(b, i)+1)
}

// End returns the index behind the value that begins at i.
func End(b []byte, i int) int {
	switch b[i] {
	case '"':
		return endOfString(b, i)
	case '{', '[':
		return endOfContainer(b, i)
	}
	for i < len(b) && !endsScalar(b[i]) {
		i++
	}
	return i
}

// endsScalar reports whether c follows a number, true, false or null.
func endsScalar(c byte) bool { return c == ',' || c == ']' || c == '}' || IsSpace(c) }

func endOfString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// endOfContainer returns the index behind the object or array that begins at i.
func endOfContainer(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = endOfString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
}

// DeeperThan reports whether more than limit objects and arrays are open at once in b,
// which need not be valid.
func DeeperThan(limit int, b []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// Text returns what a JSON string says, and "" for any other value.
func Text(raw json.RawMessage) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) { // most strings have nothing escaped
		return string(raw[1 : len(raw)-1])
	}
	var s string
	_ = json.Unmarshal(raw, &s) // it is a valid string
	return s
}
