package wire

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"expenseflow/models"
)

// Offset names the position of a user's log after sequence seq. Events end in it
// and pages of the log give it as next; to clients it is opaque.
func Offset(epoch, userID string, seq int64) string {
	return epoch + "." + userID + "." + strconv.FormatInt(seq, 36)
}

// OffsetOf names the position after one event of the change seq: Offset's if the
// change makes no other.
func OffsetOf(epoch, userID string, seq int64, part int) string {
	offset := Offset(epoch, userID, seq)
	if part == Whole {
		return offset
	}
	return offset + "." + strconv.Itoa(part)
}

// maxPart bounds the parts of an offset. More events than that no change makes.
const maxPart = 9

// ParseOffset reads what Offset and OffsetOf wrote, with the part that was heard,
// or Whole; false for any other text.
func ParseOffset(s string) (c models.Cursor, part int, ok bool) {
	fields, part := strings.SplitN(s, ".", 5), Whole // of millions of dots, no more
	if len(fields) == 4 {
		n, err := strconv.ParseUint(fields[3], 10, 8)
		if err != nil || n > maxPart {
			return models.Cursor{}, 0, false
		}
		part = int(n)
	}
	if len(fields) < 3 || fields[0] == "" || fields[1] == "" {
		return models.Cursor{}, 0, false
	}
	seq, err := strconv.ParseInt(fields[2], 36, 64)
	if err != nil || seq < 0 || OffsetOf(fields[0], fields[1], seq, part) != s {
		return models.Cursor{}, 0, false
	}
	return models.Cursor{Epoch: fields[0], UserID: fields[1], Seq: seq}, part, true
}

// firstTime parts numbers: smaller ones are sequences, which no user's log
// reaches, others milliseconds since 1970, of 1973 and later.
const firstTime = 100_000_000_000

var errSince = models.E(models.Invalid, `"since" must be a sequence number, an offset or a valid date`)

// ParseSince reads the parameter since of GET /api/sync/changes: a sequence, an
// offset, milliseconds since 1970 or an ISO moment. Nil, for "", is a client that
// has nothing yet. Errors are models.Invalid.
func ParseSince(s string) (*models.Cursor, error) {
	if s == "" {
		return nil, nil
	}
	c, ok := readCursor(s)
	if !ok {
		return nil, errSince
	}
	return &c, nil
}

func readCursor(s string) (models.Cursor, bool) {
	if c, _, ok := ParseOffset(s); ok { // whoever heard one spelling knows the change
		return c, true
	}
	_, numeric := parseMillis(s)
	n, err := strconv.ParseUint(s, 10, 63)
	if err == nil && n < firstTime {
		return models.Cursor{Seq: int64(n)}, true
	}
	if numeric && err != nil {
		return models.Cursor{}, false // a sign, a fraction, an exponent
	}
	at, ok := ParseTime(s)
	return models.Cursor{At: at}, ok
}

// ParseLimit reads the parameter limit, a whole number from 1 to most; "" is
// otherwise. Errors are models.Invalid.
func ParseLimit(s string, otherwise, most int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return 0, invalid(`"limit" must be an integer`)
	case n < 1:
		return 0, invalid(`"limit" must be greater than or equal to 1`)
	case n > most:
		return 0, invalid(`"limit" must be less than or equal to ` + strconv.Itoa(most))
	}
	return n, nil
}

// ParseSyncRequest reads the argument of sync_request. Only an object with since
// or lastSyncedAt asks for changes (docs/contract.md#live-features); since may be whatever
// ParseSince takes, lastSyncedAt is a moment, and null or "" is from the
// beginning. Errors are models.Invalid.
func ParseSyncRequest(arg json.RawMessage) (since models.Cursor, asked bool, err error) {
	var o object
	if typeOf(arg) != objectType || json.Unmarshal(arg, &o) != nil {
		return since, false, nil
	}
	if raw, ok := o["since"]; ok {
		since, ok = cursorOf(raw)
		return since, true, unless(ok, errSince)
	}
	if raw, ok := o["lastSyncedAt"]; ok {
		since.At, ok = readTime(raw)
		return since, true, unless(ok || nothing(raw), errLastSynced)
	}
	return since, false, nil
}

var errLastSynced = models.E(models.Invalid, `"lastSyncedAt" must be a valid date`)

func unless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

// nothing tells whether a client stands for "never" with this value.
func nothing(raw json.RawMessage) bool { return typeOf(raw) == null || string(raw) == `""` }

func cursorOf(raw json.RawMessage) (models.Cursor, bool) {
	switch {
	case nothing(raw):
		return models.Cursor{}, true
	case typeOf(raw) == text:
		return readCursor(str(raw))
	case typeOf(raw) == number:
		return readCursor(string(raw))
	}
	return models.Cursor{}, false
}

