package reconcile

import (
	"time"

	"expenseflow/internal/store"
)

// devices caches the histories of the devices that a queue names, by device id, and of the
// browser that sent it, under browserHistory. They are read before the queue's own
// operations are recorded in them.
type devices map[string]store.DeviceHistory

// browserHistory is the key of the browser's history. No device id is empty.
const browserHistory = ""

// queuedByOtherAccount reports whether an operation, which a device queued at a time in
// milliseconds since 1970, belongs to another user: a browser's queue survives a sign-out
// and is sent with the next user's token.
//
// The browser's cookie proves that another account acted in the same browser. A device id
// proves nothing, because any account may use any id. It counts only if there is no
// cookie, and then only for operations that the user cannot have queued with this id
// after signing in (docs/sync.md).
func (s *txScope) queuedByOtherAccount(deviceID string, queued int64) (bool, error) {
	at := time.UnixMilli(queued)
	if s.by.Browser != "" {
		h, err := s.history(browserHistory, func() (store.DeviceHistory, error) { return s.Tx.BrowserHistory(s.by.Browser) })
		return err == nil && s.queuedByOther(h, at), err
	}
	if deviceID == "" {
		return false, nil
	}
	h, err := s.history(deviceID, func() (store.DeviceHistory, error) { return s.Tx.DeviceHistory(deviceID) })
	queuedBeforeFirstOwn := h.FirstOwn.IsZero() || at.Before(h.FirstOwn)
	return err == nil && !h.LastOther.IsZero() && queuedBeforeFirstOwn && at.Before(s.by.TokenIssued), err
}

// history returns the cached history, reading it first if necessary.
func (s *txScope) history(name string, read func() (store.DeviceHistory, error)) (store.DeviceHistory, error) {
	h, known := s.devices[name]
	if known {
		return h, nil
	}
	h, err := read()
	if err == nil {
		s.devices[name] = h
	}
	return h, err
}

// queuedByOther reports, by a browser's history, whether another user queued an operation
// in it. This is so if the browser has acted for another user since; and if, at that time,
// the browser had last acted for another user and this one had not signed in yet. A time
// in the future is of a clock that runs ahead; then the operation belongs to the user for
// whom the browser acted last.
func (s *txScope) queuedByOther(h store.DeviceHistory, at time.Time) bool {
	if h.LastOther.IsZero() {
		return false
	}
	wasTheirs := h.LastOwn.Before(h.LastOther) || at.Before(h.FirstOwn)
	ahead := at.After(s.Tx.Clock().Add(futureSlack))
	return at.Before(h.LastOther) || (wasTheirs && (ahead || at.Before(s.by.TokenIssued)))
}
