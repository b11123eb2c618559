package socketio

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"sync"

	"expenseflow/internal/rawjson"
)

// A Recovery lets a client continue where its last connection ended (connection state
// recovery, which clients have since 4.6). What the client missed comes from a log that
// the application keeps. This package keeps nothing, so a client may come back after any
// time and to any process that has the log.
//
// How a client takes part: in the answer to its CONNECT it is given a private session id
// (pid). From then on it remembers the last element of each event, if that is a string,
// as its offset, and sends pid and offset in its next CONNECT (without an offset if it
// has none). Therefore every event of the log must be made by [EncodeAt]; and of any
// other event that ends in a string or has no argument, the socket's current offset
// becomes the last argument, or the client would take that string for its offset.
//
// A client that sends recovery:false in its CONNECT takes no part, and the methods are
// not called for its sockets: some client libraries pass the offset, one argument more
// than the event has, to the application.
//
// The methods are called concurrently for different sockets.
type Recovery interface {
	// Admit decides where a connection begins, after the middleware has accepted it: a
	// client is authenticated again each time. An error is treated as an error of
	// middleware. The zero Grant makes a connection that cannot be recovered.
	//
	// A claim must be believed only after a check: that the pid was given by this
	// application and to this user, and that everything after its offset is still in
	// the log. If not, the answer is a new pid, and the client begins anew.
	Admit(ctx context.Context, s *Socket, c Claim) (Grant, error)

	// Follow begins to send what came after s.Offset, by Socket.TrySend, and then what
	// is new. It is called when the answer to CONNECT has been queued, before
	// OnConnect, and must not block. stop is called once, when the socket has ended or
	// its OnConnect listener has failed.
	Follow(s *Socket) (stop func())

	// Remember stores the rooms that a socket joined after its OnConnect listeners
	// returned, under Socket.PID. It is called, in order, whenever they change. A page
	// whose connection was recovered does not join them again: so what was remembered
	// must come back in Grant.Rooms, or the connection must begin anew.
	Remember(s *Socket, rooms []string) error
}

// errRemember is returned for a Recovery whose Remember panicked.
var errRemember = errors.New("socketio: rooms were not remembered")

// A Claim is what a client says of its last connection. It comes from outside and may
// say anything.
type Claim struct {
	PID    string // "" if it had none
	Offset string // "" if it got no event
}

// A Grant says where a connection begins.
type Grant struct {
	// PID is the client's private session id: unique, and not to be guessed, for
	// whoever knows it may come back as this client. The socket's id is derived from
	// it. "" gives none.
	PID string

	// Offset is that of the last event that the client has.
	Offset string

	// Recovered means that PID is the claim's, and that the client missed nothing but
	// what Follow sends.
	Recovered bool

	// Rooms are those that were remembered for PID.
	Rooms []string
}

// A recoveryState is what a socket that can be recovered has in addition.
type recoveryState struct {
	pid        string
	recovered  bool
	remembered []string // Grant.Rooms, then what Recovery.Remember stored last

	// mu is held while an event is queued, so that offset is that of the last event in
	// the queue: the client learns it in the order of the queue.
	mu     sync.Mutex
	offset string

	// roomsMu is held while rooms are remembered, so that the newest list is the last.
	roomsMu     sync.Mutex
	remembering bool     // OnConnect has returned: rooms that are joined now are remembered
	unsure      bool     // the last Remember failed
	unstored    []string // the rooms that OnConnect joins for every connection

	stop func() // of Follow
}

// PID returns the socket's private session id, "" if it cannot be recovered. Only its
// client may know it.
func (s *Socket) PID() string {
	if s.recovery == nil {
		return ""
	}
	return s.recovery.pid
}

// Recovered reports whether the client continues an earlier connection.
func (s *Socket) Recovered() bool { return s.recovery != nil && s.recovery.recovered }

// Offset returns that of the last event of the log that was queued for the socket, or
// where the connection began; "" if it cannot be recovered.
func (s *Socket) Offset() string {
	if s.recovery == nil {
		return ""
	}
	s.recovery.mu.Lock()
	defer s.recovery.mu.Unlock()
	return s.recovery.offset
}

