package socketio

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"expenseflow/internal/engineio"
)

// A Recovery lets a client continue where its last connection broke off
// (connection state recovery, which clients have since 4.6). What the client
// missed comes from a log that the application keeps; this package keeps nothing,
// so a client may come back after any time and to any process that has the log.
//
// A client that says recovery:false in its CONNECT has no part in it, and the methods
// are not called for its sockets: some libraries hand the offset, one argument more
// than the event has, on to the application.
//
// A client that was given a private session id (pid) remembers, besides, the last
// element of each event if that is a string, as its offset. Both come back in its
// next CONNECT, without the offset if it has none. For that reason every event of
// the log must be made by [EncodeAt]; and of any other event that ends in a string
// or has no argument, the socket's current offset becomes the last argument, or
// the client would take that string for its offset.
//
// The methods are called for different sockets at once.
type Recovery interface {
	// Admit says where a connection begins, after the middleware has let it in: a
	// client is authenticated again each time. An error is treated as middleware's
	// are. The zero Grant makes a connection that cannot be recovered.
	//
	// A claim must be believed only after a check: that the pid was given out by
	// this application and to this user, and that everything after its offset is
	// still in the log. If not, the answer is a new pid, and the client begins
	// anew.
	Admit(ctx context.Context, s *Socket, c Claim) (Grant, error)

	// Follow begins to send what came after s.Offset, by Socket.TrySend, and then
	// what is new; it is called when the answer to CONNECT has been queued, before
	// OnConnect. It must not block. stop is called once, when the socket has ended
	// or its OnConnect listener has failed.
	Follow(s *Socket) (stop func())

	// Remember keeps the rooms that a socket joined after its OnConnect listeners
	// returned, under Socket.PID. It is called, in order, whenever they change. A
	// page whose connection was recovered does not join them again: so what was
	// remembered comes back in Grant.Rooms, or the connection is a new one.
	Remember(s *Socket, rooms []string) error
}

// errRemember stands for a Recovery that panicked.
var errRemember = errors.New("socketio: rooms were not remembered")

// A Claim is what a client says of its last connection. Anybody can say anything.
type Claim struct {
	PID    string // "" if it had none
	Offset string // "" if it got no event
}

// A Grant is where a connection begins.
type Grant struct {
	// PID is the client's private session id: unique, and not to be guessed, for
	// whoever knows it may come back as this client. The socket's id is derived
	// from it. "" gives none.
	PID string

	// Offset is where the client stands: after the event that this was given with.
	Offset string

	// Recovered says that PID is the claim's, and that the client missed nothing
	// but what Follow sends.
	Recovered bool

	// Rooms are those that were remembered for PID.
	Rooms []string
}

// A trail is what a socket that can be recovered has beside others.
type trail struct {
	pid       string
	recovered bool
	restored  []string // Grant.Rooms

	// mu keeps offset equal to that of the event queued last, for the client
	// learns it in the order of the queue.
	mu     sync.Mutex
	offset string

	keeping sync.Mutex // held while rooms are remembered, so that the newest win
	settled bool       // guarded by keeping: rooms are joined at run time from now on
	initial []string   // guarded by keeping: rooms of before

	stop func() // of Follow
}

// PID is the socket's private session id, "" if it cannot be recovered. Only its
// client may know it.
func (s *Socket) PID() string {
	if s.trail == nil {
		return ""
	}
	return s.trail.pid
}

// Recovered tells whether the client continues an earlier connection.
func (s *Socket) Recovered() bool { return s.trail != nil && s.trail.recovered }

// Offset is that of the last event of the log that was queued for the socket, or
// where the connection began; "" if it cannot be recovered.
func (s *Socket) Offset() string {
	if s.trail == nil {
		return ""
	}
	s.trail.mu.Lock()
	defer s.trail.mu.Unlock()
	return s.trail.offset
}

// place asks the Recovery where s begins.
func (s *Socket) place(ctx context.Context) error {
	r := s.nsp.server.cfg.Recovery
	if r == nil || s.declines() {
		return nil
	}
	var (
		g   Grant
		err error
	)
	if !s.guard("recovery", func() { g, err = r.Admit(ctx, s, s.claim()) }) {
		return ErrCloseTransport
	}
	if err != nil || g.PID == "" {
		return err
	}
	s.id = deriveID(g.PID)
	s.trail = &trail{pid: g.PID, recovered: g.Recovered, restored: g.Rooms, offset: g.Offset}
	return s.nsp.join(s, g.Rooms)
}

