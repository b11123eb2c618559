package reconcile

import (
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

const (
	// claimSlack extends the window of postWindow at both ends (docs/contract.md#d17).
	claimSlack = 5 * time.Second
	// maxNamingDelay is the maximum time between the temporary id of an expense and the
	// timestamp of its operation. A browser creates both at once; a longer time means that
	// the digits of the id are no time, or that the clock was set in between.
	maxNamingDelay = 24 * time.Hour
	// tempPrefix is the prefix of temporary ids; milliseconds since 1970 follow.
	tempPrefix = "temp_"
)

// claimPost returns the expense that was created by a POST of the same data whose response
// the browser did not receive, so that it queued the operation (docs/contract.md#d17). If
// that expense was deleted, it is not created again.
func (it *batchItem) claimPost(s *txScope) (models.Expense, bool, error) {
	from, to, ok := it.postWindow()
	if !ok {
		return models.Expense{}, false, nil
	}
	id, ok, err := s.Tx.ClaimPost(it.op.DeviceID, ledger.DataHash(it.draft), from, to)
	if err != nil || !ok {
		return models.Expense{}, false, err
	}
	e, err := s.Tx.Expense(id)
	if models.KindOf(err) == models.NotFound {
		return it.asPosted(s, id), true, nil
	}
	return e, true, err
}

// postWindow returns when a POST of the same data must have been received to be the same
// creation: between the time in the temporary id and the timestamp of the operation. There
// is none if the id contains no plausible time; then, at worst, there are two expenses
// (docs/contract.md#d17). There is none either if the operation has a client id, which
// identifies it reliably.
func (it *batchItem) postWindow() (from, to time.Time, ok bool) {
	digits, temporary := strings.CutPrefix(it.op.ResourceID, tempPrefix)
	ms, err := strconv.ParseInt(digits, 10, 64)
	valid := it.op.Action == models.Create && it.invalid == nil
	if !valid || it.clientID != "" || it.op.Timestamp == nil || !temporary || err != nil {
		return from, to, false
	}
	named, queued := time.UnixMilli(ms), time.UnixMilli(*it.op.Timestamp)
	if named.Before(minQueuedAt) || named.Before(queued.Add(-maxNamingDelay)) || named.After(queued.Add(futureSlack)) {
		return from, to, false
	}
	return named.Add(-claimSlack), queued.Add(claimSlack), true
}

// asPosted reconstructs an expense that was created by a POST and deleted since: nothing but
// its id is left in the database. The browser needs the id to replace the temporary one.
func (it *batchItem) asPosted(s *txScope, id string) models.Expense {
	now, d := s.Tx.Now(), it.draft.WithDate(it.queuedAt(s.Tx.Clock()))
	e := d.Expense(models.ResolveDay(*d.Date, d.Day, s.Tx.Zone()))
	e.ID, e.UserID, e.Version = id, s.Tx.User().ID, 1
	e.LastSyncedAt, e.CreatedAt, e.UpdatedAt = now, now, now
	return e
}
