// Package wire parses the JSON of requests and encodes the JSON of responses and events.
// Handlers, sockets and reconcile share it, and it has all texts of validation errors.
//
// Parsing is stricter than encoding/json: keys are case-sensitive, amounts never pass
// through a float, the first unknown key is reported, and absent differs from null. The
// last of repeated keys counts, as in JavaScript.
//
// There are two dialects of validation (docs/contract.md#validation). Handlers and
// sockets report the first violation with the message of the library Joi. A batch
// reports all violations with the messages of Mongoose and drops unknown keys. The rules
// themselves are in package models.
//
// Encoding uses Append functions without reflection. The MarshalJSON methods beside them
// return the same bytes.
package wire

import (
	"bytes"
	"encoding/json"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// MaxIDLength is the maximum length in UTF-16 units of the ids that clients choose: of devices,
// requests and offline resources (docs/contract.md#idempotency).
const MaxIDLength = 256

// ErrMalformed is the error of a body that is not JSON.
var ErrMalformed = models.E(models.Invalid, "Malformed JSON")

// An object is a JSON object with case-sensitive keys; encoding/json would match struct
// fields case-insensitively.
type object map[string]json.RawMessage

// readObject parses a body that must be an object within the limits of CheckData; an
// empty body counts as {}.
func readObject(body json.RawMessage) (object, error) {
	if err := CheckData(body); err != nil {
		return nil, err
	}
	return readUnboundedObject(body)
}

// readUnboundedObject parses a body without the limits of CheckData. It is for bodies with a list,
// whose entries are limited one by one.
func readUnboundedObject(body json.RawMessage) (object, error) {
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

// split gives the members of a valid object. Their values share its memory.
func split(valid []byte) object {
	o := make(object, 8)
	for key, value := range rawjson.Members(valid) {
		o[stringOf(key)] = value
	}
	return o
}

func notObject(body json.RawMessage, label string) error {
	if !json.Valid(body) {
		return ErrMalformed
	}
	return invalid(quote(label) + " must be of type object")
}

// firstUnknown returns the first key of a valid object for which known is false.
func firstUnknown(body json.RawMessage, known func(string) bool) (string, bool) {
	for key := range rawjson.Members(bytes.TrimSpace(body)) {
		if name := stringOf(key); !known(name) {
			return name, true
		}
	}
	return "", false
}

// A jsonType is the type of a JSON value.
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

// typeOf returns the type of a valid JSON value; nil is absent.
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

// stringOf returns the value of a JSON string; "" for anything else.
func stringOf(raw json.RawMessage) string { return rawjson.Text(raw) }

func invalid(msg string) error { return models.E(models.Invalid, msg) }
