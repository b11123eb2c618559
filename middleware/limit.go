package middleware

import (
	"mime"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/observe"
	"expenseflow/internal/origin"
	"expenseflow/models"
)

// maxWindows bounds a Limiter's memory, whoever sends.
const maxWindows = 100_000

// A Limiter counts what each key does in windows of fixed length; a key's first
// act opens its window. Its methods may be called concurrently.
type Limiter struct {
	n   int
	per time.Duration

	mu      sync.Mutex
	windows map[string]window
}

type window struct {
	count int
	ends  time.Time
}

// NewLimiter makes a Limiter that allows n acts in each per; n = 0 allows all.
func NewLimiter(n int, per time.Duration) *Limiter {
	return &Limiter{n: n, per: per, windows: map[string]window{}}
}

// Take counts one act of key. If it was one too many, it gives how long to wait.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) { return l.act(key, 1) }

// Peek tells whether key may act, without counting.
func (l *Limiter) Peek(key string) (wait time.Duration, ok bool) { return l.act(key, 0) }

// act allows while the count, this act included, is within n; Peek asks whether
// one more would be.
func (l *Limiter) act(key string, acts int) (time.Duration, bool) {
	if l.n == 0 {
		return 0, true
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if !now.Before(w.ends) {
		w = window{ends: now.Add(l.per)}
	}
	if w.count >= l.n {
		return w.ends.Sub(now), false
	}
	if acts > 0 {
		w.count += acts
		l.store(key, w, now)
	}
	return 0, true
}

// store makes room first: of windows that are over, else of any. An attacker
// with so many addresses gains nothing by it that they did not have.
func (l *Limiter) store(key string, w window, now time.Time) {
	if _, known := l.windows[key]; !known && len(l.windows) >= maxWindows {
		l.sweep(now)
	}
	l.windows[key] = w
}

// sweep makes room for many, so that going through all of them is rare.
func (l *Limiter) sweep(now time.Time) {
	for key, w := range l.windows {
		if !now.Before(w.ends) {
			delete(l.windows, key)
		}
	}
	for key := range l.windows {
		if len(l.windows) < maxWindows-maxWindows/10 {
			return
		}
		delete(l.windows, key)
	}
}

// PageOnly lets nothing pass that a page of another site can send without asking: what
// has a body has to be JSON, and the page one that may use the server. Programs, which
// send no Origin, pass.
func PageOnly(policy *origin.Policy) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := policy.Check(r); err != nil {
				return &models.Error{Kind: models.Forbidden, Msg: "This page may not use the server: see FRONTEND_URL", Code: "ORIGIN_REFUSED", Err: err}
			}
			media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
			if r.ContentLength != 0 && (err != nil || media != echo.MIMEApplicationJSON) {
				return models.E(models.Invalid, "The body has to be JSON, and Content-Type application/json")
			}
			return next(c)
		}
	}
}

// PerAddress refuses requests of an address that made too many.
func PerAddress(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return limited(l, metrics, tooManyOfAddress, func(c echo.Context) string {
		return network(clientIP(c.Request()))
	})
}

// PerUser refuses requests of a user who made too many, and those of an address that made
// a hundred times as many: a hundred people may share one, behind a proxy that is not in
// TRUSTED_PROXIES. It goes after Bearer.
func PerUser(users, addresses *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	byUser := limited(users, metrics, "Too many requests, please try again later.", func(c echo.Context) string {
		id, _ := auth.FromContext(c.Request().Context())
		return id.User.ID
	})
	byAddress := PerAddress(addresses, metrics)
	return func(next echo.HandlerFunc) echo.HandlerFunc { return byUser(byAddress(next)) }
}

// PeoplePerAddress is how many times as much as one user the users of an address may do.
const PeoplePerAddress = 100

// Strangers answers requests whose token is no good, of an address that made too many of
// them, with that. It keeps nobody out whose token is good. It goes before Bearer.
func Strangers(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			if err == nil || models.KindOf(err) != models.Unauthorized {
				return err
			}
			if wait, ok := l.Take(network(clientIP(c.Request()))); !ok {
				metrics.Refusal("rate_limit")
				return tooMany(tooManyOfAddress, wait)
			}
			return err
		}
	}
}

const tooManyOfAddress = "Too many requests from this IP, please try again later."

// PerToken refuses requests of a token that made too many: tokens stand for
// devices, since each signs in by itself. It goes after Bearer.
func PerToken(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return limited(l, metrics, "Too many requests, please try again later.", func(c echo.Context) string {
		id, _ := auth.FromContext(c.Request().Context())
		return id.Claims.Key
	})
}

func limited(l *Limiter, metrics *observe.Metrics, text string, key func(echo.Context) string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if wait, ok := l.Take(key(c)); !ok {
				metrics.Refusal("rate_limit")
				return tooMany(text, wait)
			}
			return next(c)
		}
	}
}

// FailuresPerAddress refuses requests from an address where too many were of somebody
// without the right to them.
func FailuresPerAddress(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			key := network(clientIP(c.Request()))
			if wait, ok := l.Peek(key); !ok {
				metrics.Refusal("sign_in_limit")
				return tooManyAttempts(wait)
			}
			err := next(c)
			if err != nil && models.KindOf(err) == models.Unauthorized {
				l.Take(key)
			}
			return err
		}
	}
}

// SignIns are the limits of whoever tries passwords.
type SignIns struct {
	// Wrong counts wrong guesses by address, Account by account, whatever the address:
	// who is over one of them is refused.
	Wrong, Account *Limiter
	// All counts every sign-in and registration by address. Who is over it is refused
	// only while Crowded: a hundred people may share an address.
	All     *Limiter
	Crowded func() bool
}

// Guard bounds what tries passwords or addresses. A request that tries none, such as
// one without a password, counts as no wrong guess.
func (s *SignIns) Guard(metrics *observe.Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			from := network(clientIP(c.Request()))
			a := models.Attempt{From: from, Admit: func(account string) error { return s.admit(from, account) }, Wrong: func(account string) {
				s.Wrong.Take(from)
				if account != "" {
					s.Account.Take(account)
				}
			}}
			err := a.Admit("")
			if wait, ok := s.All.Take(from); err == nil && !ok && s.Crowded() {
				err = tooManyAttempts(wait)
			}
			if err != nil {
				metrics.Refusal("sign_in_limit")
				return err
			}
			c.SetRequest(c.Request().WithContext(models.WithAttempt(c.Request().Context(), a)))
			return next(c)
		}
	}
}

func (s *SignIns) admit(from, account string) error {
	if wait, ok := s.Wrong.Peek(from); !ok {
		return tooManyAttempts(wait)
	}
	if account == "" {
		return nil
	}
	if wait, ok := s.Account.Peek(account); !ok {
		return tooManyAttempts(wait)
	}
	return nil
}

func tooManyAttempts(wait time.Duration) error {
	return tooMany("Too many authentication attempts, please try again later.", wait)
}

func tooMany(text string, wait time.Duration) error {
	return &models.Error{Kind: models.TooMany, Msg: text, Code: "RATE_LIMITED", RetryAfter: wait}
}

// Network names whom a request is counted to: the network of its address.
func Network(r *http.Request) string { return network(clientIP(r)) }

// network is what one household or server can have many addresses of: an IPv6
// /64. IPv4 addresses count alone.
func network(ip netip.Addr) string {
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
