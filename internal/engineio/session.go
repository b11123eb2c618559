package engineio

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Reason says why a session closed; most are Node's words.
type Reason string

// The reasons a Receiver is told. Session.Close may be given others.
const (
	ReasonTransportClose Reason = "transport close" // the client or its network went away
	ReasonTransportError Reason = "transport error" // it broke the transport's rules
	ReasonPingTimeout    Reason = "ping timeout"    // no pong came in time
	ReasonParse          Reason = "parse error"     // it sent something that is no packet
	ReasonForced         Reason = "forced close"    // this side wanted it
	ReasonSlow           Reason = "slow"            // it took nothing for too long, or asked for too much
)

// The causes that come with a reason, as Receiver.Closed gets them.
var (
	ErrHeartbeatDirection = errors.New("engineio: invalid heartbeat direction")
	ErrPollOverlap        = errors.New("engineio: overlap from client")
	ErrPollGone           = errors.New("engineio: poll connection closed prematurely")
	ErrPostOverlap        = errors.New("engineio: data request overlap from client")
	ErrPostGone           = errors.New("engineio: data request connection closed prematurely")
	ErrPostContent        = errors.New("engineio: invalid content")
	ErrPostTooLarge       = errors.New("engineio: payload too large")
	ErrStalled            = errors.New("engineio: client takes nothing of what waits for it")
	ErrQueueFull          = errors.New("engineio: more waits for the client than may")
)

// A Handler makes the Receiver of each new session. Open runs before the client
// is answered; it may already send. It is called concurrently for different
// sessions.
type Handler interface {
	Open(s *Session) Receiver
}

// A Receiver hears what happens to one session.
type Receiver interface {
	// Message gets the client's messages, one at a time in order of arrival.
	// While it blocks, this session is not read; once Session.Done is closed it
	// should return.
	Message(m Message)

	// Drained says that there is room again after TrySend returned false: once
	// for each time the queue was full. It must not block; it may send. It runs
	// beside Message, not after Closed.
	Drained()

	// Closed is the last call and comes exactly once. err may be nil.
	Closed(reason Reason, err error)
}

type phase uint8

const (
	phaseOpen    phase = iota
	phaseClosing       // Close was called: sends what waits, listens no more
	phaseClosed
)

// A Session is one client's connection, whatever transports it goes over. All
// methods may be called concurrently, also from the Receiver's.
type Session struct {
	srv       *Server
	id        string
	handshake atomic.Pointer[Handshake]
	address   string // whose session it is, see Config.Address

	inbox sync.Mutex // held while the receiver is at Open, Message or Closed
	calls sync.Mutex // held during Drained; guards over
	over  bool       // no more Drained

	mu       sync.Mutex
	receiver Receiver // nil until Open returned
	phase    phase
	reason   Reason // valid once closing
	err      error

	out     queue
	queued  int           // bytes that wait or are being written, as Group.Size
	refused bool          // TrySend said no since the last Drained
	room    chan struct{} // closed when readers may go on; nil if none waits
	done    chan struct{} // see Done; nil until asked for

	wire     *wire // the WebSocket connection; nil while polling
	probe    *wire // the one that may become it
	probed   bool  // probe was answered: held GETs are released
	poll     *poll // the GET that is held, if any
	answers  int   // GETs that are being answered
	posting  bool  // a POST is being served
	handling bool  // the receiver is busy or the reader waits for room
	meter    meter // of what the client sends

	body        *http.ResponseController // of the POST whose body is being read
	established atomic.Bool              // changed under mu
	pending     bool                     // has a place among those that are not established
	owner       string                   // whose bytes are counted; "" is address

	timer    *time.Timer
	due      time.Time // when the timer should fire; before that it has nothing to say
	giveUp   time.Time // when a closing session ends whatever waits
	pingDue  bool      // a ping waits to be written
	awaiting bool      // and its pong is not here yet
	taken    time.Time // when polling last took something, or something first waited
}

// ID is the session's id, 24 characters. Whoever knows it can take the session
// over: it must not be shown to other clients.
func (s *Session) ID() string { return s.id }

