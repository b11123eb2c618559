package socketio

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrAcked is what the second answer to one event gives. Only the first is sent.
var ErrAcked = errors.New("socketio: event was acknowledged before")

// ErrNoAck is what answering an event gives whose sender asked for no answer.
var ErrNoAck = errors.New("socketio: the sender wants no acknowledgement")

// An Event is what a client said. It stays valid after its handler has returned;
// a handler may acknowledge later from another goroutine.
type Event struct {
	Name string

	// Args are the arguments in JSON. A binary argument is the placeholder
	// {"_placeholder":true,"num":n} of Attachments[n] there, wherever it stands;
	// Decode and Values put the bytes in its place.
	Args        []json.RawMessage
	Attachments [][]byte

	socket *Socket
	id     int64 // noID if no answer is wanted
	acked  atomic.Bool
	size   int

	release func() // gives back what was reserved for it; nil if that is nothing
}

// Socket is the socket that the event came from.
func (e *Event) Socket() *Socket { return e.socket }

// Decode stores argument i in v, as json.Unmarshal does. Binary arguments go into
// a Binary or a []byte; into an any they go as base64. An argument that was not
// sent is an error.
func (e *Event) Decode(i int, v any) error {
	if i < 0 || i >= len(e.Args) {
		return fmt.Errorf("socketio: %s: no argument %d", e.Name, i)
	}
	if err := json.Unmarshal(inline(e.Args[i], e.Attachments), v); err != nil {
		return fmt.Errorf("socketio: %s: argument %d: %w", e.Name, i, err)
	}
	return nil
}

// Values are the arguments in a form that Emit and Ack take and send as they
// came, attachments and the order of keys included. Decode is for looking at them.
func (e *Event) Values() []any {
	values := make([]any, len(e.Args))
	for i, arg := range e.Args {
		values[i] = arg
		if len(e.Attachments) > 0 {
			values[i] = bound{arg, e.Attachments}
		}
	}
	return values
}

// A bound is an argument as a client sent it, with the attachments that its
// placeholders name.
type bound struct {
	raw         json.RawMessage
	attachments [][]byte
}

// done gives back what the event occupied while it waited for its handlers.
func (e *Event) done() {
	if e.release != nil {
		e.release()
		e.release = nil
	}
}

// WantsAck tells whether the sender waits for an answer.
func (e *Event) WantsAck() bool { return e.id != noID }

// Ack answers the event. Arguments are as with Encode. Errors: ErrNoAck,
// ErrAcked, ErrDisconnected, or that of an argument that cannot be encoded; after
// the last one another answer may be tried.
func (e *Event) Ack(args ...any) error {
	if !e.WantsAck() {
		return ErrNoAck
	}
	g, err := e.socket.parser().ack(e.socket.nsp.name, e.id, args)
	if err != nil {
		return err
	}
	if e.acked.Swap(true) {
		return ErrAcked
	}
	return e.socket.send(g)
}
