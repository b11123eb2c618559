package engineio

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/timers"
)

// A Server is an http.Handler that serves Engine.IO at whatever path it is mounted. Its
// methods are safe for concurrent use.
type Server struct {
	cfg       Config
	handler   Handler
	writePool writePool
	stats     counters

	timers         timers.Queue[*Session] // rings Session.onTimer
	began          time.Time
	recentlyClosed recentlyClosed
	dominated      sync.Once // calls Config.Dominated

	sessionQuota quota // Config.MaxSessions, by address
	pendingQuota quota // Config.MaxPending, by address
	byteQuota    quota // Config.MaxUnfinished, by address or owner
	excessQuota  quota // Config.MaxExcess, likewise

	mu       sync.RWMutex
	sessions map[string]*Session
	conns    map[*wsConn]struct{} // every WebSocket connection, also of ended sessions
	stopping atomic.Bool          // new sessions are refused; set under mu

	// running counts sessions and goroutines, and the server itself until it stops.
	// Whoever adds to it is counted already, or knows that the server runs.
	running sync.WaitGroup
}

// New returns a server that calls h for each new session.
func New(cfg Config, h Handler) *Server {
	s := &Server{
		cfg: cfg.withDefaults(), handler: h,
		sessions: make(map[string]*Session), conns: make(map[*wsConn]struct{}), began: time.Now(),
	}
	s.sessionQuota = newQuota(int64(s.cfg.MaxSessions))
	s.pendingQuota = newQuota(int64(s.cfg.MaxPending))
	s.byteQuota, s.excessQuota = newQuota(s.cfg.MaxUnfinished), newQuota(s.cfg.MaxExcess)
	s.timers.Ring, s.timers.Slack = (*Session).onTimer, s.cfg.PingInterval/pingsTogether
	s.writePool.init()
	s.running.Add(1)
	return s
}

// now returns the time since the server was made.
func (s *Server) now() time.Duration { return time.Since(s.began) }

// ServeHTTP answers every request, whatever its path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	webSocket := isWebSocketHandshake(r)
	if !webSocket && r.Method != http.MethodPost {
		leaveBody(w, r)
	}
	if s.cfg.CORS.Apply(w, r) {
		return
	}
	if refused := checkSize(r); refused != nil {
		s.refuse(w, r, refused, webSocket)
		return
	}
	query := lastValues(r.URL)
	session, refused := s.verify(r, query, webSocket)
	switch {
	case refused == refuseRecentlyClosed:
		s.answerRecentlyClosed(w, r)
	case refused != nil:
		s.refuse(w, r, refused, webSocket)
	case webSocket && session != nil:
		s.serveUpgrade(w, r, session)
	case webSocket:
		s.openWebSocket(w, r, query)
	case session != nil:
		session.servePolling(w, r)
	default:
		s.openPolling(w, r, query)
	}
}

// verify returns the session that a request belongs to, nil for a handshake. It checks in
// the order of the reference: transport, session, method, permission, version.
func (s *Server) verify(r *http.Request, query map[string][]string, webSocket bool) (*Session, *refusal) {
	transport := value(query, "transport")
	if !slices.Contains(s.cfg.Transports, transport) {
		return nil, refuse(UnknownTransport, "transport "+transport)
	}
	if sid := value(query, "sid"); sid != "" {
		return s.verifySession(r, sid, transport, webSocket)
	}
	return nil, s.verifyHandshake(r, query, transport, webSocket)
}

func (s *Server) verifySession(r *http.Request, sid, transport string, webSocket bool) (*Session, *refusal) {
	session := s.session(sid)
	switch {
	case session == nil && r.Method == http.MethodGet && s.recentlyClosed.take(sid):
		return nil, refuseRecentlyClosed
	case session == nil:
		return nil, refuse(UnknownSession, "unknown sid")
	case webSocket != (transport == WebSocket), !webSocket && session.Transport() != Polling:
		return nil, refuse(BadRequest, "transport mismatch")
	}
	return session, nil
}

func (s *Server) verifyHandshake(r *http.Request, query map[string][]string, transport string, webSocket bool) *refusal {
	switch {
	case r.Method != http.MethodGet:
		return refuse(BadHandshakeMethod, "method "+r.Method)
	case webSocket != (transport == WebSocket):
		return refuse(BadRequest, "transport handshake error")
	}
	if s.cfg.AllowRequest != nil {
		if err := s.cfg.AllowRequest(r); err != nil {
			return forbid(err)
		}
	}
	if value(query, "EIO") != "4" {
		return refuse(UnsupportedVersion, "EIO "+value(query, "EIO"))
	}
	return nil
}

