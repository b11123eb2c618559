package socketio

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"expenseflow/internal/engineio"
)

// A Server serves Socket.IO clients over HTTP. Its methods are safe for concurrent use.
type Server struct {
	cfg    Config
	limits limits
	log    *slog.Logger
	engine *engineio.Server

	mu         sync.RWMutex
	namespaces map[string]*Namespace

	observer atomic.Pointer[Observer] // of Observe; nil if there is none

	ackID    atomic.Int64
	errors   atomic.Int64 // those of Other
	stopping atomic.Bool
	clients  sync.WaitGroup
	workers  *workers
}

// New makes a server. It has the namespace "/" only, which everybody may join until
// middleware is added.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:        cfg,
		limits:     cfg.limits(),
		log:        cfg.Logger,
		namespaces: map[string]*Namespace{},
		workers:    newWorkers(),
	}
	s.namespaces["/"] = newNamespace(s, "/")
	s.ackID.Store(rand.Int64N(maxAckID))
	s.engine = engineio.New(cfg.Engine, sessionHandler{s})
	return s
}

// A sessionHandler makes a client of each Engine.IO session.
type sessionHandler struct{ server *Server }

// Open implements engineio.Handler.
func (h sessionHandler) Open(sess *engineio.Session) engineio.Receiver {
	return h.server.open(sess)
}

func (s *Server) open(sess session) *client {
	s.clients.Add(1)
	return newClient(s, sess)
}

// Engine returns the Engine.IO server, for its statistics.
func (s *Server) Engine() *engineio.Server { return s.engine }

// Of returns the namespace of a name and makes it if there is none. "chat" and "/chat"
// are the same. Clients can join only namespaces that Of has made.
func (s *Server) Of(name string) *Namespace {
	name = cleanName(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.namespaces[name]
	if n == nil {
		n = newNamespace(s, name)
		s.namespaces[name] = n
	}
	return n
}

// namespace returns a namespace that Of has made, or nil.
func (s *Server) namespace(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name]
}

// ServeHTTP serves everything under Config.Path, and answers 404 outside it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	name, ok := strings.CutPrefix(r.URL.Path, s.cfg.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if b := bundles[name]; b != nil && s.cfg.ServeClient {
		s.serveBundle(w, r, b)
		return
	}
	s.engine.ServeHTTP(w, r)
}

// Shutdown refuses new connections, closes every transport so that clients connect
// again elsewhere, and waits until the listeners of all sockets have run. It sends no
// Socket.IO disconnect, after which clients would stay away. When it returns nil, every
// goroutine that the server started has ended; otherwise the error is the context's and
// they end later. The server cannot be used again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping.Store(true)
	err := s.engine.Shutdown(ctx)
	done := make(chan struct{})
	go func() {
		s.clients.Wait()
		s.workers.end()
		close(done)
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return errors.Join(err, context.Cause(ctx))
	}
}
