package wire

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"expenseflow/models"
)

// AppendLogPage appends a page of a user's log: {epoch, since, head, next, more,
// changes:[{seq, event, expense, deviceId?, at}], shared?:[{_id, shared}]}. A deleted
// expense is {id, _id}. shared are the expenses whose shares changed in these changes, each
// with the number of users that it is shared with after them. Changes of other entities are
// left out, so seq may have gaps.
func AppendLogPage(b []byte, userID string, p *models.LogPage) []byte {
	b = appendString(append(b, `{"epoch":`...), p.Epoch)
	b = strconv.AppendInt(append(b, `,"since":`...), p.Since, 10)
	b = strconv.AppendInt(append(b, `,"head":`...), p.Head, 10)
	b = appendString(append(b, `,"next":`...), Offset(p.Epoch, userID, p.Next()))
	b = strconv.AppendBool(append(b, `,"more":`...), p.More())
	b = append(appendAll(append(b, `,"changes":[`...), expenseChanges(p.Changes), appendChange), ']')
	if shared := shareCounts(p.Changes); len(shared) > 0 {
		b = append(appendAll(append(b, `,"shared":[`...), shared, appendShareCount), ']')
	}
	return append(b, '}')
}

// shareCounts returns the last change of each expense's shares, in the order of the log.
func shareCounts(changes []models.Change) (last []*models.Change) {
	seen := map[string]bool{}
	for i := range slices.Backward(changes) {
		if c := &changes[i]; c.Kind == models.ShareChanged && !seen[c.EntityID] {
			seen[c.EntityID] = true
			last = append(last, c)
		}
	}
	slices.Reverse(last)
	return last
}

func appendShareCount(b []byte, c *models.Change) []byte {
	b = appendString(append(b, `{"_id":`...), c.EntityID)
	b = strconv.AppendInt(append(b, `,"shared":`...), int64(len(c.Shares)), 10)
	return append(b, '}')
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
	b = appendNonEmpty(b, `,"deviceId":`, c.Author.DeviceID)
	b = appendTime(append(b, `,"at":`...), c.At)
	return append(b, '}')
}

// appendDeleted appends {"id":...,"_id":... without the closing brace.
func appendDeleted(b []byte, id string) []byte {
	b = appendString(append(b, `{"id":`...), id)
	return appendString(append(b, `,"_id":`...), id)
}

// AppendSnapshotStart appends the start of a snapshot {epoch, snapshot, seq, next,
// expenses:[...]}, up to its list. The caller appends the expenses with AppendExpense,
// and "]}". seq is the sequence of the log at which the list was read.
func AppendSnapshotStart(b []byte, epoch, userID string, seq int64) []byte {
	b = appendString(append(b, `{"epoch":`...), epoch)
	b = strconv.AppendInt(append(b, `,"snapshot":true,"seq":`...), seq, 10)
	b = appendString(append(b, `,"next":`...), Offset(epoch, userID, seq))
	return append(b, `,"expenses":[`...)
}

// SyncChanges returns the payload of sync_changes (docs/contract.md#live-features): the
// final state of each expense that changed, in the form of GET /api/sync/pull, and the
// ids of the deleted ones.
//
// serverTime and next are the position to resume from. Both are null if the client
// has to read everything, so that it does not believe to be up to date.
func SyncChanges(userID string, p *models.LogPage) json.RawMessage {
	if p.NeedsSnapshot {
		return json.RawMessage(`{"since":null,"snapshot":true,"serverTime":null,"next":null,"more":false,"changes":[],"deleted":[]}`)
	}
	b := strconv.AppendInt([]byte(`{"since":`), p.Since, 10)
	b = appendTime(append(b, `,"serverTime":`...), resumeTime(p))
	b = appendString(append(b, `,"next":`...), Offset(p.Epoch, userID, p.Next()))
	b = strconv.AppendBool(append(b, `,"more":`...), p.More())
	changes, deleted := lastChanges(p.Changes)
	b = appendAll(append(b, `,"changes":[`...), changes, func(b []byte, c *models.Change) []byte {
		return AppendPulledExpense(b, &c.Expense)
	})
	b = appendAll(append(b, `],"deleted":[`...), deleted, func(b []byte, c *models.Change) []byte {
		b = appendTime(append(appendDeleted(b, c.EntityID), `,"deletedAt":`...), c.At)
		return append(b, '}')
	})
	return append(b, "]}"...)
}

// resumeTime returns the time up to which the page is complete. If the log goes on, more
// changes with the time of the last one may follow, so it is one millisecond earlier.
func resumeTime(p *models.LogPage) time.Time {
	if n := len(p.Changes); n > 0 && p.More() {
		return p.Changes[n-1].At.Add(-time.Millisecond)
	}
	return p.SyncedAt
}

// expenseChanges returns the changes of expenses.
func expenseChanges(changes []models.Change) []*models.Change {
	kept := make([]*models.Change, 0, len(changes))
	for i := range changes {
		if changes[i].Kind.IsExpense() {
			kept = append(kept, &changes[i])
		}
	}
	return kept
}

// lastChanges returns the last change of each expense, in the order of the log.
func lastChanges(all []models.Change) (changed, deleted []*models.Change) {
	changes := expenseChanges(all)
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
