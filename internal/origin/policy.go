// Package origin decides which web pages may use this server. CORS headers, WebSocket
// handshakes and sign-in use the same Policy.
//
// The origin of a page is the value of the header Origin. A request without that header
// does not come from another site's page and is always allowed.
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

// ErrRefused is the error of a page that may not use the server.
var ErrRefused = errors.New("Origin not allowed") //nolint:staticcheck // a client shows the text as it is

// A Policy decides which origins are allowed. Its methods may be called concurrently.
type Policy struct {
	listed   []string
	loopback bool
	log      *slog.Logger

	mu     sync.Mutex
	logged map[string]struct{} // refused origins of the minute that ends at until
	until  time.Time
}

// maxLogged is the maximum number of refused origins that are logged per minute.
const maxLogged = 10

// New returns a policy that allows the listed origins, which are in Parse's form. If none
// is listed, it allows all pages without credentials and, if loopback is true, pages of
// this machine (http://localhost:5173) with credentials.
func New(listed []string, loopback bool, log *slog.Logger) *Policy {
	return &Policy{listed: listed, loopback: loopback && len(listed) == 0, log: log, logged: map[string]struct{}{}}
}

// CORS returns the value of Access-Control-Allow-Origin for r, "" if the page is not
// allowed, and whether the page may send credentials.
func (p *Policy) CORS(r *http.Request) (allow string, credentials bool) {
	origin := r.Header.Get("Origin")
	switch {
	case p.credentials(origin):
		return origin, true
	case len(p.listed) == 0:
		return "*", false
	case origin != "" && !isOwnOrigin(r, origin):
		p.logRefusal(origin)
	}
	return "", false
}

// Varies reports whether the result of CORS depends on the request's origin.
func (p *Policy) Varies() bool { return len(p.listed) > 0 || p.loopback }

// Check returns ErrRefused if r comes from a page that is not allowed. If no origins are
// listed, every page is allowed.
func (p *Policy) Check(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || len(p.listed) == 0 || p.credentials(origin) || isOwnOrigin(r, origin) {
		return nil
	}
	p.logRefusal(origin)
	return ErrRefused
}

// Foreign reports whether r comes from a page of another site that is not listed, which
// may act without its visitor's knowledge. Programs, which send no origin, are not foreign.
func (p *Policy) Foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" { // such as the request of an image
		return r.Header.Get("Sec-Fetch-Site") == "cross-site"
	}
	return !p.credentials(origin) && !isOwnOrigin(r, origin)
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

// isOwnOrigin reports whether origin is the address at which r reached this server, so that
// the page is one of the server's own.
//
// Over plain HTTP it returns false for names of the public DNS: the owner of a name can
// point it to this server after their page was loaded (DNS rebinding), so that their page
// seems to be the server's. Such a name must be listed or come from a trusted proxy.
func isOwnOrigin(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	proxied := firstValue(r, "X-Forwarded-Host")
	scheme := firstValue(r, "X-Forwarded-Proto")
	if r.TLS != nil && scheme == "" {
		scheme = "https"
	}
	// Without X-Forwarded-Proto the page's scheme is assumed: something may terminate TLS.
	asked, err := Parse(cmp.Or(scheme, u.Scheme) + "://" + cmp.Or(proxied, r.Host))
	page, wrong := Parse(origin)
	if err != nil || wrong != nil || asked != page {
		return false
	}
	return u.Scheme == "https" || proxied != "" || scheme != "" || isSafeFromRebinding(u.Hostname())
}

// isSafeFromRebinding reports whether host cannot be made to resolve to this server by
// others: an IP address, localhost, or a name without a dot.
func isSafeFromRebinding(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || isLocalhost(host) || !strings.Contains(host, ".")
}

// firstValue returns the first value of a list in a header: that of the outermost proxy.
func firstValue(r *http.Request, header string) string {
	value, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.TrimSpace(value)
}

// logRefusal logs a refused origin, at most once a minute, with the setting that would
// allow it.
func (p *Policy) logRefusal(origin string) {
	canonical, err := Parse(origin)
	if err != nil || !p.firstThisMinute(canonical) { // err: such as "null", which no setting allows
		return
	}
	setting := "FRONTEND_URL=" + strings.Join(append(slices.Clone(p.listed), canonical), ",")
	p.log.Warn("a page of another origin was refused; this setting would allow it",
		slog.String("origin", canonical), slog.String("setting", setting))
}

// firstThisMinute reports whether origin was not logged in the current minute.
func (p *Policy) firstThisMinute(origin string) bool {
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
