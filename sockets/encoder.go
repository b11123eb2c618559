package sockets

import (
	"fmt"
	"sync"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An Encoder makes the events of changes. Its methods may be called concurrently.
type Encoder struct{ stream *Stream }

// NewEncoder makes an Encoder whose events end in the offsets of the stream.
func NewEncoder(stream *Stream) *Encoder { return &Encoder{stream} }

// An EncodedChange is the events of one change, encoded once for all sockets.
type EncodedChange struct {
	variants []eventVariant
	batch    *batch // of the changes that begin with this one; nil if they are few
}

// An eventVariant is one of the events of a change: a change of an expense is sent
// under two names. Each ends in an offset of its own, so that a client whose connection
// breaks between two of them gets the second, and not the first again.
type eventVariant struct {
	number int // wire.UnderscoreVariant and so on
	packet *socketio.Packet
}

// Encode encodes a page of a change log. The events of one change differ only in their
// names and offsets.
func (e *Encoder) Encode(page []models.Change) []EncodedChange {
	all := make([]EncodedChange, len(page))
	for i := range page {
		all[i].variants = e.variants(&page[i])
	}
	for i := 0; i < len(page); {
		n := sameAuthor(page[i:])
		if n >= minBatch {
			all[i].batch = e.batch(page[i : i+n])
		}
		i += n
	}
	return all
}

func (e *Encoder) variants(c *models.Change) []eventVariant {
	events := wire.Events(c)
	variants := make([]eventVariant, 0, len(events))
	for _, ev := range events {
		if e.stream.names.include(ev.Variant) {
			variants = append(variants, eventVariant{ev.Variant, e.packet(c, ev.Variant, ev.Name, ev.Payload)})
		}
	}
	return variants
}

// packet encodes an event that ends in its offset.
func (e *Encoder) packet(c *models.Change, variant int, name string, payload any) *socketio.Packet {
	p, err := socketio.EncodeAt(namespace, e.stream.variantOffset(c.UserID, c.Seq, variant), name, payload)
	if err != nil {
		panic(fmt.Errorf("sockets: encode %s: %w", name, err)) // the payload is JSON of package wire, the name a constant
	}
	return p
}

// minBatch is how many changes of one author in a row make a batch: more than 50
// (docs/contract.md#live-features).
const minBatch = 51

// A batch is many changes of one author in a row. Clients that ask for it
// (auth.features) get them in one event, whose offset is that of the last change.
type batch struct {
	size   int // changes
	packet func() *socketio.Packet
}

func (e *Encoder) batch(cs []models.Change) *batch {
	last := &cs[len(cs)-1]
	return &batch{len(cs), sync.OnceValue(func() *socketio.Packet {
		return e.packet(last, wire.SingleVariant, wire.BatchEvent, wire.BatchPayload(cs))
	})}
}

// sameAuthor counts the changes at the start of the page, at least one, that are all
// of expenses and of one author.
func sameAuthor(page []models.Change) int {
	if !page[0].Kind.IsExpense() {
		return 1
	}
	n := 1
	for n < len(page) && page[n].Kind.IsExpense() && page[n].Author == page[0].Author {
		n++
	}
	return n
}
