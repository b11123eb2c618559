package engineio

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Server is an http.Handler that speaks Engine.IO at whatever path it is
// mounted. All methods may be called concurrently.
type Server struct {
	cfg     Config
	handler Handler
	pump    pump
	stats   counters

	began    time.Time
	partings partings
	crowded  sync.Once // calls Config.Crowded

	// By address. Places are open sessions, pending those of them that are not
	// established. Bytes, by owner too, are those of Config.MaxUnfinished.
	places, pending, bytes quota

	mu       sync.RWMutex
	sessions map[string]*Session
	wires    map[*wire]struct{} // every WebSocket connection, also of ended sessions
	stopping atomic.Bool        // newcomers are refused; set under mu

	// running counts sessions and goroutines, and the server itself until it
	// stops. Whoever adds to it is counted or knows the server runs.
	running sync.WaitGroup
}

// New returns a server whose sessions h opens.
func New(cfg Config, h Handler) *Server {
	s := &Server{
		cfg: cfg.withDefaults(), handler: h,
		sessions: make(map[string]*Session), wires: make(map[*wire]struct{}), began: time.Now(),
	}
	s.places, s.pending, s.bytes = newQuota(int64(s.cfg.MaxSessions)), newQuota(int64(s.cfg.MaxPending)), newQuota(s.cfg.MaxUnfinished)
	s.pump.init()
	s.running.Add(1)
	return s
}

// ServeHTTP answers any request, whatever its path: the mount decides.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	webSocket := isWebSocketHandshake(r)
	if !webSocket && r.Method != http.MethodPost {
		leaveBody(w, r)
	}
	if s.cfg.CORS.Apply(w, r) {
		return
	}
	if no := checkSize(r); no != nil {
		s.refuse(w, r, no, webSocket)
		return
	}
	query := lastValues(r.URL)
	session, no := s.verify(r, query, webSocket)
	switch {
	case no == errParted:
		s.releaseParted(w, r)
	case no != nil:
		s.refuse(w, r, no, webSocket)
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

// verify finds the session a request belongs to, nil for a handshake. The checks
// come in the reference's order: transport, session, method, permission, version.
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
	case session == nil && r.Method == http.MethodGet && s.partings.take(sid):
		return nil, errParted
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

// value is the parameter's last value, "" if absent.
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

// headerHas looks for a token in a comma-separated header.
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

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, no *refusal, webSocket bool) {
	s.stats.refused.Add(1)
	if s.cfg.Refused != nil {
		s.cfg.Refused(r, no.code, no.why)
	}
	leaveBody(w, r)
	no.answer(w, webSocket)
}

// upgradable reports whether polling sessions may become WebSocket ones.
func (s *Server) upgradable() bool {
	return !s.cfg.NoUpgrades && slices.Contains(s.cfg.Transports, WebSocket)
}

// headers lets the hooks add to the answer to r.
func (s *Server) headers(h http.Header, r *http.Request, initial bool) {
	if initial && s.cfg.InitialHeaders != nil {
		s.cfg.InitialHeaders(h, r)
	}
	if s.cfg.Headers != nil {
		s.cfg.Headers(h, r)
	}
}

// session finds an open or closing session.
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

// admit reserves a place for a session of r's address, to be filled by start or
// given back by dismiss.
func (s *Server) admit(r *http.Request) (address string, no *refusal) {
	if !s.enter() {
		return "", unavailable("Server is shutting down")
	}
	address = s.cfg.Address(r)
	if no := s.place(address); no != nil {
		s.running.Done()
		return "", no
	}
	if held, all, crowded := s.places.crowded(address); crowded && s.cfg.Crowded != nil {
		s.crowded.Do(func() { s.cfg.Crowded(address, held, all) })
	}
	return address, nil
}

// place takes what a session needs: a place, and one of those that are not
// established.
func (s *Server) place(address string) *refusal {
	if !s.places.take(address, 1) {
		return unavailable("Too many sessions, of this address or in all")
	}
	if !s.pending.take(address, 1) {
		s.places.give(address, 1)
		return unavailable("Too many sessions that have not joined, of this address or in all")
	}
	return nil
}

func (s *Server) dismiss(address string) {
	s.places.give(address, 1)
	s.pending.give(address, 1)
	s.running.Done()
}

// start fills an admitted place with a session, over w if that is not nil.
func (s *Server) start(r *http.Request, query map[string][]string, w *wire, address string) *Session {
	session := &Session{srv: s, id: newSessionID(), wire: w, address: address, pending: true}
	session.handshake.Store(s.newHandshake(r, query))
	session.inbox.Lock() // open unlocks it: the client may go before it has a receiver
	if w != nil {
		w.greet(session, s.openPacket(session.id, WebSocket))
	}
	s.mu.Lock()
	s.sessions[session.id] = session
	stopping := s.stopping.Load()
	s.mu.Unlock()
	s.stats.open(w != nil)
	session.open(s.handler)
	s.dropEnded(session)
	if stopping { // it was admitted just before
		session.Close(ReasonForced)
	}
	return session
}

// dropEnded takes a session off the list that ended before it was on it.
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

// forget takes a session that ended off the list.
func (s *Server) forget(session *Session) {
	session.mu.Lock()
	webSocket, reason := session.wire != nil, session.reason
	session.leavePendingLocked()
	session.mu.Unlock()
	s.places.give(session.address, 1)
	s.stats.close(webSocket, reason)
	s.mu.Lock()
	delete(s.sessions, session.id)
	s.mu.Unlock()
}

// enter counts a goroutine in that no session vouches for, unless the server
// stopped.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.running.Add(1)
	return true
}

// Len is the number of sessions, those that are closing included.
func (s *Server) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.sessions)
}

// closeCode is the status of a close frame sent now.
func (s *Server) closeCode() uint16 {
	if s.stopping.Load() {
		return closeGoingAway
	}
	return closeNormal
}