// AppendPage appends a page of the log of a user: {epoch, since, head, next,
// more, changes:[{seq, event, expense, deviceId?, at}]}. Of a deleted expense
// there is {id, _id}. Changes of anything but expenses are left out, so that seq
// may leap.
func AppendPage(b []byte, userID string, p *models.LogPage) []byte {
	b = appendString(append(b, `{"epoch":`...), p.Epoch)
	b = strconv.AppendInt(append(b, `,"since":`...), p.Since, 10)
	b = strconv.AppendInt(append(b, `,"head":`...), p.Head, 10)
	b = appendString(append(b, `,"next":`...), Offset(p.Epoch, userID, p.Next()))
	b = strconv.AppendBool(append(b, `,"more":`...), p.More())
	b = appendAll(append(b, `,"changes":[`...), ofExpenses(p.Changes), appendChange)
	return append(b, "]}"...)
}

func appendChange(b []byte, c *models.Change) []byte {
	b = strconv.AppendInt(append(b, `{"seq":`...), c.Seq, 10)
	b = appendString(append(b, `,"event":`...), string(c.Kind))
	b = append(b, `,"expense":`...)
	if c.Kind == models.ExpenseDeleted {
		b = append(appendDeleted(b, c.EntityID), '}')
	} else {
		b = AppendExpense(b, &c.Expense)
	}
	b = appendSet(b, `,"deviceId":`, c.Author.DeviceID)
	b = appendTime(append(b, `,"at":`...), c.At)
	return append(b, '}')
}

// appendDeleted leaves the closing brace to its caller.
func appendDeleted(b []byte, id string) []byte {
	b = appendString(append(b, `{"id":`...), id)
	return appendString(append(b, `,"_id":`...), id)
}

// AppendSnapshotStart appends a snapshot up to its list of expenses, which the
// caller appends with AppendExpense and ends with "]}": {epoch, snapshot, seq,
// next, expenses:[...]}. seq is the sequence of the log that the list is of.
func AppendSnapshotStart(b []byte, epoch, userID string, seq int64) []byte {
	b = appendString(append(b, `{"epoch":`...), epoch)
	b = strconv.AppendInt(append(b, `,"snapshot":true,"seq":`...), seq, 10)
	b = appendString(append(b, `,"next":`...), Offset(epoch, userID, seq))
	return append(b, `,"expenses":[`...)
}

// SyncChanges gives the payload of sync_changes (docs/contract.md#live-features): what the page's
// changes amount to, each expense once and as it is in the end, in the form of
// GET /api/sync/pull, and the deleted ones apart.
//
// serverTime and next are where to go on from. A page that needs everything anew
// gets neither, so that nothing takes it for caught up.
func SyncChanges(userID string, p *models.LogPage) json.RawMessage {
	if p.Whole {
		return json.RawMessage(`{"since":null,"snapshot":true,"serverTime":null,"next":null,"more":false,"changes":[],"deleted":[]}`)
	}
	b := strconv.AppendInt([]byte(`{"since":`), p.Since, 10)
	b = appendTime(append(b, `,"serverTime":`...), resumeAt(p))
	b = appendString(append(b, `,"next":`...), Offset(p.Epoch, userID, p.Next()))
	b = strconv.AppendBool(append(b, `,"more":`...), p.More())
	changes, deleted := outcome(p.Changes)
	b = appendAll(append(b, `,"changes":[`...), changes, func(b []byte, c *models.Change) []byte {
		return AppendPulled(b, &c.Expense)
	})
	b = appendAll(append(b, `],"deleted":[`...), deleted, func(b []byte, c *models.Change) []byte {
		b = appendTime(append(appendDeleted(b, c.EntityID), `,"deletedAt":`...), c.At)
		return append(b, '}')
	})
	return append(b, "]}"...)
}

// resumeAt is the moment up to which the page is complete. Where it ends in the
// middle of the log, more of its last moment may follow.
func resumeAt(p *models.LogPage) time.Time {
	if n := len(p.Changes); n > 0 && p.More() {
		return p.Changes[n-1].At.Add(-time.Millisecond)
	}
	return p.SyncedAt
}

// ofExpenses leaves out the changes of anything else.
func ofExpenses(changes []models.Change) []*models.Change {
	kept := make([]*models.Change, 0, len(changes))
	for i := range changes {
		if changes[i].Kind.OfExpense() {
			kept = append(kept, &changes[i])
		}
	}
	return kept
}

// outcome gives each expense's last change, in the order of the log.
func outcome(all []models.Change) (changed, deleted []*models.Change) {
	changes := ofExpenses(all)
	last := make(map[string]int, len(changes))
	for i, c := range changes {
		last[c.EntityID] = i
	}
	for i, c := range changes {
		switch {
		case last[c.EntityID] != i:
		case c.Kind == models.ExpenseDeleted:
			deleted = append(deleted, c)
		default:
			changed = append(changed, c)
		}
	}
	return changed, deleted
}

func appendAll(b []byte, cs []*models.Change, one func([]byte, *models.Change) []byte) []byte {
	for i, c := range cs {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, c)
	}
	return b
}
