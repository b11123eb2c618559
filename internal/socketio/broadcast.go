package socketio

import "slices"

// A Broadcast addresses sockets of a namespace: all, or those in certain rooms. Who is
// in the rooms is decided when it is sent. A socket in several of the rooms is addressed
// once.
//
// A Broadcast is immutable; its methods are safe for concurrent use.
type Broadcast struct {
	nsp    *Namespace
	rooms  []string // none: all sockets
	sender *Socket  // is not addressed itself; nil for none
}

// To addresses the sockets in any of the rooms; without any, all sockets.
func (n *Namespace) To(rooms ...string) *Broadcast {
	return &Broadcast{nsp: n, rooms: slices.Clone(rooms)}
}

// To addresses the sockets in any of the rooms except this one; without any, all other
// sockets of the namespace.
func (s *Socket) To(rooms ...string) *Broadcast {
	return &Broadcast{nsp: s.nsp, rooms: slices.Clone(rooms), sender: s}
}

// Emit sends an event to all sockets of the namespace. See [Broadcast.Emit].
func (n *Namespace) Emit(event string, args ...any) error { return n.To().Emit(event, args...) }

// FetchSockets returns the connected sockets of the namespace.
func (n *Namespace) FetchSockets() []*Socket { return n.To().FetchSockets() }

// Emit sends an event to everybody addressed. It is encoded once and never waits for the
// network. Errors are those of [Encode]; that nobody is addressed is none.
func (b *Broadcast) Emit(event string, args ...any) error {
	p, err := Encode(b.nsp.name, event, args...)
	if err != nil {
		return err
	}
	b.each(func(s *Socket) { s.transmit(p, sendAlways) })
	return nil
}

// FetchSockets returns the connected sockets that are addressed.
func (b *Broadcast) FetchSockets() []*Socket {
	var list []*Socket
	b.each(func(s *Socket) { list = append(list, s) })
	return list
}

// each calls fn for each connected socket that is addressed. No lock of the namespace is
// held meanwhile.
func (b *Broadcast) each(fn func(*Socket)) {
	for _, s := range b.nsp.targets(b.rooms) {
		if s != b.sender && s.Connected() {
			fn(s)
		}
	}
}
