package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Broadcast addresses sockets of a namespace: all, or those in rooms, less some.
// Its methods that narrow it return a new one, so a Broadcast may be kept and used
// often, and by several goroutines.
//
// A socket in several of the rooms is addressed once. Who is in the rooms is
// decided when the broadcast is sent.
type Broadcast struct {
	nsp      *Namespace
	rooms    []string
	except   []string
	skip     *Socket // the sender
	volatile bool
	plain    bool
	timeout  time.Duration // of EmitAck; 0: none
}

// To addresses the sockets in any of the rooms.
func (n *Namespace) To(rooms ...string) *Broadcast { return n.everybody().To(rooms...) }

// Except addresses all sockets but those in any of the rooms.
func (n *Namespace) Except(rooms ...string) *Broadcast { return n.everybody().Except(rooms...) }

// Volatile addresses the sockets that can take an event now. See [Broadcast.Volatile].
func (n *Namespace) Volatile() *Broadcast { return n.everybody().Volatile() }

// Local addresses this process's sockets. See [Broadcast.Local].
func (n *Namespace) Local() *Broadcast { return n.everybody().Local() }

// Compress addresses all sockets. See [Broadcast.Compress].
func (n *Namespace) Compress(on bool) *Broadcast { return n.everybody().Compress(on) }

// Timeout addresses all sockets. See [Broadcast.Timeout].
func (n *Namespace) Timeout(d time.Duration) *Broadcast { return n.everybody().Timeout(d) }

// Emit sends an event to all sockets of the namespace.
func (n *Namespace) Emit(event string, args ...any) error { return n.everybody().Emit(event, args...) }

// EmitAck asks all sockets of the namespace. See [Broadcast.EmitAck].
func (n *Namespace) EmitAck(ctx context.Context, event string, args ...any) ([]Answer, error) {
	return n.everybody().EmitAck(ctx, event, args...)
}

// FetchSockets are the connected sockets of the namespace.
func (n *Namespace) FetchSockets() []*Socket { return n.everybody().FetchSockets() }

// SocketsJoin puts all sockets of the namespace into rooms.
func (n *Namespace) SocketsJoin(rooms ...string) { n.everybody().SocketsJoin(rooms...) }

// SocketsLeave takes all sockets of the namespace out of rooms.
func (n *Namespace) SocketsLeave(rooms ...string) { n.everybody().SocketsLeave(rooms...) }

// DisconnectSockets ends all sockets of the namespace. See [Socket.Disconnect].
func (n *Namespace) DisconnectSockets(closing bool) { n.everybody().DisconnectSockets(closing) }

func (n *Namespace) everybody() *Broadcast { return &Broadcast{nsp: n} }

// To addresses the sockets in any of the rooms except this one.
func (s *Socket) To(rooms ...string) *Broadcast { return s.Broadcast().To(rooms...) }

// Except addresses all sockets but this one and those in any of the rooms.
func (s *Socket) Except(rooms ...string) *Broadcast { return s.Broadcast().Except(rooms...) }

// Local addresses this process's sockets except this one.
func (s *Socket) Local() *Broadcast { return s.Broadcast().Local() }

// Broadcast addresses all sockets of the namespace except this one.
func (s *Socket) Broadcast() *Broadcast { return &Broadcast{nsp: s.nsp, skip: s} }

// To adds rooms. Without any, a broadcast addresses every socket.
func (b *Broadcast) To(rooms ...string) *Broadcast {
	c := *b
	c.rooms = slices.Concat(b.rooms, rooms)
	return &c
}

// Except leaves out sockets in any of the rooms.
func (b *Broadcast) Except(rooms ...string) *Broadcast {
	c := *b
	c.except = slices.Concat(b.except, rooms)
	return &c
}

// Volatile drops the event for clients that cannot take it now: because much is
// waiting for them, or because they are between two polls.
func (b *Broadcast) Volatile() *Broadcast {
	c := *b
	c.volatile = true
	return &c
}

// Local keeps the broadcast in this process. This package knows no other, so it
// is what every broadcast does; it says so to the reader.
func (b *Broadcast) Local() *Broadcast { return b }

// Compress says whether the event may be compressed, where the transport does so.
// It may unless told otherwise.
func (b *Broadcast) Compress(on bool) *Broadcast {
	c := *b
	c.plain = !on
	return &c
}

// Timeout bounds how long EmitAck waits for answers.
func (b *Broadcast) Timeout(d time.Duration) *Broadcast {
	c := *b
	c.timeout = d
	return &c
}

// Emit sends an event to everybody addressed. It is encoded once for each
// namespace and never waits for the network. Errors are those of [Encode]; nobody
// to send to is none.
func (b *Broadcast) Emit(event string, args ...any) error {
	for _, n := range b.nsp.spaces() {
		p, err := Encode(n.name, event, args...)
		if err != nil {
			return err
		}
		b.deliver(n, p)
	}
	return nil
}

// Send sends a packet of the namespace to everybody addressed. It panics if the
// packet is of another namespace.
func (b *Broadcast) Send(p *Packet) {
	checkNamespace(p, b.nsp)
	b.deliver(b.nsp, p)
}

