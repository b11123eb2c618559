package socketio

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/engineio"
)

// Config says how a Server behaves. Its zero value is what the Node.js server does
// by default, with bounds where that has none. New reads it once.
type Config struct {
	Path   string          // where the server is mounted; default "/socket.io/"
	Engine engineio.Config // the connections below

	// ServeClient serves the browser client, npm's socket.io-client 4.8.4, under
	// Path: socket.io.js, .min.js, .msgpack.min.js, .esm.min.js and their maps.
	ServeClient bool

	// ConnectTimeout is how long a connection may be without a socket before it is
	// closed: after it was opened, and after the last socket was disconnected.
	// Default 45 s.
	ConnectTimeout time.Duration

	MaxAttachments    int // of a client's packet; default 10, below zero none
	MaxPacketBytes    int // of a client's packet with its attachments; default four times Engine.MaxPayload
	MaxDepth          int // containers inside each other in a client's packet; default 128
	MaxNamespaceBytes int // of a namespace's name in a client's packet; default 256
	MaxNamespaces     int // of one connection; default 32
	MaxRooms          int // of one socket, beside its own; default 1000
	MaxPendingAcks    int // answers of one socket that the server waits for; default 1000

	// PacketTimeout is how long the attachments of a packet may take after it; the
	// connection closes then. Default 10 s.
	PacketTimeout time.Duration

	// MaxInbox is how many events of one connection may wait for their handlers,
	// with at most Engine.MaxPayload bytes, before the connection is not read until
	// one is done. Joining and leaving a namespace count too. Default 64.
	MaxInbox int

	// HandlerGrace is how long handlers may go on with events of a client that has
	// gone, before their context ends. Default 5 s.
	HandlerGrace time.Duration

	// ReleaseHandshake lets go of a connection's headers, query and auth when the
	// OnConnect listeners of a socket have returned. They are a good part of what
	// an idle connection costs. Middleware of a second namespace sees no headers
	// then.
	ReleaseHandshake bool

	// Recovery lets clients come back to where they were; nil: each connection is
	// new.
	Recovery Recovery

	// Logger hears of clients' trouble at Debug level, and of panics and failed
	// middleware at Error. Default slog.Default.
	Logger *slog.Logger
}

// withDefaults fills what c leaves zero.
func (c Config) withDefaults() Config {
	c.Path = "/" + strings.Trim(cmp.Or(c.Path, "socket.io"), "/") + "/"
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 45*time.Second)
	c.MaxAttachments = max(0, cmp.Or(c.MaxAttachments, 10))
	c.MaxPacketBytes = cmp.Or(c.MaxPacketBytes, 4*c.maxInboxBytes())
	c.PacketTimeout = cmp.Or(c.PacketTimeout, 10*time.Second)
	c.MaxDepth = cmp.Or(c.MaxDepth, 128)
	c.MaxNamespaceBytes = cmp.Or(c.MaxNamespaceBytes, 256)
	c.MaxNamespaces = cmp.Or(c.MaxNamespaces, 32)
	c.MaxRooms = cmp.Or(c.MaxRooms, 1000)
	c.MaxPendingAcks = cmp.Or(c.MaxPendingAcks, 1000)
	c.MaxInbox = cmp.Or(c.MaxInbox, 64)
	c.HandlerGrace = cmp.Or(c.HandlerGrace, 5*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Engine.Logger = cmp.Or(c.Engine.Logger, c.Logger)
	return c
}

// maxInboxBytes is what the events that wait in one inbox may have.
func (c *Config) maxInboxBytes() int { return int(cmp.Or(c.Engine.MaxPayload, 1_000_000)) }

// A Server serves Socket.IO clients over HTTP.
type Server struct {
	cfg    Config
	limits limits
	log    *slog.Logger
	engine *engineio.Server

	mu       sync.RWMutex
	spaces   map[string]*Namespace
	patterns []*Namespace

	ackID    atomic.Int64
	stopping atomic.Bool
	clients  sync.WaitGroup
	workers  *workers
}

