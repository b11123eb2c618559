package wire

import (
	"encoding/json"
	"strconv"
	"strings"

	"expenseflow/models"
)

// Offset returns the position in a user's log after sequence seq, as clients store it.
// It is the last argument of events and the key next of log pages. To clients it is
// opaque.
func Offset(epoch, userID string, seq int64) string {
	return epoch + "." + userID + "." + strconv.FormatInt(seq, 36)
}

// EventOffset returns the position after one event of change seq. For SingleVariant it equals
// Offset.
func EventOffset(epoch, userID string, seq int64, variant int) string {
	offset := Offset(epoch, userID, seq)
	if variant == SingleVariant {
		return offset
	}
	return offset + "." + strconv.Itoa(variant)
}

// maxVariant is the largest variant in an offset; no change has more events.
const maxVariant = 9

// ParseOffset parses the result of Offset and EventOffset. variant is the variant that the
// client received, or SingleVariant. It returns false for any other text.
func ParseOffset(s string) (c models.Cursor, variant int, ok bool) {
	fields, variant := strings.SplitN(s, ".", 5), SingleVariant // 5 bounds the work for hostile texts
	if len(fields) == 4 {
		n, err := strconv.ParseUint(fields[3], 10, 8)
		if err != nil || n > maxVariant {
			return models.Cursor{}, 0, false
		}
		variant = int(n)
	}
	if len(fields) < 3 || fields[0] == "" || fields[1] == "" {
		return models.Cursor{}, 0, false
	}
	seq, err := strconv.ParseInt(fields[2], 36, 64)
	if err != nil || seq < 0 || EventOffset(fields[0], fields[1], seq, variant) != s {
		return models.Cursor{}, 0, false
	}
	return models.Cursor{Epoch: fields[0], UserID: fields[1], Seq: seq}, variant, true
}

// minTimestamp separates numbers: smaller ones are sequences, others are milliseconds since
// 1970, from 1973 on.
const minTimestamp = 100_000_000_000

var errSince = models.E(models.Invalid, `"since" must be a sequence number, an offset or a valid date`)

// ParseSince parses the parameter since of GET /api/sync/changes: a sequence, an offset,
// milliseconds since 1970 or an ISO 8601 time. It returns nil for "": the client has
// nothing yet. The error is models.Invalid.
func ParseSince(s string) (*models.Cursor, error) {
	if s == "" {
		return nil, nil
	}
	c, ok := parseCursor(s)
	if !ok {
		return nil, errSince
	}
	return &c, nil
}

func parseCursor(s string) (models.Cursor, bool) {
	if c, _, ok := ParseOffset(s); ok { // one variant of an event suffices to know the change
		return c, true
	}
	_, numeric := parseMillis(s)
	n, err := strconv.ParseUint(s, 10, 63)
	if err == nil && n < minTimestamp {
		return models.Cursor{Seq: int64(n)}, true
	}
	if numeric && err != nil {
		return models.Cursor{}, false // a sign, a fraction, an exponent
	}
	at, ok := ParseTime(s)
	return models.Cursor{At: at}, ok
}

// ParseSyncRequest parses the argument of sync_request. asked is true only for an object
// with since or lastSyncedAt (docs/contract.md#live-features). since is as for
// ParseSince, lastSyncedAt is a time; null and "" mean from the beginning. The error is
// models.Invalid.
func ParseSyncRequest(arg json.RawMessage) (since models.Cursor, asked bool, err error) {
	var o object
	if typeOf(arg) != objectType || json.Unmarshal(arg, &o) != nil {
		return since, false, nil
	}
	if raw, ok := o["since"]; ok {
		since, ok = parseCursorValue(raw)
		return since, true, errorUnless(ok, errSince)
	}
	if raw, ok := o["lastSyncedAt"]; ok {
		since.At, ok = readTime(raw)
		return since, true, errorUnless(ok || isNullOrEmpty(raw), errLastSynced)
	}
	return since, false, nil
}

var errLastSynced = models.E(models.Invalid, `"lastSyncedAt" must be a valid date`)

func errorUnless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

// isNullOrEmpty reports whether raw is null or "", with which clients mean "never".
func isNullOrEmpty(raw json.RawMessage) bool { return typeOf(raw) == null || string(raw) == `""` }

func parseCursorValue(raw json.RawMessage) (models.Cursor, bool) {
	switch {
	case isNullOrEmpty(raw):
		return models.Cursor{}, true
	case typeOf(raw) == text:
		return parseCursor(stringOf(raw))
	case typeOf(raw) == number:
		return parseCursor(string(raw))
	}
	return models.Cursor{}, false
}
