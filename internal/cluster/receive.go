package cluster

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"expenseflow/models"
)

// probeURI is what the probe of a newcomer asks for: a path that every balancer passes on,
// should the address be one's.
const probeURI = "/socket.io/?probe=process"

// probeAnswer is the header of the answer to a probe.
const probeAnswer = "Expenseflow-Process"

// Receive returns a handler that verifies forwards: a request of another process goes to
// verified, with the client's address, scheme and host as that process signed them, and
// every other one to others, without the header of forwards. It must be the first handler
// of a server.
func (c *Cluster) Receive(verified, others http.Handler) http.Handler {
	if c == nil {
		return others
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, ok := c.received(r)
		switch {
		case !ok:
			delete(r.Header, forwardHeader)
			others.ServeHTTP(w, r)
		case said.to != c.id:
			c.noteMisdirected(said)
			c.forward.routing.Unavailable(w, r, textMisdirected, retryAfter)
		case r.RequestURI == probeURI:
			w.Header().Set(probeAnswer, c.keys.signAnswer(said))
			w.WriteHeader(http.StatusNoContent)
		default:
			c.accept(w, r, said)
			verified.ServeHTTP(w, r)
		}
	})
}

// received returns the forward by which r arrived; false if it is a client's own request.
func (c *Cluster) received(r *http.Request) (said forward, ok bool) {
	sent := r.Header[forwardHeader]
	if len(sent) == 0 {
		return forward{}, false
	}
	defer func() {
		if !ok {
			c.stats.forged.Add(1)
		}
	}()
	if len(sent) != 1 {
		return forward{}, false
	}
	if said, ok = c.keys.verify(sent[0], r.Method, r.RequestURI); !ok || said.to != c.id {
		return said, ok
	}
	if c.peer(r.Context(), said.from) == nil {
		return forward{}, false
	}
	return said, c.seen.accept(said.from, said.number, time.Now())
}

// accept makes r what the client sent to the forwarding process, and tells that process
// that this one has it: the answer may take as long as a poll is held.
func (c *Cluster) accept(w http.ResponseWriter, r *http.Request, said forward) {
	c.stats.received.Add(1)
	if trust := c.forward.routing.Trust; trust != nil {
		trust(r)
	}
	r.RemoteAddr = net.JoinHostPort(said.client, "0")
	r.Host = said.host
	delete(r.Header, "X-Forwarded-Proto")
	if said.scheme != "" {
		r.Header.Set("X-Forwarded-Proto", said.scheme)
	}
	if !isUpgrade(r) {
		w.WriteHeader(http.StatusProcessing)
	}
}

// noteMisdirected logs once that a forward for another process arrived here.
func (c *Cluster) noteMisdirected(said forward) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := models.Member{ID: said.to}
	if p := c.peers[said.to]; p != nil {
		m = p.member
	}
	c.noteOnceLocked("misdirected "+said.to, slog.LevelWarn,
		"the address of a process leads to another one: set ADVERTISE_URL to an address of its own", m)
}
