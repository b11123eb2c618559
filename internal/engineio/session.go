package engineio

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/timers"
)

// A Reason says why a session closed, mostly in the words of the reference server.
type Reason string

// The reasons that a Receiver gets. Session.Close may be given others.
const (
	ReasonTransportClose Reason = "transport close" // the client or its network closed the connection
	ReasonTransportError Reason = "transport error" // the client violated the transport's rules, a write failed, or a poll was cut
	ReasonPingTimeout    Reason = "ping timeout"    // no pong came in time
	ReasonParse          Reason = "parse error"     // the client sent something that is no packet
	ReasonForced         Reason = "forced close"    // the server closed it
	ReasonSlow           Reason = "slow"            // the client did not read for too long, or too much waits for it
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

// A Handler makes the Receiver of each new session. Open runs before the client is
// answered; it may already send. It is called concurrently for different sessions.
type Handler interface {
	Open(s *Session) Receiver
}

// A Receiver is told what happens to one session. Message and Closed are called one at a
// time, Drained concurrently with Message.
type Receiver interface {
	// Message gets the client's messages in order of arrival. While it blocks, the
	// session is not read; once Session.Done is closed it should return.
	Message(m Message)

	// Drained means that there is room again after TrySend returned false: it is called
	// once for each time the queue was full, and not after Closed. It must not block;
	// it may send.
	Drained()

	// Closed is the last call and comes exactly once. err may be nil.
	Closed(reason Reason, err error)
}

type phase uint8

const (
	phaseOpen    phase = iota
	phaseClosing       // Close was called: what is queued is sent, and nothing is received
	phaseClosed
)

// A Session is one client's connection, whatever transports carry it. Its methods are
// safe for concurrent use, and may be called from the Receiver's methods.
type Session struct {
	srv       *Server
	id        string
	handshake atomic.Pointer[Handshake]
	address   string // of the client, see Config.Address

	inbox sync.Mutex // held during Open, Message and Closed
	calls sync.Mutex // held during Drained; guards over
	over  bool       // Drained is not called any more

	mu       sync.Mutex
	receiver Receiver // nil until Open has returned
	reason   Reason   // valid once closing
	err      error
	phase    phase

	owesDrained bool // TrySend returned false since the last Drained

	out    queue
	queued int           // bytes that wait or are being written, as Group.Size counts them
	excess reservation   // of Config.MaxExcess, for what Send queued beyond Config.QueueBytes
	room   chan struct{} // closed when readers may continue; nil if none waits
	done   chan struct{} // see Done; nil until asked for

	conn       *wsConn // the WebSocket connection; nil while polling
	probe      *wsConn // the one that may become it
	poll       *poll   // the GET that is held, if any
	answers    int     // GETs that are being answered
	probed     bool    // probe was answered: GETs are not held any more
	posting    bool    // a POST is being served
	handling   bool    // Message runs, or the reader waits for room
	pongHeldUp bool    // the pong was due while handling
	meter      meter   // of what the client sends

	body        *http.ResponseController // of the POST whose body is being read
	established atomic.Bool              // changed under mu
	pending     bool                     // counts towards Config.MaxPending
	owner       string                   // for whom bytes are counted; "": address

	pingDue      bool // a ping waits to be written
	awaitingPong bool
	timer        timers.Timer[*Session]

	// Moments, as Server.now has them.
	timerDue      time.Duration // when the timer should ring; if it does so earlier, it is set again
	closeDeadline time.Duration // when a closing session ends whatever waits
	pinged        time.Duration // when the last ping was sent
	lastFetch     time.Duration // when polling last took something, or something first waited for it
}

// Handshake returns what the first request said; nil after ReleaseHandshake.
func (s *Session) Handshake() *Handshake { return s.handshake.Load() }

// ReleaseHandshake drops the first request's headers, which are a good part of the memory
// of an idle session.
func (s *Session) ReleaseHandshake() { s.handshake.Store(nil) }

// Transport returns Polling or WebSocket, whichever carries data now.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return WebSocket
	}
	return Polling
}

// PublicID returns a name of the session that may be shown to others: 12 characters, from
// which its secret id cannot be found out.
func (s *Session) PublicID() string {
	sum := sha256.Sum256([]byte(s.id))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Done returns a channel that is closed when the session is, so that a Receiver waiting
// in Message can stop.
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

// Send queues g for the client. It is for answers to what the client sent, such as
// acknowledgements: always accepted while the session is open, but a session over
// Config.MaxQueueBytes, or over its owner's share of Config.MaxExcess, closes as slow.
func (s *Session) Send(g *Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase != phaseOpen:
	case s.queued > s.srv.cfg.MaxQueueBytes:
		s.endLocked(ReasonSlow, ErrQueueFull)
	case !s.reserveExcessLocked(g.Size()):
		s.endLocked(ReasonSlow, ErrQueueFull)
	default:
		s.enqueueLocked(g)
	}
}

// reserveExcessLocked takes what the queue will hold beyond Config.QueueBytes with n bytes
// more. It reports false if there are not as many left for the session's owner.
func (s *Session) reserveExcessLocked(n int) bool {
	more := int64(s.queued+n-s.srv.cfg.QueueBytes) - s.excess.bytes
	if more <= 0 {
		return true
	}
	if s.excess.bytes == 0 {
		s.excess.key = s.ownerKeyLocked()
	}
	if !s.srv.excessQuota.take(s.excess.key, more) {
		return false
	}
	s.excess.bytes += more
	return true
}

// releaseExcessLocked gives back what the queue does not hold any more.
func (s *Session) releaseExcessLocked() {
	if less := s.excess.bytes - max(0, int64(s.queued-s.srv.cfg.QueueBytes)); less > 0 {
		s.srv.excessQuota.give(s.excess.key, less)
		s.excess.bytes -= less
	}
}