// declines tells whether the client wants no recovery: it says recovery:false in its
// CONNECT. It gets no pid, and no offset behind the arguments of its events.
func (s *Socket) declines() bool {
	var auth struct {
		Recovery json.RawMessage `json:"recovery"`
	}
	_ = json.Unmarshal(s.Handshake().Auth, &auth) // an object, as the decoder saw
	return string(auth.Recovery) == "false"
}

// claim reads pid and offset out of the CONNECT. What is not a string is not
// there.
func (s *Socket) claim() Claim {
	var auth map[string]json.RawMessage
	var c Claim
	_ = json.Unmarshal(s.Handshake().Auth, &auth) // an object, as the decoder saw
	if json.Unmarshal(auth["pid"], &c.PID) != nil || c.PID == "" {
		return Claim{}
	}
	_ = json.Unmarshal(auth["offset"], &c.Offset)
	return c
}

// deriveID is the public id of a private one: the same in every process.
func deriveID(pid string) string {
	sum := sha256.Sum256([]byte(pid))
	return base64.URLEncoding.EncodeToString(sum[:15])
}

// transmit queues the form of p that keeps the client's offset right. Events of
// one socket are queued one at a time.
func (t *trail) transmit(s *Socket, p *Packet, mode sendMode) bool {
	taken := t.enqueue(s, p, mode)
	if taken {
		s.tellOutgoing(p)
	}
	return taken
}

func (t *trail) enqueue(s *Socket, p *Packet, mode sendMode) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case p.id != noID: // the client takes no offset from it
		return s.enqueue(p.shared(s.parser()), mode)
	case p.offset != "":
		if !s.enqueue(p.withOffset(s.parser(), p.offset), mode) {
			return false
		}
		t.offset = p.offset
		return true
	case p.moves():
		return s.enqueue(p.withOffset(s.parser(), t.offset), mode)
	}
	return s.enqueue(p.shared(s.parser()), mode)
}

// enqueue queues g.
func (s *Socket) enqueue(g *engineio.Group, mode sendMode) bool {
	switch mode {
	case sendIfRoom:
		return s.client.session.TrySend(g)
	case sendVolatile:
		return s.client.session.SendVolatile(g)
	}
	s.client.session.Send(g)
	return true
}

// follow lets the Recovery send what the client missed.
func (s *Socket) follow() {
	if s.trail != nil {
		s.guard("recovery", func() { s.trail.stop = s.nsp.server.cfg.Recovery.Follow(s) })
	}
}

// unfollow ends that.
func (s *Socket) unfollow() {
	if s.trail != nil && s.trail.stop != nil {
		s.guard("recovery", s.trail.stop)
	}
}

// settle says that OnConnect is over: rooms that are joined now are to be
// remembered, and those that were left meanwhile are not any more.
func (s *Socket) settle() {
	if s.trail != nil && s.begin() {
		_ = s.remember() // a room too many is only tried once more
	}
}

// begin notes the rooms that every connection is in, and tells whether one that was
// restored is not among the socket's.
func (s *Socket) begin() (left bool) {
	t := s.trail
	t.keeping.Lock()
	defer t.keeping.Unlock()
	t.settled = true
	rooms := s.Rooms()
	t.initial = append(t.initial, slices.DeleteFunc(slices.Clone(rooms), func(room string) bool { return slices.Contains(t.restored, room) })...)
	return slices.ContainsFunc(t.restored, func(room string) bool { return !slices.Contains(rooms, room) })
}

// remember hands the rooms of run time to the Recovery.
func (s *Socket) remember() (err error) {
	t := s.trail
	if t == nil {
		return nil
	}
	t.keeping.Lock()
	defer t.keeping.Unlock()
	if !t.settled || !s.Connected() {
		return nil
	}
	rooms := slices.DeleteFunc(s.Rooms(), func(room string) bool { return slices.Contains(t.initial, room) })
	if !s.guard("recovery", func() { err = s.nsp.server.cfg.Recovery.Remember(s, rooms) }) {
		err = errRemember
	}
	return err
}

// evict ends a socket whose client has come back on another connection. Its own
// connection is of no more use, and is closed so that it does not come back if it
// lives after all.
func (s *Socket) evict() {
	if s.client.unlink(s, ReasonReplaced, phaseEnded) {
		s.client.end(reasonForced)
	}
}
