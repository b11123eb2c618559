// Package origin decides which web pages may use this server. CORS headers,
// WebSocket handshakes and sign-in ask the same Policy, so that no two of them
// can disagree.
//
// A page's origin is what its browser sends in the header Origin. A request
// without one is no other page's and always passes.
//
// Requests must have passed middleware.RealIP, which deletes X-Forwarded-Host and
// X-Forwarded-Proto unless a trusted proxy sent them.
package origin

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrRefused is what a page hears that may not use the server.
var ErrRefused = errors.New("Origin not allowed") //nolint:staticcheck // a client shows the text as it is

// A Policy holds the rule. Its methods may be called concurrently.
type Policy struct {
	listed   []string
	loopback bool
	log      *slog.Logger

	mu     sync.Mutex
	logged map[string]struct{} // refused origins of the minute that ends at until
	until  time.Time
}

// maxLogged is how many refused origins are logged in a minute.
const maxLogged = 10

// New makes the policy of these origins, in Parse's form. If none is listed, any
// page may call without credentials, and with loopback those on this machine
// (http://localhost:5173) with credentials too.
func New(listed []string, loopback bool, log *slog.Logger) *Policy {
	return &Policy{listed: listed, loopback: loopback && len(listed) == 0, log: log, logged: map[string]struct{}{}}
}

// CORS gives the value of Access-Control-Allow-Origin for r, "" for none, and
// whether the page may send credentials.
func (p *Policy) CORS(r *http.Request) (allow string, credentials bool) {
	origin := r.Header.Get("Origin")
	switch {
	case p.credentials(origin):
		return origin, true
	case len(p.listed) == 0:
		return "*", false
	case origin != "" && !own(r, origin):
		p.tell(origin)
	}
	return "", false
}

// Varies reports whether CORS's answer depends on the page that asks.
func (p *Policy) Varies() bool { return len(p.listed) > 0 || p.loopback }

// Check returns ErrRefused if r comes from a page that may not use the server.
// With no origins listed every page may.
func (p *Policy) Check(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || len(p.listed) == 0 || p.credentials(origin) || own(r, origin) {
		return nil
	}
	p.tell(origin)
	return ErrRefused
}

// credentials reports whether pages of origin may send credentials.
func (p *Policy) credentials(origin string) bool {
	canonical, err := Parse(origin)
	return err == nil && (slices.Contains(p.listed, canonical) || p.loopback && onLoopback(canonical))
}

func onLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return isLocalhost(u.Hostname()) || err == nil && ip.IsLoopback()
}

func isLocalhost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// own reports whether origin is the address at which r reached the server, so
// that the page is one that the server itself sent.
//
// Over plain HTTP a name in the public DNS is not believed: its owner may point
// it here after their page was loaded (DNS rebinding), and that page would pass
// for ours. Such an address is listed, or a trusted proxy vouches for it.
func own(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	proxied := first(r, "X-Forwarded-Host")
	scheme := first(r, "X-Forwarded-Proto")
	if r.TLS != nil && scheme == "" {
		scheme = "https"
	}
	// A page by HTTPS on a request without TLS: something in between ended it.
	asked, err := Parse(cmp.Or(scheme, u.Scheme) + "://" + cmp.Or(proxied, r.Host))
	page, wrong := Parse(origin)
	if err != nil || wrong != nil || asked != page {
		return false
	}
	return u.Scheme == "https" || proxied != "" || scheme != "" || unrebindable(u.Hostname())
}

// unrebindable reports whether nobody on the internet can make host resolve to
// this server: an IP address, localhost, or a name without a dot.
func unrebindable(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || isLocalhost(host) || !strings.Contains(host, ".")
}

// first is the first value of a list in a header, which the outermost proxy wrote.
func first(r *http.Request, header string) string {
	value, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.TrimSpace(value)
}

// tell logs a refused origin once a minute, with the setting that would allow it.
func (p *Policy) tell(origin string) {
	canonical, err := Parse(origin)
	if err != nil || !p.fresh(canonical) { // such as null, which no setting allows
		return
	}
	p.log.Warn("a page of another origin was refused; this setting would allow it",
		slog.String("origin", canonical), slog.String("setting", "FRONTEND_URL="+strings.Join(append(slices.Clone(p.listed), canonical), ",")))
}

// fresh reports whether origin was not logged within the minute.
func (p *Policy) fresh(origin string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.After(p.until) {
		clear(p.logged)
		p.until = now.Add(time.Minute)
	}
	if _, ok := p.logged[origin]; ok || len(p.logged) >= maxLogged {
		return false
	}
	p.logged[origin] = struct{}{}
	return true
}