// value returns the last value of a parameter, "" if it is absent.
func value(query map[string][]string, name string) string {
	if v := query[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// isWebSocketHandshake reports whether r asks for the WebSocket protocol.
func isWebSocketHandshake(r *http.Request) bool {
	return headerHas(r.Header["Connection"], "upgrade") && headerHas(r.Header["Upgrade"], WebSocket)
}

// headerHas reports whether a comma-separated header has a token.
func headerHas(values []string, token string) bool {
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refused *refusal, webSocket bool) {
	s.stats.refused.Add(1)
	if s.cfg.Refused != nil {
		s.cfg.Refused(Refusal{Limit: refused.limit, Code: refused.code, Reason: refused.why, Request: r})
	}
	leaveBody(w, r)
	refused.answer(w, webSocket)
}

// Unavailable answers a request with 503, in the form of the server's own refusals and with
// its CORS headers. It is for whoever stands before the server and cannot pass a request on.
func (s *Server) Unavailable(w http.ResponseWriter, r *http.Request, why string, retryAfter time.Duration) {
	if !s.cfg.CORS.Apply(w, r) {
		s.refuse(w, r, unavailable(LimitNone, why, retryAfter), isWebSocketHandshake(r))
	}
}

// MaxPayload returns Config.MaxPayload.
func (s *Server) MaxPayload() int64 { return s.cfg.MaxPayload }

// upgradable reports whether polling sessions may be upgraded to WebSocket.
func (s *Server) upgradable() bool {
	return !s.cfg.NoUpgrades && slices.Contains(s.cfg.Transports, WebSocket)
}

// headers lets the functions of the Config add headers to the answer to r.
func (s *Server) headers(h http.Header, r *http.Request, initial bool) {
	if initial && s.cfg.InitialHeaders != nil {
		s.cfg.InitialHeaders(h, r)
	}
	if s.cfg.Headers != nil {
		s.cfg.Headers(h, r)
	}
}

// session returns an open or closing session, or nil.
func (s *Server) session(sid string) *Session {
	s.mu.RLock()
	session := s.sessions[sid]
	s.mu.RUnlock()
	if session == nil || session.ended() {
		return nil
	}
	return session
}

func (s *Session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == phaseClosed
}

// admit counts a new session of r's address. startSession or cancelAdmission must
// follow.
func (s *Server) admit(r *http.Request) (address string, refused *refusal) {
	if !s.addRunning() {
		return "", unavailable(LimitNone, "Server is shutting down", time.Second)
	}
	address = s.cfg.Address(r)
	refused = s.postponed(r)
	if refused == nil {
		refused = s.takeQuotas(address)
	}
	if refused != nil {
		s.running.Done()
		return "", refused
	}
	if held, all, dominated := s.sessionQuota.dominated(address); dominated && s.cfg.Dominated != nil {
		s.dominated.Do(func() { s.cfg.Dominated(address, held, all) })
	}
	return address, nil
}

// postponed asks Config.Postpone.
func (s *Server) postponed(r *http.Request) *refusal {
	if s.cfg.Postpone != nil {
		if wait := s.cfg.Postpone(r); wait > 0 {
			return unavailable(LimitPostponed, "No new sessions for now", wait)
		}
	}
	return nil
}

// takeQuotas takes what a new session needs, which is not established yet.
func (s *Server) takeQuotas(address string) *refusal {
	if !s.sessionQuota.take(address, 1) {
		return unavailable(LimitSessions, "Too many sessions, of this address or in all", fullRetry)
	}
	if !s.pendingQuota.take(address, 1) {
		s.sessionQuota.give(address, 1)
		return unavailable(LimitPending, "Too many sessions that have not joined, of this address or in all", fullRetry)
	}
	return nil
}

// cancelAdmission is the reverse of admit.
func (s *Server) cancelAdmission(address string) {
	s.sessionQuota.give(address, 1)
	s.pendingQuota.give(address, 1)
	s.running.Done()
}

// startSession starts a session that was admitted, over WebSocket if c is not nil.
func (s *Server) startSession(r *http.Request, query map[string][]string, c *wsConn, address string) *Session {
	session := &Session{srv: s, id: newSessionID(s.cfg.IDPrefix), conn: c, address: address, pending: true}
	session.handshake.Store(s.newHandshake(r, query))
	session.inbox.Lock() // open unlocks it: the session may end before it has a receiver
	if c != nil {
		c.sendOpen(session, s.openPacket(session.id, WebSocket))
	}
	s.mu.Lock()
	s.sessions[session.id] = session
	stopping := s.stopping.Load()
	s.mu.Unlock()
	s.stats.open(c != nil)
	session.open(s.handler)
	s.dropEnded(session)
	if stopping { // it was admitted just before
		session.Close(ReasonForced)
	}
	return session
}

// dropEnded removes a session that ended before it was added.
func (s *Server) dropEnded(session *Session) {
	session.mu.Lock()
	ended := session.phase == phaseClosed
	session.mu.Unlock()
	if ended {
		s.mu.Lock()
		delete(s.sessions, session.id)
		s.mu.Unlock()
	}
}

// removeSession removes a session that has ended.
func (s *Server) removeSession(session *Session) {
	session.mu.Lock()
	webSocket, reason := session.conn != nil, session.reason
	session.leavePendingLocked()
	session.mu.Unlock()
	s.sessionQuota.give(session.address, 1)
	s.stats.close(webSocket, reason)
	s.mu.Lock()
	delete(s.sessions, session.id)
	s.mu.Unlock()
}

// addRunning counts a goroutine that belongs to no counted session. It reports false if
// the server has stopped.
func (s *Server) addRunning() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.running.Add(1)
	return true
}

// Len returns the number of sessions, including those that are closing.
func (s *Server) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.sessions)
}

// closeCode returns the status code of a close frame that is sent now.
func (s *Server) closeCode() uint16 {
	if s.stopping.Load() {
		return closeGoingAway
	}
	return closeNormal
}