// resume asks the Recovery where s begins.
func (s *Socket) resume(ctx context.Context) error {
	r := s.nsp.server.cfg.Recovery
	h := s.Handshake()
	if r == nil || h.declinesRecovery() {
		return nil
	}
	var (
		g   Grant
		err error
	)
	if !s.withoutPanic("recovery", func() { g, err = r.Admit(ctx, s, h.Claim()) }) {
		return ErrCloseTransport
	}
	if err != nil || g.PID == "" {
		return err
	}
	s.id = deriveID(g.PID)
	s.recovery = &recoveryState{pid: g.PID, recovered: g.Recovered, remembered: g.Rooms, offset: g.Offset}
	return s.nsp.join(s, g.Rooms)
}

// Claim returns what the CONNECT says of the client's last connection: its pid and
// offset, as far as they are strings. Nothing of it has been checked: see [Recovery].
func (h *Handshake) Claim() Claim {
	c := Claim{PID: rawjson.Text(h.AuthFields["pid"])}
	if c.PID != "" {
		c.Offset = rawjson.Text(h.AuthFields["offset"])
	}
	return c
}

// declinesRecovery reports whether the client sent recovery:false in its CONNECT. It
// gets no pid, and no offset behind the arguments of its events.
func (h *Handshake) declinesRecovery() bool { return string(h.AuthFields["recovery"]) == "false" }

// deriveID returns the public id of a private one, which is the same in every process.
func deriveID(pid string) string {
	sum := sha256.Sum256([]byte(pid))
	return base64.URLEncoding.EncodeToString(sum[:15])
}

// transmit queues the form of p that keeps the client's offset right. Events of one
// socket are queued one at a time.
func (r *recoveryState) transmit(s *Socket, p *Packet, mode sendMode) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case p.id != noID: // the client takes no offset from it
		return s.enqueue(p.group(s.parser()), mode)
	case p.offset != "":
		if !s.enqueue(p.groupWithOffset(s.parser(), p.offset), mode) {
			return false
		}
		r.offset = p.offset
		return true
	case p.endsInString():
		return s.enqueue(p.groupWithOffset(s.parser(), r.offset), mode)
	}
	return s.enqueue(p.group(s.parser()), mode)
}

// follow has the Recovery send what the client missed.
func (s *Socket) follow() {
	if s.recovery != nil {
		s.withoutPanic("recovery", func() { s.recovery.stop = s.nsp.server.cfg.Recovery.Follow(s) })
	}
}

// unfollow ends that.
func (s *Socket) unfollow() {
	if s.recovery != nil && s.recovery.stop != nil {
		s.withoutPanic("recovery", s.recovery.stop)
	}
}

// beginRemembering is called when OnConnect has returned: from now on rooms that are
// joined are remembered, and rooms that it left are not any more.
func (s *Socket) beginRemembering() {
	if s.recovery != nil && s.noteInitialRooms() {
		_ = s.rememberRooms() // if it fails, OnConnect leaves the room again next time
	}
}

// noteInitialRooms notes the rooms that OnConnect joins for every connection, and reports
// whether the socket has left a room that was restored.
func (s *Socket) noteInitialRooms() (left bool) {
	r := s.recovery
	r.roomsMu.Lock()
	defer r.roomsMu.Unlock()
	r.remembering = true
	rooms := s.Rooms()
	for _, room := range rooms {
		if !slices.Contains(r.remembered, room) {
			r.unstored = append(r.unstored, room)
		}
	}
	return slices.ContainsFunc(r.remembered, func(room string) bool { return !slices.Contains(rooms, room) })
}

// rememberRooms hands the rooms that were joined after OnConnect to the Recovery.
func (s *Socket) rememberRooms() (err error) {
	r := s.recovery
	if r == nil {
		return nil
	}
	r.roomsMu.Lock()
	defer r.roomsMu.Unlock()
	if !r.remembering || !s.Connected() {
		return nil
	}
	rooms := slices.DeleteFunc(s.Rooms(), func(room string) bool { return slices.Contains(r.unstored, room) })
	if !r.unsure && sameRooms(rooms, r.remembered) {
		return nil
	}
	if !s.withoutPanic("recovery", func() { err = s.nsp.server.cfg.Recovery.Remember(s, rooms) }) {
		err = errRemember
	}
	r.remembered, r.unsure = rooms, err != nil
	return err
}

// sameRooms compares two lists without repetitions, in any order.
func sameRooms(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(room string) bool { return !slices.Contains(b, room) })
}

// evict ends a socket whose client has come back on another connection. Its own
// connection is useless now, and is closed so that it does not come back if it still
// works.
func (s *Socket) evict() {
	if s.client.unlink(s, ReasonReplaced, phaseEnded) {
		s.client.end(reasonForced)
	}
}
