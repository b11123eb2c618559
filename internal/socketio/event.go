package socketio

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrAcked is returned by the second acknowledgement of one event, which is not sent.
var ErrAcked = errors.New("socketio: event was acknowledged before")

// ErrNoAck is returned by the acknowledgement of an event whose sender asked for none.
var ErrNoAck = errors.New("socketio: the sender wants no acknowledgement")

// An Event is one event that a client sent. It remains valid after its handler has
// returned; a handler may acknowledge it later from another goroutine.
//
// The methods are safe for concurrent use. The fields must not be changed.
type Event struct {
	Name string

	// Args are the arguments in JSON. Where an argument holds a binary value, Args has
	// the placeholder {"_placeholder":true,"num":n} of Attachments[n]; Decode and Values
	// put the bytes in its place.
	Args        []json.RawMessage
	Attachments [][]byte

	socket *Socket
	id     int64 // noID if no acknowledgement is wanted
	acked  atomic.Bool
	size   int // bytes received for it

	release func() // gives back what was reserved for it; nil if nothing was
}

// Socket returns the socket that the event came from.
func (e *Event) Socket() *Socket { return e.socket }

// Decode stores argument i in v, as json.Unmarshal does. Binary values are stored in
// a []byte, and in an any as a string in base64. An argument that was not sent is an
// error.
func (e *Event) Decode(i int, v any) error {
	if i < 0 || i >= len(e.Args) {
		return fmt.Errorf("socketio: %s: no argument %d", e.Name, i)
	}
	if err := json.Unmarshal(inline(e.Args[i], e.Attachments), v); err != nil {
		return fmt.Errorf("socketio: %s: argument %d: %w", e.Name, i, err)
	}
	return nil
}

// Values returns the arguments in a form that Emit and Ack send on as they came,
// including attachments and the order of keys. Use Decode to look at them.
func (e *Event) Values() []any {
	values := make([]any, len(e.Args))
	for i, arg := range e.Args {
		values[i] = arg
		if len(e.Attachments) > 0 {
			values[i] = binaryArg{arg, e.Attachments}
		}
	}
	return values
}

// done gives back what the event occupied while it waited for its handlers.
func (e *Event) done() {
	if e.release != nil {
		e.release()
		e.release = nil
	}
}

// Ack acknowledges the event with args, which are encoded as [Encode] does. Errors:
// ErrNoAck, ErrAcked, ErrDisconnected, or that of an argument that cannot be encoded;
// after the last one another acknowledgement may be tried.
func (e *Event) Ack(args ...any) error {
	if e.id == noID {
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
