package reconcile

import (
	"time"

	"expenseflow/internal/store"
)

// Devices is what one call knows of the devices that its operations name, and of the
// browser that it comes from, under browserHistory. It is read before the call's own
// operations count as acts of theirs.
type devices map[string]store.DeviceHistory

// browserHistory is no device's name: that is not empty.
const browserHistory = ""

// foreign reports whether an operation that a device queued at a moment, in
// milliseconds since 1970, is another user's: the browser's queue survives a sign-out
// and would be sent with the next user's token.
//
// That another account acted in the same browser is proved by the browser's cookie.
// What a device calls itself proves nothing, for any account may call its device so:
// it counts only where no cookie came, and then only for what the user cannot have
// queued under this name after signing in (docs/sync.md).
func (s *session) foreign(deviceID string, queued int64) (bool, error) {
	at := time.UnixMilli(queued)
	if s.by.Browser != "" {
		h, err := s.history(browserHistory, func() (store.DeviceHistory, error) { return s.Tx.BrowserHistory(s.by.Browser) })
		return err == nil && s.queuedByOther(h, at), err
	}
	if deviceID == "" {
		return false, nil
	}
	h, err := s.history(deviceID, func() (store.DeviceHistory, error) { return s.Tx.DeviceHistory(deviceID) })
	unknown := h.FirstOwn.IsZero() || at.Before(h.FirstOwn)
	return err == nil && !h.LastOther.IsZero() && unknown && at.Before(s.by.TokenIssued), err
}

// history reads one once.
func (s *session) history(name string, read func() (store.DeviceHistory, error)) (store.DeviceHistory, error) {
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

// queuedByOther tells by a browser's history whether another user queued an operation
// in it. They did if the browser has acted for another user since; and if, when it was
// queued, the browser had last acted for another user and this one had not signed in
// yet. What comes from the future was queued nobody knows when, by a clock that runs
// ahead: then it is whose the browser was last.
func (s *session) queuedByOther(h store.DeviceHistory, at time.Time) bool {
	if h.LastOther.IsZero() {
		return false
	}
	wasTheirs := h.LastOwn.Before(h.LastOther) || at.Before(h.FirstOwn)
	ahead := at.After(s.Tx.Clock().Add(futureSlack))
	return at.Before(h.LastOther) || (wasTheirs && (ahead || at.Before(s.by.TokenIssued)))
}
