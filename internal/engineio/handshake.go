package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Handshake is the request that opened a session, as far as Config.KeepHeaders and
// Config.KeepQuery keep it. It must not be changed.
type Handshake struct {
	URL        string // path and query as requested
	Header     http.Header
	Query      url.Values // one value per name: the last, as in the reference
	RemoteAddr string     // the peer's own address, "host:port"
	Secure     bool       // over TLS as far as this process can tell
	Time       time.Time
	Label      string // as Config.Label returned it
}

func (s *Server) newHandshake(r *http.Request, query url.Values) *Handshake {
	h := &Handshake{
		URL:        r.URL.RequestURI(),
		Header:     r.Header,
		Query:      query,
		RemoteAddr: r.RemoteAddr,
		Secure:     r.TLS != nil,
		Time:       time.Now(),
	}
	if s.cfg.Label != nil {
		h.Label = s.cfg.Label(r)
	}
	if s.cfg.KeepHeaders != nil {
		h.Header = http.Header(pick(r.Header, s.cfg.KeepHeaders))
	}
	if s.cfg.KeepQuery != nil {
		h.URL, h.Query = strings.Clone(r.URL.EscapedPath()), pick(query, s.cfg.KeepQuery)
	}
	return h
}

// pick copies the values of a few names. The strings are copied too, so that the request's,
// which are parts of larger ones, can be freed.
func pick(from map[string][]string, names []string) map[string][]string {
	picked := make(map[string][]string, len(names))
	for _, name := range names {
		for _, v := range from[name] {
			picked[name] = append(picked[name], strings.Clone(v))
		}
	}
	return picked
}

// The bounds of a request, checked before anything of it is parsed or kept. Clients send a
// few parameters, and browsers some twenty headers.
const (
	maxQueryBytes = 2 << 10
	maxQueryNames = 32
	maxHeaders    = 100
)

// checkSize refuses a request that is larger than any client's.
func checkSize(r *http.Request) *refusal {
	switch {
	case len(r.URL.RawQuery) > maxQueryBytes || strings.Count(r.URL.RawQuery, "&") >= maxQueryNames:
		return &refusal{
			status: http.StatusRequestURITooLong, code: BadRequest,
			msg: "Query over 2048 bytes or 32 parameters", why: "query too long", limit: LimitHead,
		}
	case len(r.Header) > maxHeaders:
		return &refusal{
			status: http.StatusRequestHeaderFieldsTooLarge, code: BadRequest,
			msg: "More than 100 headers", why: "too many headers", limit: LimitHead,
		}
	}
	return nil
}

// lastValues parses a query. Of a repeated parameter it keeps the last value.
func lastValues(u *url.URL) url.Values {
	q := u.Query()
	for name, values := range q {
		q[name] = values[len(values)-1:]
	}
	return q
}

// newSessionID returns prefix and 120 random bits, which are 20 characters, as many as the
// reference server's ids have. Whoever knows an id can take the session over, so it must
// not be shown to other clients.
func newSessionID(prefix string) string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + base64.URLEncoding.EncodeToString(b[:])
}

// An openPacket is the payload of a session's first packet (section "Handshake").
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
