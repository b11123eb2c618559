package app

import (
	"bytes"
	"encoding/json"

	"expenseflow/internal/rawjson"
)

// redacted stands for what is not shown.
const redacted = `"(redacted)"`

// maxShownText is how long a text is that is shown of redacted events, in bytes.
const maxShownText = 64

// shownKeys are the members of events whose values say what happened, and nothing of what
// people wrote, own or spent. All others are redacted, those that are added later among them.
var shownKeys = func(names ...string) map[string]bool {
	shown := make(map[string]bool, len(names))
	for _, name := range names {
		shown[name] = true
	}
	return shown
}(
	"_id", "id", "userId", "expenseId", "budgetId", "goalId", "deviceId", "resourceId", "resourceType", "clientId",
	"seq", "version", "type", "kind", "action", "status", "code", "event", "room", "at", "createdAt", "updatedAt",
	"expiresAt", "retryAfterMs", "sockets", "count", "unread",
)

// secretKeys are the members that are not shown to anybody.
var secretKeys = map[string]bool{
	"token": true, "password": true, "cookie": true, "authorization": true, "pid": true, "offset": true, "secret": true,
}

// A redaction decides of which members of events the values are shown. Objects and arrays are
// always looked into, true, false and null are always shown.
type redaction struct {
	shows   func(key string) bool
	maxText int  // longer values are not shown, in bytes
	bare    bool // values that no member has are shown
}

// The redactions of ADMIN_UI_REDACT.
var (
	redactEvents = redaction{func(key string) bool { return shownKeys[key] }, maxShownText, false}
	redactTokens = redaction{func(key string) bool { return !secretKeys[key] }, 1 << 20, true}
)

// event returns an event, a JSON array of its name and arguments, as it is shown.
func (r redaction) event(payload json.RawMessage) json.RawMessage {
	b := []byte{'['}
	first := true
	for element := range rawjson.Elements(payload) {
		if first {
			b = appendName(b, element)
		} else {
			b = r.append(append(b, ','), element, r.bare)
		}
		first = false
	}
	return append(b, ']')
}

// append appends a value; shown says whether it is shown if it is a text or a number.
func (r redaction) append(b []byte, value json.RawMessage, shown bool) []byte {
	value = bytes.TrimSpace(value)
	switch c := value[0]; {
	case c == '{':
		return r.appendObject(b, value)
	case c == '[':
		return r.appendArray(b, value, shown)
	case c == '"' && isToken(value):
		return append(b, redacted...)
	case c == 't', c == 'f', c == 'n', shown && len(value) <= r.maxText:
		return append(b, value...)
	}
	return append(b, redacted...)
}

// appendName appends the name of an event or a key, which are shown unless they are tokens.
func appendName(b []byte, name json.RawMessage) []byte {
	if isToken(name) {
		return append(b, redacted...)
	}
	return append(b, name...)
}

// isToken reports whether a text may hold a token, wherever a client wrote it: three parts,
// of which the first is "{" and a quotation mark in base64.
func isToken(text json.RawMessage) bool {
	return bytes.Contains(text, []byte("eyJ")) && bytes.Count(text, []byte{'.'}) >= 2
}

func (r redaction) appendObject(b []byte, object json.RawMessage) []byte {
	open := byte('{')
	for key, value := range rawjson.Members(object) {
		b = appendName(append(b, open), key)
		b = r.append(append(b, ':'), value, r.shows(rawjson.Text(key)))
		open = ','
	}
	if open == '{' {
		b = append(b, open)
	}
	return append(b, '}')
}

func (r redaction) appendArray(b []byte, array json.RawMessage, shown bool) []byte {
	open := byte('[')
	for element := range rawjson.Elements(array) {
		b = r.append(append(b, open), element, shown)
		open = ','
	}
	if open == '[' {
		b = append(b, open)
	}
	return append(b, ']')
}
