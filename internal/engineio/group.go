package engineio

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Message is the payload of one Engine.IO message packet (section "Message").
type Message struct {
	// Data must not change any more once the message is sent or received. Text
	// is valid UTF-8 and holds no U+001E, which separates packets in polling.
	Data   []byte
	Binary bool
}

// groupOverhead is what a waiting group costs beside its bytes: itself, its
// place in the queue and its encoded form's header. Without it a million tiny
// messages would count as a few megabytes.
const groupOverhead = 192

// A Group is an immutable run of messages that stay contiguous on the wire: an
// event and its attachments. It is encoded at most once for each form that some
// session needs, and may be sent to any number of sessions at once.
type Group struct {
	msgs  []Message  // whose Data mu guards, since it moves into frames
	one   [1]Message // backs msgs of the usual length
	size  int
	plain bool // never compressed

	mu       sync.Mutex // held while a form is made
	frames   atomic.Pointer[[]byte]
	deflated atomic.Pointer[[]byte]
	payload  atomic.Pointer[[]byte]
}

// NewGroup makes a group of msgs. It keeps their data, so nobody may change it
// afterwards.
func NewGroup(msgs ...Message) *Group {
	g := &Group{size: groupOverhead}
	if len(msgs) == 1 {
		g.one[0] = msgs[0]
		g.msgs = g.one[:]
	} else {
		g.msgs = append([]Message(nil), msgs...)
	}
	for _, m := range g.msgs {
		g.size += frameSize(m)
	}
	return g
}

// Uncompressed returns a group of the same messages that is never compressed,
// neither by permessage-deflate nor in a polling answer.
func (g *Group) Uncompressed() *Group {
	u := NewGroup(g.Messages()...)
	u.plain = true
	return u
}

// Messages are what the group holds. They must not be changed.
func (g *Group) Messages() []Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.msgs)
}

// Size is what the group counts in a session's queue, in bytes: its WebSocket
// frames and a fixed amount for keeping it.
func (g *Group) Size() int { return g.size }

// encoded returns the form kept in slot and makes it on first use.
func (g *Group) encoded(slot *atomic.Pointer[[]byte], encode func([]Message) []byte) []byte {
	if b := slot.Load(); b != nil {
		return *b
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := slot.Load(); b != nil {
		return *b
	}
	b := encode(g.msgs)
	slot.Store(&b)
	return b
}

// webSocketFrames returns the group as WebSocket frames.
func (g *Group) webSocketFrames() []byte { return g.encoded(&g.frames, encodeFrames) }

// deflatedFrames returns the group as WebSocket frames for a connection with
// permessage-deflate.
func (g *Group) deflatedFrames() []byte {
	if g.plain {
		return g.webSocketFrames()
	}
	return g.encoded(&g.deflated, encodeDeflatedFrames)
}

// pollingPayload returns the group as part of a polling payload.
func (g *Group) pollingPayload() []byte { return g.encoded(&g.payload, encodePayload) }

// encodeFrames moves the messages' data into the frames, so that what waits in
// queues is in memory once.
func encodeFrames(msgs []Message) []byte {
	size := 0
	for _, m := range msgs {
		size += frameSize(m)
	}
	b := make([]byte, 0, size)
	for i, m := range msgs {
		b = appendMessageFrame(b, m)
		msgs[i].Data = b[len(b)-len(m.Data) : len(b) : len(b)]
	}
	return b
}

func encodePayload(msgs []Message) []byte {
	var b []byte
	for i, m := range msgs {
		if i > 0 {
			b = append(b, separator)
		}
		b = appendPayloadMessage(b, m)
	}
	return b
}
