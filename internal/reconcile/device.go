package reconcile

import (
	"time"

	"expenseflow/internal/store"
)

// Devices is what one call knows of the devices that its operations name. It is
// read before the call's own operations count as acts of theirs.
type devices map[string]store.DeviceHistory

// foreign tells whether an operation that a device queued at a moment, in
// milliseconds since 1970, is another user's. It is if the device has acted for
// another user since (CONTRACT decision 13). It also is if, when it was queued,
// the device had last acted for another user and this one had not signed in yet
// (CONTRACT 3.5). What comes from the future was queued nobody knows when, by a
// clock that runs ahead: then it is whose the device was last.
func (s *session) foreign(deviceID string, queued int64) (bool, error) {
	h, known := s.devices[deviceID]
	if !known {
		var err error
		if h, err = s.Tx.DeviceHistory(deviceID); err != nil {
			return false, err
		}
		s.devices[deviceID] = h
	}
	if h.LastOther.IsZero() {
		return false, nil
	}
	at := time.UnixMilli(queued)
	wasTheirs := h.LastOwn.Before(h.LastOther) || at.Before(h.FirstOwn)
	ahead := at.After(s.Tx.Clock().Add(futureSlack))
	return at.Before(h.LastOther) || (wasTheirs && (ahead || at.Before(s.by.TokenIssued))), nil
}