// Handshake returns what the first request said; nil after ReleaseHandshake.
func (s *Session) Handshake() *Handshake { return s.handshake.Load() }

// ReleaseHandshake lets go of the first request's headers, which are a good part
// of an idle session's memory.
func (s *Session) ReleaseHandshake() { s.handshake.Store(nil) }

// Transport is Polling or WebSocket, whichever carries data now.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wire != nil {
		return WebSocket
	}
	return Polling
}

// Queued is how many bytes wait for the client or are being written to it, as
// Group.Size counts them.
func (s *Session) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued
}

// Done returns a channel that is closed when the session is, so that a Receiver
// waiting in Message can stop.
func (s *Session) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.phase == phaseClosed {
			close(s.done)
		}
	}
	return s.done
}

// Send queues g for the client. It is for what the client asked for, replies and
// acknowledgements: always accepted while the session is open, but a session
// over Config.MaxQueueBytes closes as slow.
func (s *Session) Send(g *Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase != phaseOpen:
	case s.queued > s.srv.cfg.MaxQueueBytes:
		s.endLocked(ReasonSlow, ErrQueueFull)
	default:
		s.enqueueLocked(g)
	}
}

// TrySend queues g unless Config.QueueBytes already wait or the session closed.
// After false on an open session, Receiver.Drained says when to come again.
func (s *Session) TrySend(g *Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != phaseOpen {
		return false
	}
	if s.queued >= s.srv.cfg.QueueBytes {
		s.refused = true
		return false
	}
	s.enqueueLocked(g)
	return true
}

// SendVolatile queues g only if the client could take it now: less than
// Config.QueueBytes wait and the transport is writable. It reports whether it
// did; nothing tells when to come again.
func (s *Session) SendVolatile(g *Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != phaseOpen || s.queued >= s.srv.cfg.QueueBytes || !s.writableLocked() {
		return false
	}
	s.enqueueLocked(g)
	return true
}

func (s *Session) writableLocked() bool {
	if s.wire != nil {
		return !s.wire.stuck
	}
	return s.poll != nil
}

// Close sends what is queued, within Config.CloseTimeout, and then closes the
// transport, which clients answer by connecting again. The Receiver is told r.
// A polling client hears of the close in an answer of its own, since it would
// drop whatever stands beside it; one that stays away is not waited for.
func (s *Session) Close(r Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != phaseOpen {
		return
	}
	s.phase, s.reason = phaseClosing, r
	s.giveUp = time.Now().Add(s.srv.closeTimeout())
	if s.timer != nil {
		s.awaitFlushLocked()
	}
	s.flushedLocked()
}

// flushedLocked ends a closing session once nothing waits and the transport can
// say so.
func (s *Session) flushedLocked() {
	if s.phase != phaseClosing || !s.out.empty() || s.pingDue {
		return
	}
	if w := s.wire; w != nil && !w.busy || w == nil && s.poll != nil {
		s.endLocked(s.reason, nil)
	}
}

func (s *Session) enqueueLocked(g *Group) {
	if len(g.msgs) == 0 {
		return
	}
	if s.out.empty() && s.wire == nil {
		s.taken = time.Now()
	}
	s.out.push(g)
	s.queued += g.Size()
	s.kickLocked()
}

// kickLocked tells the transport that something waits.
func (s *Session) kickLocked() {
	switch {
	case s.wire != nil:
		s.wire.kickLocked()
	case s.poll != nil:
		s.poll.wake()
	}
}

// settleLocked takes n written bytes off the account and reports whether the
// receiver is owed a Drained.
func (s *Session) settleLocked(n int) (drained bool) {
	s.queued -= n
	if s.queued > s.srv.cfg.QueueBytes/2 {
		return false
	}
	s.openRoomLocked()
	if !s.refused || s.receiver == nil || s.phase != phaseOpen {
		return false
	}
	s.refused = false
	return true
}

