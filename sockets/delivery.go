package sockets

import (
	"time"

	"expenseflow/internal/changes"
	"expenseflow/models"
)

// A feed follows users' change logs; *changes.Tail is one.
type feed interface {
	Subscribe(
		userID string, from, head int64, deliver func([]changes.Item[EncodedChange]) (taken int), lost func(),
	) *changes.Subscription[EncodedChange]
}

// deliver sends a page of the user's log as far as there is room, and returns how many
// changes it sent whole. The rest is delivered again after resume. The subscription
// calls it from one goroutine at a time.
func (s *session) deliver(page []changes.Item[EncodedChange]) (taken int) {
	live := s.liveSince.Load()
	for taken < len(page) {
		n := s.sendNext(page[taken:])
		if n == 0 {
			break
		}
		taken += n
	}
	s.measure(page[:taken], live)
	return taken
}

// measure tells how long the changes that were sent took, or counts those that were late
// because the session was not there: made before the moment live.
func (s *session) measure(sent []changes.Item[EncodedChange], live int64) {
	now := time.Now()
	for i := range sent {
		c := sent[i].Change
		switch {
		case len(sent[i].Encoded.variants) == 0 || s.suppresses(c):
		case c.At.UnixMilli() < live:
			s.counts.catchUp.Add(1)
		case s.delivery != nil:
			s.delivery(max(0, now.Sub(c.At)))
		}
	}
}

// sendNext sends the first change of the page, or the batch that begins with it, and
// returns how many changes that was: 0 if there was no room. Some variants of a change
// may be sent without the others; nextVariant is the first that is missing.
func (s *session) sendNext(page []changes.Item[EncodedChange]) int {
	first := &page[0]
	if s.suppresses(first.Change) {
		s.nextVariant = 0
		return 1
	}
	if b := first.Encoded.batch; b != nil && s.client.Batch && s.nextVariant == 0 {
		if !s.socket.TrySend(b.packet()) {
			return 0
		}
		return b.size
	}
	for _, v := range first.Encoded.variants {
		if s.nextVariant > 0 && v.number < s.nextVariant {
			continue
		}
		if !s.socket.TrySend(v.packet) {
			return 0
		}
		s.nextVariant = v.number + 1
	}
	s.nextVariant = 0
	return 1
}

// suppresses reports whether a change is not sent to this session: a notification of
// an expense, which is for the user's other devices, or its own change if that is
// configured (docs/contract.md#d23).
func (s *session) suppresses(c *models.Change) bool {
	by := c.Author
	if c.Notification != nil && c.Notification.Type == models.NotifyExpense {
		return by.DeviceID != "" && by.DeviceID == s.client.DeviceID
	}
	return s.suppressOwn && by.DeviceID == "" && s.token.Load().made(by)
}
