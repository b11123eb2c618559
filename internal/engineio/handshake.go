package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Handshake is what the request that opened a session said.
type Handshake struct {
	URL        string      // path and query as requested
	Header     http.Header // not to be changed
	Query      url.Values  // one value per name: the last, as in the reference
	RemoteAddr string      // the peer's own address, "host:port"
	Secure     bool        // over TLS as far as this process can tell
	Time       time.Time
}

func newHandshake(r *http.Request, query url.Values) *Handshake {
	return &Handshake{
		URL:        r.URL.RequestURI(),
		Header:     r.Header,
		Query:      query,
		RemoteAddr: r.RemoteAddr,
		Secure:     r.TLS != nil,
		Time:       time.Now(),
	}
}

// lastValues reads a query whose later parameters win.
func lastValues(u *url.URL) url.Values {
	q := u.Query()
	for name, values := range q {
		q[name] = values[len(values)-1:]
	}
	return q
}

// newSessionID makes 120 random bits in 20 characters, the shape of Node's.
func newSessionID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.URLEncoding.EncodeToString(b[:])
}

// openPacket is the payload of a session's first packet (section "Handshake").
type openPacket struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"` // milliseconds
	PingTimeout  int64    `json:"pingTimeout"`  // milliseconds
	MaxPayload   int64    `json:"maxPayload"`   // bytes
}

func (s *Server) openPacket(sid, transport string) string {
	p := openPacket{
		SID: sid, Upgrades: []string{},
		PingInterval: s.cfg.PingInterval.Milliseconds(),
		PingTimeout:  s.cfg.PingTimeout.Milliseconds(),
		MaxPayload:   s.cfg.MaxPayload,
	}
	if transport == Polling && s.upgradable() {
		p.Upgrades = append(p.Upgrades, WebSocket)
	}
	b, _ := json.Marshal(p) // cannot fail
	return string(b)
}
