package sockets

import (
	"sync/atomic"

	"expenseflow/internal/wire"
)

// A StreamPosition is a place in a user's change log: behind the change Seq and, of
// the change after it, behind the event variants below NextVariant; 0: no variant was
// sent yet.
type StreamPosition struct {
	Seq         int64
	NextVariant int
}

// EventNames are the names under which changes of expenses are sent (EVENT_NAMES,
// docs/contract.md#live-events). The zero EventNames is BothNames.
type EventNames string

// The EventNames there are.
const (
	BothNames      EventNames = "both"
	UnderscoreOnly EventNames = "underscore" // expense_created, which the first frontends know
	ColonOnly      EventNames = "colon"      // expense:created
)

// last is the last variant that is sent of a change with several.
func (n EventNames) last() int {
	if n == UnderscoreOnly {
		return wire.UnderscoreVariant
	}
	return wire.ColonVariant
}

// include reports whether a variant is sent.
func (n EventNames) include(variant int) bool {
	switch n {
	case UnderscoreOnly:
		return variant != wire.ColonVariant
	case ColonOnly:
		return variant != wire.UnderscoreVariant
	}
	return true
}

// A Stream writes positions in users' change logs as offsets, and reads them. Offsets
// are of one epoch of the database and of one user: any other is read as the beginning
// of the log. Its methods may be called concurrently.
type Stream struct {
	epoch atomic.Pointer[string]
	names EventNames
}

// NewStream makes the Stream of an epoch (store.Store.Epoch).
func NewStream(epoch string, names EventNames) *Stream {
	s := &Stream{names: names}
	s.Begin(epoch)
	return s
}

// Begin changes the epoch: offsets and private session ids of the one before are not
// accepted any more. Close the sockets that are open then (Hub.DisconnectAll).
func (s *Stream) Begin(epoch string) { s.epoch.Store(&epoch) }

// Epoch returns the epoch of the database.
func (s *Stream) Epoch() string { return *s.epoch.Load() }

// offset writes a position in a user's log.
func (s *Stream) offset(userID string, p StreamPosition) string {
	if p.NextVariant == 0 {
		return wire.Offset(*s.epoch.Load(), userID, p.Seq)
	}
	return s.variantOffset(userID, p.Seq+1, p.NextVariant-1)
}

// variantOffset writes the position behind one variant of the change seq.
func (s *Stream) variantOffset(userID string, seq int64, variant int) string {
	return wire.EventOffset(*s.epoch.Load(), userID, seq, variant)
}

// position reads an offset. It returns the beginning of the log for an offset of
// another epoch or user (after an account switch clients send the old one) and for any
// other text. Behind the last variant that is sent, all of the change was received.
func (s *Stream) position(offset, userID string) StreamPosition {
	c, variant, ok := wire.ParseOffset(offset)
	switch {
	case !ok || c.Epoch != *s.epoch.Load() || c.UserID != userID:
		return StreamPosition{}
	case variant == wire.SingleVariant || variant >= s.names.last() || c.Seq == 0:
		return StreamPosition{Seq: c.Seq}
	}
	return StreamPosition{c.Seq - 1, variant + 1}
}
