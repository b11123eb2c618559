package engineio

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A Message is the payload of one Engine.IO message packet (section "Message").
type Message struct {
	// Data must not change once the message was sent or received. Text must be valid
	// UTF-8 without U+001E, which separates packets in polling.
	Data   []byte
	Binary bool
}

// groupOverhead is how many bytes a queued group counts in addition to its frames: for the
// Group itself, its element of the queue and the header of its encoded form. Without it a
// million tiny messages would count as a few megabytes.
const groupOverhead = 192

// A Group is a sequence of messages that are sent without others in between: an event and
// its attachments. It is immutable; its methods are safe for concurrent use, and it may be
// sent to any number of sessions at once. It is encoded at most once for each form that
// some session needs.
type Group struct {
	msgs []Message  // mu guards their Data, which moves into frames
	one  [1]Message // backs msgs of the usual length
	size int

	compressible bool // some message is worth compressing

	mu       sync.Mutex // held while a form is made
	frames   atomic.Pointer[[]byte]
	deflated atomic.Pointer[[]byte]
	payload  atomic.Pointer[[]byte]
}

// NewGroup returns a group of msgs. It keeps their data, which must not be changed
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
		g.compressible = g.compressible || isCompressible(m)
	}
	return g
}

// Messages returns the group's messages, which must not be changed.
func (g *Group) Messages() []Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.msgs)
}

// Size returns what the group counts in a session's queue, in bytes: its WebSocket frames
// and a fixed amount for keeping it.
func (g *Group) Size() int { return g.size }

// encoded returns the form in slot, which it makes on first use.
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
