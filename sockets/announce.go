package sockets

import (
	"fmt"
	"sync"

	"expenseflow/internal/changes"
	"expenseflow/internal/failpoint"
	"expenseflow/internal/seededbug"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Spellings are the names under which changes of expenses are told (EVENT_NAMES,
// docs/contract.md#live-features). The zero Spellings is both.
type Spellings string

// The Spellings there are.
const (
	BothSpellings  Spellings = "both"
	UnderscoreOnly Spellings = "underscore" // expense_created, which the first frontends know
	ColonOnly      Spellings = "colon"      // expense:created
)

// last is the last part that is told of a change with several.
func (s Spellings) last() int {
	if s == UnderscoreOnly {
		return wire.Underscore
	}
	return wire.Colon
}

func (s Spellings) tells(part int) bool {
	switch s {
	case UnderscoreOnly:
		return part != wire.Colon
	case ColonOnly:
		return part != wire.Underscore
	}
	return true
}

// An Announcement is what sockets hear of one change, encoded once for all of
// them.
type Announcement struct {
	parts []part
	batch *batch // of the changes that begin here; nil if they are few
}

// A part is one event of a change. Each ends in an offset of its own, so that a
// connection that breaks between two of them repeats neither and misses neither.
type part struct {
	number int // wire.Underscore and so on
	packet *socketio.Packet
}

// Encode makes the announcements of a page of the log. Those of the same change
// differ in their names and offsets alone.
func (t *Trail) Encode(page []models.Change) []Announcement {
	all := make([]Announcement, len(page))
	for i := range page {
		all[i].parts = t.parts(&page[i])
	}
	for i := 0; i < len(page); {
		n := authored(page[i:])
		if n >= minBatch {
			all[i].batch = t.batch(page[i : i+n])
		}
		i += n
	}
	return all
}

func (t *Trail) parts(c *models.Change) []part {
	events := wire.Events(c)
	parts := make([]part, 0, len(events))
	for _, e := range events {
		if t.names.tells(e.Part) {
			parts = append(parts, part{e.Part, t.packet(c, e.Part, e.Name, e.Payload)})
		}
	}
	return parts
}

// packet encodes an event that ends in its offset.
func (t *Trail) packet(c *models.Change, number int, name string, payload any) *socketio.Packet {
	p, err := socketio.EncodeAt(namespace, wire.OffsetOf(*t.epoch.Load(), c.UserID, c.Seq, number), name, payload)
	if err != nil {
		panic(fmt.Errorf("sockets: encode %s: %w", name, err)) // wire made the JSON, and the names are ours
	}
	return p
}

// minBatch is how many changes of one author in a row make a batch: more than 50
// (docs/contract.md#live-features).
const minBatch = 51

// A batch is many changes of one author in a row, which sockets that ask for it
// (auth.features) hear in one event. Whoever has heard it stands behind the last
// of them.
type batch struct {
	size   int // changes
	packet func() *socketio.Packet
}

func (t *Trail) batch(cs []models.Change) *batch {
	last := &cs[len(cs)-1]
	return &batch{len(cs), sync.OnceValue(func() *socketio.Packet {
		return t.packet(last, wire.Whole, wire.BatchEvent, wire.Batch(cs))
	})}
}

// authored counts the changes at the start of the page, at least one, that are
// all of expenses and of one author.
func authored(page []models.Change) int {
	if !page[0].Kind.OfExpense() {
		return 1
	}
	n := 1
	for n < len(page) && page[n].Kind.OfExpense() && page[n].Author == page[0].Author {
		n++
	}
	return n
}

// deliver sends a page of the log as far as there is room. What does not fit is
// offered again after resume.
func (s *session) deliver(page []changes.Item[Announcement]) (taken int) {
	for taken < len(page) {
		failpoint.If(s.socket.Recovered(), failpoint.InCatchUp)
		n := s.announce(page[taken:])
		if n == 0 {
			return taken
		}
		taken += n
	}
	return taken
}

// announce sends what the page begins with and gives how many changes that was,
// none if there is no room. A change may go out in part; then the rest follows
// after resume.
func (s *session) announce(page []changes.Item[Announcement]) int {
	first := &page[0]
	if s.spared(first.Change) {
		s.heard = 0
		return 1
	}
	if b := first.Encoded.batch; b != nil && s.hello.Batch && s.heard == 0 {
		if !s.socket.TrySend(b.packet()) {
			return 0
		}
		return b.size
	}
	for _, p := range first.Encoded.parts {
		if s.heard > 0 && p.number < s.heard {
			continue
		}
		if seededbug.Enabled(seededbug.UnboundedQueue) {
			_ = s.socket.Send(p.packet)
			continue
		}
		if !s.socket.TrySend(p.packet) {
			return 0
		}
		s.heard = p.number + 1
	}
	s.heard = 0
	return 1
}

// spared tells whether the change is the socket's own and was asked not to come
// back to it, or a notification of it, which is for the other devices.
func (s *session) spared(c *models.Change) bool {
	by := c.Author
	if c.Notification != nil && c.Notification.Type == models.NotifyExpense {
		return by.DeviceID != "" && by.DeviceID == s.hello.DeviceID
	}
	return s.hub.opts.SuppressSelf && by.DeviceID == "" && by.TokenID != "" && by.TokenID == s.tokenID
}