// TrySend queues g and returns true, unless Config.QueueBytes already wait or the session
// has closed. After false on an open session, Receiver.Drained says when to try again.
func (s *Session) TrySend(g *Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != phaseOpen {
		return false
	}
	if s.queued >= s.srv.cfg.QueueBytes {
		s.owesDrained = true
		return false
	}
	s.enqueueLocked(g)
	return true
}

// Close sends what is queued, within Config.CloseTimeout, and then closes the transport,
// upon which clients connect again. The Receiver gets r. A polling client gets the close
// in an answer of its own, since it would drop whatever is in the same answer; one that
// does not poll is not waited for.
func (s *Session) Close(r Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != phaseOpen {
		return
	}
	s.phase, s.reason = phaseClosing, r
	s.closeDeadline = s.srv.now() + s.srv.closeTimeout()
	if s.receiver != nil {
		s.awaitFlushLocked()
	}
	s.endIfFlushedLocked()
}

// endIfFlushedLocked ends a closing session once nothing waits and the transport can send
// the close.
func (s *Session) endIfFlushedLocked() {
	if s.phase != phaseClosing || !s.out.empty() || s.pingDue {
		return
	}
	if c := s.conn; c != nil && !c.busy || c == nil && s.poll != nil {
		s.endLocked(s.reason, nil)
	}
}

func (s *Session) enqueueLocked(g *Group) {
	if len(g.msgs) == 0 {
		return
	}
	if s.out.empty() && s.conn == nil {
		s.lastFetch = s.srv.now()
	}
	s.out.push(g)
	s.queued += g.Size()
	s.wakeTransportLocked()
}

// wakeTransportLocked tells the transport that something waits.
func (s *Session) wakeTransportLocked() {
	switch {
	case s.conn != nil:
		s.conn.wakeWriterLocked()
	case s.poll != nil:
		s.poll.wake()
	}
}

// accountWrittenLocked subtracts n written bytes from queued and reports whether Drained
// is to be called.
func (s *Session) accountWrittenLocked(n int) (drained bool) {
	s.queued -= n
	s.releaseExcessLocked()
	if s.queued > s.srv.cfg.QueueBytes/2 {
		return false
	}
	s.openRoomLocked()
	if !s.owesDrained || s.receiver == nil || s.phase != phaseOpen {
		return false
	}
	s.owesDrained = false
	return true
}

// openRoomLocked lets those go on who wait for room.
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

// drained calls Receiver.Drained unless Closed was called.
func (s *Session) drained() {
	s.calls.Lock()
	defer s.calls.Unlock()
	if !s.over {
		s.receiver.Drained()
	}
}

// open gets the receiver from the handler and starts the heartbeat. The caller has locked
// inbox since it made the session.
func (s *Session) open(h Handler) {
	r := h.Open(s)
	s.mu.Lock()
	s.receiver = r
	drained := s.accountWrittenLocked(0)
	s.beginHeartbeatLocked()
	s.mu.Unlock()
	s.inbox.Unlock()
	if drained {
		s.drained()
	}
}

func (s *Session) beginHeartbeatLocked() {
	switch s.phase {
	case phaseOpen:
		s.schedulePingLocked()
	case phaseClosing: // Open closed it already
		s.setTimerLocked(s.closeDeadline - s.srv.now())
	}
}

// receive handles a packet that arrived over the session's own transport. It returns false
// when the session receives nothing more.
func (s *Session) receive(p packet) bool {
	switch p.kind {
	case packetMessage:
		return s.deliver(Message{Data: p.data, Binary: p.binary})
	case packetPong:
		s.pong()
	case packetPing: // only servers send pings (section "Heartbeat")
		s.end(ReasonTransportError, ErrHeartbeatDirection)
	case packetClose:
		s.closedByClient()
	}
	return s.isOpen()
}

func (s *Session) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == phaseOpen
}

// deliver hands a message to the receiver once there is room for its replies.
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

// beginHandling waits until the queue has room for replies. While a message is handled or
// waits, a missing pong is not the client's fault: see onTimer.
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
	s.readPongLocked()
	return s.phase == phaseOpen
}

// closedByClient ends the session because the client sent a close packet; a GET that is
// held is answered with a NOOP instead of a close.
func (s *Session) closedByClient() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil && s.conn == nil {
		s.srv.recentlyClosed.add(s.id)
	}
	s.answerPollLocked(packetNoop)
	s.endLocked(ReasonTransportClose, nil)
}

// end closes the session at once; what is queued is dropped. Only the first end of a
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
	s.srv.timers.Stop(&s.timer)
	s.out.clear()
	s.queued = min(s.queued, s.srv.cfg.QueueBytes) // the rest is dropped
	s.releaseExcessLocked()
	s.pingDue = false
	s.closeTransportsLocked()
	s.openRoomLocked()
	if s.body != nil { // its reader need not wait for the rest
		_ = s.body.SetReadDeadline(time.Unix(1, 0))
	}
	if s.done != nil {
		close(s.done)
	}
	go s.finish()
}

// closeTransportsLocked sends a close on every transport.
func (s *Session) closeTransportsLocked() {
	s.answerPollLocked(packetClose)
	code := s.srv.closeCode()
	if s.conn != nil {
		s.conn.sendCloseLocked(code)
	}
	if s.probe != nil {
		s.probe.sendCloseLocked(code)
	}
}

// finish calls Receiver.Closed once the calls in progress have returned.
func (s *Session) finish() {
	s.srv.removeSession(s)
	s.reportLimit()
	s.calls.Lock()
	s.over = true
	s.calls.Unlock()
	s.inbox.Lock()
	s.receiver.Closed(s.reason, s.err)
	s.inbox.Unlock()
	s.srv.running.Done()
}
