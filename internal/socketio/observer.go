package socketio

import (
	"encoding/json"
	"iter"
)

// An Observer is told what happens to the sockets of a server, for an operator who looks at
// them. Connected, Joined, Left and Inspect's function are called while the namespace is
// locked, in the order in which memberships change. No method may block, or call one of the
// server's but ID, ClientID, Transport, Handshake, Data and Namespace of the socket.
type Observer interface {
	// Connected is told of a socket that has joined its namespace, with its rooms.
	Connected(s *Socket, rooms []string)
	// Disconnected comes after Left for each of the socket's rooms. A socket whose client came
	// back on another connection (ReasonReplaced) is not reported as gone.
	Disconnected(s *Socket, reason string)
	Joined(s *Socket, room string)
	Left(s *Socket, room string)
	Received(e *Event)
	// Sent is told of each event that was queued for a socket.
	Sent(s *Socket, p *Packet)
}

// Observe has o told what happens from now on; nil ends that. There is one Observer at a
// time. Without one it costs a load of a pointer for each event.
func (s *Server) Observe(o Observer) {
	if o == nil {
		s.observer.Store(nil)
		return
	}
	s.observer.Store(&o)
}

// connected tells o of a socket, unless that has ended.
func (n *Namespace) connected(s *Socket, o Observer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !s.removed {
		o.Connected(s, n.roomsOfLocked(s))
	}
}

// observeLeftLocked tells the Observer that s has left a room, unless another connection has
// taken the place of s.
func (n *Namespace) observeLeftLocked(s *Socket, room string) {
	o := n.server.observer.Load()
	if o == nil {
		return
	}
	if owner := n.sockets[s.id]; owner == nil || owner == s {
		(*o).Left(s, room)
	}
}

// Inspect calls fn once with the connected sockets and their rooms, as they are at one
// moment: what Connected, Joined and Left of an Observer report has happened before fn is
// called, or happens after it. See Observer for what fn may do.
func (n *Namespace) Inspect(fn func(all iter.Seq2[*Socket, []string])) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fn(func(yield func(*Socket, []string) bool) {
		for _, s := range n.allLocked() {
			if s.Connected() && !yield(s, n.roomsOfLocked(s)) {
				return
			}
		}
	})
}

// Len returns how many sockets the namespace has.
func (n *Namespace) Len() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sockets)
}

// Namespaces returns the namespaces that Of has made.
func (s *Server) Namespaces() []*Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		list = append(list, n)
	}
	return list
}

// Payload returns the event as a JSON array of its name and arguments, without an offset.
// It must not be changed.
func (p *Packet) Payload() json.RawMessage { return p.body }
