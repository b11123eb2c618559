package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// An Emitter sends events to one socket in a particular way. It may be kept and
// used often, and by several goroutines.
type Emitter struct {
	socket   *Socket
	volatile bool
	plain    bool
	timeout  time.Duration
}

// Volatile sends events that are dropped if the client cannot take them now. See
// [Broadcast.Volatile].
func (s *Socket) Volatile() *Emitter { return &Emitter{socket: s, volatile: true} }

// Compress sends events that may be compressed, or may not.
func (s *Socket) Compress(on bool) *Emitter { return &Emitter{socket: s, plain: !on} }

// Timeout bounds how long EmitAck waits for the answer.
func (s *Socket) Timeout(d time.Duration) *Emitter { return &Emitter{socket: s, timeout: d} }

// Volatile makes the emitter's events volatile too.
func (e *Emitter) Volatile() *Emitter {
	c := *e
	c.volatile = true
	return &c
}

// Compress says whether the emitter's events may be compressed.
func (e *Emitter) Compress(on bool) *Emitter {
	c := *e
	c.plain = !on
	return &c
}

// Timeout bounds how long EmitAck waits for the answer.
func (e *Emitter) Timeout(d time.Duration) *Emitter {
	c := *e
	c.timeout = d
	return &c
}

// Emit sends an event as [Socket.Emit] does. A volatile one that was dropped is no
// error.
func (e *Emitter) Emit(event string, args ...any) error {
	p, err := Encode(e.socket.nsp.name, event, args...)
	if err != nil {
		return err
	}
	if !e.socket.Connected() {
		return ErrDisconnected
	}
	e.socket.transmit(p.derive(noID, e.plain), e.mode())
	return nil
}

func (e *Emitter) mode() sendMode {
	if e.volatile {
		return sendVolatile
	}
	return sendAlways
}

// EmitAck asks the client as [Socket.EmitAck] does.
func (e *Emitter) EmitAck(ctx context.Context, event string, args ...any) ([]json.RawMessage, error) {
	p, err := Encode(e.socket.nsp.name, event, args...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := within(ctx, e.timeout)
	defer cancel()
	return e.ask(ctx, p.derive(e.socket.nsp.server.nextAckID(), e.plain))
}

// ask sends p and waits for the answer.
func (e *Emitter) ask(ctx context.Context, p *Packet) ([]json.RawMessage, error) {
	answer := make(chan *inPacket, 1)
	if err := e.socket.expect(p.id, func(in *inPacket) { answer <- in }); err != nil {
		return nil, err
	}
	defer e.socket.forget(p.id)
	e.socket.transmit(p, e.mode())
	select {
	case in := <-answer:
		if in == nil {
			return nil, ErrDisconnected
		}
		return in.inlined(), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("socketio: no acknowledgement of %q: %w", p.name, context.Cause(ctx))
	}
}