func (s *Session) openRoomLocked() {
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// roomLocked returns a channel that is closed when there is room again.
func (s *Session) roomLocked() <-chan struct{} {
	if s.room == nil {
		s.room = make(chan struct{})
	}
	return s.room
}

// drained calls the receiver unless it already heard of the close.
func (s *Session) drained() {
	s.calls.Lock()
	defer s.calls.Unlock()
	if !s.over {
		s.receiver.Drained()
	}
}

// open introduces the session to the handler and starts the heartbeat. inbox is
// held since the session was made.
func (s *Session) open(h Handler) {
	r := h.Open(s)
	s.mu.Lock()
	s.receiver = r
	drained := s.settleLocked(0)
	s.startTimerLocked()
	s.mu.Unlock()
	s.inbox.Unlock()
	if drained {
		s.drained()
	}
}

func (s *Session) startTimerLocked() {
	switch s.phase {
	case phaseOpen:
		s.timer = time.AfterFunc(s.srv.cfg.PingInterval, s.tick)
		s.restLocked()
	case phaseClosing: // Open closed it already
		s.timer = time.AfterFunc(time.Until(s.giveUp), s.tick)
	}
}

// receive handles a packet that came over the session's own transport. It
// returns false when the session listens no more.
func (s *Session) receive(p packet) bool {
	switch p.kind {
	case packetMessage:
		return s.deliver(Message{Data: p.data, Binary: p.binary})
	case packetPong:
		s.pong()
	case packetPing: // only servers ping (section "Heartbeat")
		s.end(ReasonTransportError, ErrHeartbeatDirection)
	case packetClose:
		s.leave()
	}
	return s.listening()
}

func (s *Session) listening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == phaseOpen
}

// deliver hands a message to the receiver, after waiting for room to reply.
func (s *Session) deliver(m Message) bool {
	s.inbox.Lock()
	defer s.inbox.Unlock()
	if !s.beginHandling() {
		return false
	}
	s.srv.stats.messagesIn.Add(1)
	s.receiver.Message(m)
	return s.endHandling()
}

// beginHandling waits until the queue has room for replies. While a message is
// handled or waits, a missing pong is not the client's fault: see tick.
func (s *Session) beginHandling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handling = true
	for s.phase == phaseOpen && s.queued > s.srv.cfg.QueueBytes {
		room := s.roomLocked()
		s.mu.Unlock()
		<-room
		s.mu.Lock()
	}
	return s.phase == phaseOpen
}

func (s *Session) endHandling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handling = false
	return s.phase == phaseOpen
}

// leave ends the session because the client said so; a GET it still holds is
// released by a NOOP instead of a close.
func (s *Session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil && s.wire == nil {
		s.srv.partings.add(s.id)
	}
	s.releaseLocked(packetNoop)
	s.endLocked(ReasonTransportClose, nil)
}

// end closes the session at once; what waits is dropped. Only the first end of a
// session counts.
func (s *Session) end(reason Reason, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(reason, err)
}

func (s *Session) endLocked(reason Reason, err error) {
	if s.phase == phaseClosed {
		return
	}
	if s.phase == phaseOpen { // a closing one keeps the reason it was given
		s.reason, s.err = reason, err
	}
	s.phase = phaseClosed
	if s.timer != nil {
		s.timer.Stop()
	}
	s.out.clear()
	s.pingDue = false
	s.disconnectLocked()
	s.openRoomLocked()
	if s.body != nil { // its reader need not wait for the rest
		_ = s.body.SetReadDeadline(time.Unix(1, 0))
	}
	if s.done != nil {
		close(s.done)
	}
	go s.finish()
}

// disconnectLocked says goodbye on every transport.
func (s *Session) disconnectLocked() {
	s.releaseLocked(packetClose)
	code := s.srv.closeCode()
	if s.wire != nil {
		s.wire.hangUpLocked(code)
	}
	if s.probe != nil {
		s.probe.hangUpLocked(code)
	}
}

// finish tells the receiver, after whatever it is doing.
func (s *Session) finish() {
	s.srv.forget(s)
	s.calls.Lock()
	s.over = true
	s.calls.Unlock()
	s.inbox.Lock()
	s.receiver.Closed(s.reason, s.err)
	s.inbox.Unlock()
	s.srv.running.Done()
}