// New makes a server. It has the namespace "/" only, which anybody may join until
// middleware is added.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg:     cfg,
		limits:  limits{attachments: cfg.MaxAttachments, bytes: cfg.MaxPacketBytes, nspBytes: cfg.MaxNamespaceBytes, depth: cfg.MaxDepth},
		log:     cfg.Logger,
		spaces:  map[string]*Namespace{},
		workers: newWorkers(),
	}
	s.spaces["/"] = newNamespace(s, "/")
	s.ackID.Store(rand.Int64N(maxAckID))
	s.engine = engineio.New(cfg.Engine, opener{s})
	return s
}

// An opener makes the Receiver of each connection.
type opener struct{ server *Server }

// Open implements engineio.Handler.
func (o opener) Open(sess *engineio.Session) engineio.Receiver {
	return o.server.open(sess)
}

func (s *Server) open(sess session) *client {
	s.clients.Add(1)
	return newClient(s, sess)
}

// Engine is the server below, for its figures.
func (s *Server) Engine() *engineio.Server { return s.engine }

// Of returns the namespace of a name and makes it if there is none. "chat" and
// "/chat" are the same.
func (s *Server) Of(name string) *Namespace {
	name = cleanName(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.spaces[name]
	if n == nil {
		n = newNamespace(s, name)
		s.spaces[name] = n
	}
	return n
}

// OfMatch serves every namespace for which match is true and that Of does not
// know. Each exists while it has sockets. match is asked for every CONNECT, and
// may block; patterns are tried in the order in which they were made.
func (s *Server) OfMatch(match func(name string, h *Handshake) bool) *Namespace {
	n := newNamespace(s, "")
	n.match, n.children = match, map[string]*Namespace{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patterns = append(s.patterns, n)
	return n
}

// Emit sends an event to all sockets of the namespace "/".
func (s *Server) Emit(event string, args ...any) error { return s.Of("/").Emit(event, args...) }

// static returns a namespace that Of made, or nil.
func (s *Server) static(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.spaces[name]
}

// errNoNamespace answers CONNECT for a namespace that does not exist.
var errNoNamespace = &ConnectError{Message: "Invalid namespace"}

// find returns the namespace that a client asks for. The caller releases it.
func (s *Server) find(name string, h *Handshake) (*Namespace, error) {
	if n := s.static(name); n != nil {
		return n, nil
	}
	s.mu.RLock()
	patterns := s.patterns
	s.mu.RUnlock()
	for _, p := range patterns {
		if p.matches(name, h) {
			return s.child(p, name), nil
		}
	}
	return nil, errNoNamespace
}

// matches asks the pattern. A panic is a no.
func (n *Namespace) matches(name string, h *Handshake) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			n.server.log.Error("socket.io namespace pattern panicked", slog.Any("panic", r))
		}
	}()
	return n.match(name, h)
}

// child returns a namespace of pattern p and holds it.
func (s *Server) child(p *Namespace, name string) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := p.children[name]
	if n == nil {
		n = newNamespace(s, name)
		n.parent, n.setup = p, p.setup
		p.children[name] = n
	}
	n.joins++
	return n
}

// maxAckID is the largest id of the server's own events. Clients in Java, C++ and
// Rust read ids as 32-bit integers.
const maxAckID = 1<<31 - 1

// nextAckID is an id that none of the last two billion events of this process had, on
// whatever connection. The first one is random, so that an answer to an event of an
// earlier process is not taken for one of this.
func (s *Server) nextAckID() int64 { return s.ackID.Add(1) & maxAckID }

// ServeHTTP serves everything under Config.Path.
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

// Shutdown refuses newcomers, closes every transport so that clients connect
// again elsewhere, and waits until the listeners of all sockets have run. It sends
// no Socket.IO disconnect, after which clients would stay away. When it returns
// nil, every goroutine that the server started has ended; otherwise the error is
// the context's and they end later.
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
