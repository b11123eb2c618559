package sockets

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/changes"
	"expenseflow/internal/socketio"
	"expenseflow/internal/timers"
	"expenseflow/internal/trace"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A sessionOwner is called when something happens to a session that concerns several
// components; the Hub is one. Its methods are called without a lock of the session.
type sessionOwner interface {
	// resync sends the session all states: one was dropped, and there is room now.
	resync(*session)
	// release removes a session that is over from all components. It may be called
	// more than once.
	release(*session)
}

// sessionDeps are what all sessions have in common.
type sessionDeps struct {
	owner       sessionOwner
	feed        feed
	suppressOwn bool                // Options.SuppressSelf
	maxAge      time.Duration       // Options.MaxAge
	delivery    func(time.Duration) // Measures.Delivery
	counts      *counters
	timers      timers.Queue[*session] // rings deadlineReached
}

// A session is one socket of a signed-in user: whose it is, where it is in the user's
// change log, and its lifecycle. Its methods may be called concurrently unless they
// say otherwise.
type session struct {
	*sessionDeps
	socket *socketio.Socket

	userName string // guarded by rooms.mu

	// The user and the device. They do not change.
	userID     string
	browser    string // identifies the browser by its cookie (auth.BrowserID); "" if it has none
	client     wire.ClientInfo
	trace      *trace.Context // the client's trace, by traceparent; nil if it named none
	device     string         // deviceOf
	clientName string         // browser and system (auth.ClientName); "" if not recognised

	returning bool // its client asked to continue where an earlier connection broke off

	// token is replaced under mu and sessionRegistry.mu together.
	token atomic.Pointer[sessionToken]

	// logStart is the change before the oldest of the user's log when the first token was
	// checked; position is where the session begins in the log. They do not change after
	// the Recoverer's Admit.
	logStart int64
	position StreamPosition

	life lifecycle
	pid  atomic.Pointer[string] // the private session id; nil before Recoverer.Admit

	// liveSince is when the session began, or last had room after its queue was full: Unix
	// time in milliseconds.
	liveSince   atomic.Int64
	nextVariant int           // of the change that is delivered next; used by deliver alone
	initial     *initialState // when the token was checked; nil after the session was greeted
	meter       *rateMeter    // of the events that the client sends, which are handled one at a time; nil before the first
	typingSent  int64         // when typing was last passed on, Unix time in milliseconds; as meter

	// What components keep for the session, each under its own lock.
	watcher   *watcher                // watchers.mu
	dashboard *dashboardSubscription  // dashboards.mu
	presentAs *device                 // presence.mu
	rooms     map[string]*participant // by expense; rooms.mu

	mu        sync.Mutex
	log       *changes.Subscription[EncodedChange] // nil before follow
	deadlines deadlines
}

// sessionOf returns the session of a socket that was admitted.
func sessionOf(socket *socketio.Socket) *session { return socket.Data().(*session) }

// traced returns ctx with the trace that the client named when it connected.
func (s *session) traced(ctx context.Context) context.Context {
	if s.trace == nil {
		return ctx
	}
	return trace.With(ctx, *s.trace)
}

// attach stores the session with its socket, and ends it if the socket never connects:
// connecting is the middleware's context, which ends either way.
func (s *session) attach(connecting context.Context) {
	s.socket.SetData(s)
	context.AfterFunc(connecting, func() {
		if !s.socket.Connected() {
			s.end()
		}
	})
}

// follow subscribes to the user's log, unless the session does so already or is over.
// The answer to CONNECT was queued before, so that changes come after it. A change that
// was stored after the token was checked is delivered: the client cannot have seen it.
func (s *session) follow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.life.move(admitted, following) {
		return
	}
	s.nextVariant = s.position.NextVariant
	s.liveSince.Store(time.Now().UnixMilli())
	s.log = s.feed.Subscribe(s.userID, s.position.Seq, s.token.Load().checkedAt, s.deliver, s.logLost)
	s.startDeadlines()
}

// logLost closes the transport of a session whose next change was pruned, or whose
// user was deleted. The client reconnects by itself, and then begins at the end of the
// log, or learns that its token is invalid.
func (s *session) logLost() { s.socket.CloseTransport() }

// resume is called when the queue of the socket has room again. The subscription
// remembers a Resume that comes before deliver has returned.
func (s *session) resume() {
	s.liveSince.Store(time.Now().UnixMilli())
	s.mu.Lock()
	if s.log != nil {
		s.log.Resume()
	}
	s.mu.Unlock()
	if s.life.move(lagging, current) {
		s.owner.resync(s)
	}
}

// sendState sends a state, such as a balance. It is dropped if the queue is full; the
// session is lagging then, and gets all states as they are when there is room again.
// Before the session was greeted nothing needs to be remembered: the greeting sends
// all states.
func (s *session) sendState(p *socketio.Packet) {
	if s.socket.TrySend(p) {
		return
	}
	s.life.move(current, lagging)
	s.socket.TrySend(p) // there may have been room meanwhile; if not, resume follows and sees lagging
}

// sendEphemeral sends what is useless later: it is dropped if the queue is full.
func (s *session) sendEphemeral(p *socketio.Packet) { _ = s.socket.TrySend(p) }

// end releases everything that the session holds. It may be called more than once.
func (s *session) end() {
	s.life.finish(ended)
	s.mu.Lock()
	if s.log != nil {
		s.log.Close()
	}
	s.timers.Stop(&s.deadlines.timer)
	s.mu.Unlock()
	s.owner.release(s)
}

// author returns who gave a command: the device that it names, or else the one that
// the client named when it connected.
func (s *session) author(m wire.Meta) models.Author {
	token := s.token.Load()
	by := models.Author{DeviceID: m.DeviceID, TokenID: token.id, TokenIssued: token.signedIn, Browser: s.browser}
	if by.DeviceID == "" {
		by.DeviceID = s.client.DeviceID
	}
	return by
}
