// Package wire holds the contract's JSON documents in both directions, shared
// by handlers, sockets and reconcile. It is the only place with the contract's
// validation texts.
//
// Reading keeps what encoding/json would lose: keys match by their exact
// spelling, amounts never pass through a float, the first key that nobody knows
// is named, and absent differs from null. Of a key that is written twice the
// last one counts, as in browsers.
//
// There are two voices (docs/contract.md#validation). Handlers and sockets speak like Joi and
// name the first fault; a batch speaks like Mongoose, names all of them and
// drops keys that it does not know. The rules themselves are models'.
//
// Writing is by Append functions that need no reflection; the types with
// MarshalJSON beside them give the same bytes.
package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"expenseflow/models"
)

// MaxID is how long a device's name for itself or for a resource may be, in
// UTF-16 units (docs/contract.md#idempotency).
const MaxID = 256

// ErrMalformed says that a body is not JSON.
var ErrMalformed = models.E(models.Invalid, "Malformed JSON")

// An object is a JSON object by its keys as they are spelt: encoding/json would
// match a struct's fields whatever their case.
type object map[string]json.RawMessage

// readObject reads a body that must be an object within the bounds of CheckData; an
// empty body counts as {}.
func readObject(body json.RawMessage) (object, error) {
	if err := CheckData(body); err != nil {
		return nil, err
	}
	return readQueue(body)
}

// readQueue is readObject for the bodies that hold a device's whole queue, whose
// entries have bounds of their own.
func readQueue(body json.RawMessage) (object, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return object{}, nil
	}
	if body[0] != '{' {
		return nil, notObject(body, "value")
	}
	if !json.Valid(body) {
		return nil, ErrMalformed
	}
	return split(body), nil
}

func notObject(body json.RawMessage, label string) error {
	if !json.Valid(body) {
		return ErrMalformed
	}
	return invalid(quoted(label) + " must be of type object")
}

// firstUnknown gives the first key of a valid object, in its order, that known
// refuses.
func firstUnknown(body json.RawMessage, known func(string) bool) (string, bool) {
	for key := range members(bytes.TrimSpace(body)) {
		if name := str(key); !known(name) {
			return name, true
		}
	}
	return "", false
}

// A jsonType is what a JSON value starts like.
type jsonType uint8

const (
	absent jsonType = iota
	null
	boolean
	number
	text
	array
	objectType
)

// typeOf tells the type of a valid JSON value; nil is absent.
func typeOf(raw json.RawMessage) jsonType {
	if len(raw) == 0 {
		return absent
	}
	switch raw[0] {
	case 'n':
		return null
	case 't', 'f':
		return boolean
	case '"':
		return text
	case '[':
		return array
	case '{':
		return objectType
	}
	return number
}

// str reads a JSON string; "" for anything else.
func str(raw json.RawMessage) string {
	if typeOf(raw) != text {
		return ""
	}
	if plain(raw) {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// plain tells whether a JSON string is its own text: no escapes, ASCII.
func plain(raw json.RawMessage) bool {
	for _, c := range raw {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return len(raw) >= 2
}

func invalid(msg string) error { return models.E(models.Invalid, msg) }