// deliver queues p for the targets. No lock of the namespace is held meanwhile.
func (b *Broadcast) deliver(n *Namespace, p *Packet) {
	p = p.derive(noID, b.plain)
	for _, s := range n.targets(b.rooms, b.except) {
		if s != b.skip && s.Connected() {
			s.transmit(p, b.mode())
		}
	}
}

func (b *Broadcast) mode() sendMode {
	if b.volatile {
		return sendVolatile
	}
	return sendAlways
}

// FetchSockets are the connected sockets that are addressed.
func (b *Broadcast) FetchSockets() []*Socket {
	var list []*Socket
	for _, n := range b.nsp.spaces() {
		for _, s := range n.targets(b.rooms, b.except) {
			if s != b.skip && s.Connected() {
				list = append(list, s)
			}
		}
	}
	return list
}

// SocketsJoin puts the sockets that are addressed into rooms. Those that are in
// too many stay as they are; that a Recovery does not remember it is not told.
func (b *Broadcast) SocketsJoin(rooms ...string) {
	for _, s := range b.FetchSockets() {
		_ = s.Join(rooms...)
	}
}

// SocketsLeave takes the sockets that are addressed out of rooms.
func (b *Broadcast) SocketsLeave(rooms ...string) {
	for _, s := range b.FetchSockets() {
		for _, room := range rooms {
			_ = s.Leave(room)
		}
	}
}

// DisconnectSockets ends the sockets that are addressed. See [Socket.Disconnect].
func (b *Broadcast) DisconnectSockets(closing bool) {
	for _, s := range b.FetchSockets() {
		s.Disconnect(closing)
	}
}

// An Answer is what one socket said to a broadcast that asked.
type Answer struct {
	Socket *Socket
	Args   []json.RawMessage // Binary in base64, as with Socket.EmitAck
}

// EmitAck sends an event to everybody addressed and gathers their answers, in the
// order in which they came. Answers are returned even if there is an error.
//
// Errors: those of Encode; the context's, or that of Timeout, when somebody did
// not answer in time; ErrDisconnected when all who did not answer have gone;
// ErrTooManyAcks when somebody could not be asked.
func (b *Broadcast) EmitAck(ctx context.Context, event string, args ...any) ([]Answer, error) {
	ctx, cancel := within(ctx, b.timeout)
	defer cancel()
	g := newGathering()
	id := b.nsp.server.nextAckID()
	defer g.forget(id)
	for _, n := range b.nsp.spaces() {
		p, err := Encode(n.name, event, args...)
		if err != nil {
			return nil, err
		}
		b.ask(g, n, p, id)
	}
	g.complete()
	return g.wait(ctx, event)
}

// within gives ctx a timeout unless d is 0.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// ask sends p to the targets in n. One id serves all: answers are told apart by
// their socket.
func (b *Broadcast) ask(g *gathering, n *Namespace, p *Packet, id int64) {
	p = p.derive(id, b.plain)
	for _, s := range n.targets(b.rooms, b.except) {
		if s != b.skip && g.expect(s, id) {
			s.transmit(p, b.mode())
		}
	}
}

// A gathering collects the answers to one broadcast.
type gathering struct {
	mu      sync.Mutex
	asked   []*Socket
	answers []Answer
	missing int   // of asked
	err     error // the first reason for which an answer will not come
	done    chan struct{}
	sent    bool
}

func newGathering() *gathering { return &gathering{done: make(chan struct{})} }

// expect registers s, and reports whether it is to be asked.
func (g *gathering) expect(s *Socket, id int64) bool {
	g.mu.Lock()
	g.asked = append(g.asked, s)
	g.missing++
	g.mu.Unlock()
	err := s.expect(id, func(p *inPacket) { g.answered(s, p) })
	switch {
	case errors.Is(err, ErrDisconnected): // it went before it was asked
		g.settle(nil)
	case err != nil:
		g.settle(err)
	}
	return err == nil
}

// answered takes the answer of s; nil means that s has gone.
func (g *gathering) answered(s *Socket, p *inPacket) {
	if p == nil {
		g.settle(ErrDisconnected)
		return
	}
	g.mu.Lock()
	g.answers = append(g.answers, Answer{Socket: s, Args: p.inlined()})
	g.mu.Unlock()
	g.settle(nil)
}

// settle counts one socket less.
func (g *gathering) settle(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
	g.missing--
	g.check()
}

// complete says that everybody was asked.
func (g *gathering) complete() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = true
	g.check()
}

func (g *gathering) check() {
	if g.sent && g.missing == 0 {
		close(g.done)
	}
}

// wait returns when all answers are there, or will not come.
func (g *gathering) wait(ctx context.Context, event string) ([]Answer, error) {
	select {
	case <-g.done:
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		return slices.Clone(g.answers), fmt.Errorf("socketio: %d of %d acknowledgements of %q are missing: %w",
			g.missing, len(g.asked), event, context.Cause(ctx))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answers, g.err
}

// forget gives up the answers that are missing.
func (g *gathering) forget(id int64) {
	g.mu.Lock()
	asked := g.asked
	g.mu.Unlock()
	for _, s := range asked {
		s.forget(id)
	}
}
