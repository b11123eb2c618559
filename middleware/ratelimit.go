package middleware

import (
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/observe"
	"expenseflow/internal/origin"
	"expenseflow/models"
)

// maxWindows bounds the memory of a Limiter.
const maxWindows = 100_000

// A Limiter is a rate limiter by key with fixed windows: a key's first event starts its
// window. Its methods may be called concurrently.
type Limiter struct {
	name    string // in metrics and in the headers of answers
	setting string // decides n and per
	n       int
	per     time.Duration

	mu      sync.Mutex
	windows map[string]window
	shared  *sharedLimiter // nil if it counts what this process sees alone
}

type window struct {
	count int
	ends  time.Time
}

// NewLimiter returns a Limiter that allows n events of a key per window; n = 0 allows all.
// Metrics count its refusals under the name, and answers have it in RateLimit-Policy.
func NewLimiter(name string, n int, per time.Duration) *Limiter {
	return &Limiter{name: name, setting: models.FixedLimit, n: n, per: per, windows: map[string]window{}}
}

// DecidedBy names the setting that decides the limit, for the log, and returns l. Call it
// before l is used.
func (l *Limiter) DecidedBy(setting string) *Limiter {
	l.setting = setting
	return l
}

// Take counts an event of key. If it exceeds the limit, ok is false and wait is the time
// until the window ends.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) { return l.act(key, 1).verdict() }

// Peek is Take without counting the event.
func (l *Limiter) Peek(key string) (wait time.Duration, ok bool) { return l.act(key, 0).verdict() }

// A standing is how much of a limit a key has left.
type standing struct {
	left    int           // events in the window
	ends    time.Duration // until the window ends
	refused bool
}

func (s standing) verdict() (wait time.Duration, ok bool) {
	if s.refused {
		return s.ends, false
	}
	return 0, true
}

// act checks the limit and adds n events, 0 or 1.
func (l *Limiter) act(key string, n int) standing {
	if l.n == 0 {
		return standing{}
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if !now.Before(w.ends) {
		w = window{ends: now.Add(l.per)}
	}
	elsewhere := l.shared.of(key, now)
	if w.count+elsewhere.count >= l.n {
		if w.count == 0 {
			return standing{ends: elsewhere.ends.Sub(now), refused: true}
		}
		return standing{ends: w.ends.Sub(now), refused: true}
	}
	if n > 0 {
		w.count += n
		storeWindow(l.windows, key, w, now)
		l.shared.used(key, n)
	}
	return standing{left: l.n - w.count - elsewhere.count, ends: w.ends.Sub(now)}
}

// storeWindow stores a window. If there are maxWindows, it removes others first: those that
// have ended, else arbitrary ones. An attacker who fills the map needs that many
// addresses, each of which has a limit of its own anyway.
func storeWindow(windows map[string]window, key string, w window, now time.Time) {
	if _, known := windows[key]; !known && len(windows) >= maxWindows {
		sweep(windows, now)
	}
	windows[key] = w
}

// sweep removes a tenth of the windows, so that it is needed rarely.
func sweep(windows map[string]window, now time.Time) {
	for key, w := range windows {
		if !now.Before(w.ends) {
			delete(windows, key)
		}
	}
	for key := range windows {
		if len(windows) < maxWindows-maxWindows/10 {
			return
		}
		delete(windows, key)
	}
}

// RejectCrossSite protects against cross-site request forgery. It refuses pages of origins
// that policy does not allow, and bodies that are not JSON, which a page of another site
// can send without a preflight request. Programs, which send no Origin, are allowed.
func RejectCrossSite(policy *origin.Policy) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := policy.Check(r); err != nil {
				return &models.Error{
					Kind: models.Forbidden, Code: "ORIGIN_REFUSED", Setting: "FRONTEND_URL", Err: err,
					Msg: "This page may not use the server: see FRONTEND_URL",
				}
			}
			media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
			if r.ContentLength != 0 && (err != nil || media != echo.MIMEApplicationJSON) {
				return models.E(models.Invalid, "The body has to be JSON, and Content-Type application/json")
			}
			return next(c)
		}
	}
}

// Visitors returns the key function for limits of requests without a token: the network of
// the client. Requests of other sites' pages have a key of their own, so that such a page
// cannot use up the limit with which its visitor signs in.
func Visitors(policy *origin.Policy) func(*http.Request) string {
	return func(r *http.Request) string {
		if policy.Foreign(r) {
			return Network(r) + " of another site"
		}
		return Network(r)
	}
}

// PerVisitor limits requests without a token by the key function visitor.
func PerVisitor(l *Limiter, visitor func(*http.Request) string, metrics *observe.Metrics) echo.MiddlewareFunc {
	return reported(l, metrics, textTooManyRequests, func(c echo.Context) string { return visitor(c.Request()) })
}

// PerAddress limits requests by network. Only its refusals have headers: what is left is
// that of everybody there.
func PerAddress(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return limitBy(l, metrics, textTooManyRequests, func(c echo.Context) string {
		return networkOf(clientIP(c.Request()))
	})
}

// PerUser limits requests by user with users, and by network with addresses. Behind a proxy
// that is not in TRUSTED_PROXIES many people have the same address, so the second limit
// should be UsersPerAddress times the first. It must run after Authenticate.
func PerUser(users, addresses *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	byUser := PerUserOnly(users, metrics)
	byAddress := PerAddress(addresses, metrics)
	return func(next echo.HandlerFunc) echo.HandlerFunc { return byUser(byAddress(next)) }
}

// PerUserOnly limits requests by user. It must run after Authenticate.
func PerUserOnly(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return reported(l, metrics, "Too many requests, please try again later.", func(c echo.Context) string {
		id, _ := auth.FromContext(c.Request().Context())
		return id.User.ID
	})
}

// UsersPerAddress is the number of users that may share an address.
const UsersPerAddress = 100

// UnauthorizedPerVisitor limits requests with an invalid token by the key function visitor:
// beyond the limit their error is 429 instead of 401. Requests with a valid token are not
// affected. It must run before Authenticate.
func UnauthorizedPerVisitor(l *Limiter, visitor func(*http.Request) string, metrics *observe.Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			if err == nil || models.KindOf(err) != models.Unauthorized {
				return err
			}
			s := l.act(visitor(c.Request()), 1)
			l.setHeaders(c.Response().Header(), s)
			if s.refused {
				return l.refuse(metrics, textTooManyRequests, s)
			}
			return err
		}
	}
}

const textTooManyRequests = "Too many requests from this IP, please try again later."

// PerToken limits requests by token. Each device signs in by itself, so this is a limit by
// device. It must run after Authenticate.
func PerToken(l *Limiter, metrics *observe.Metrics) echo.MiddlewareFunc {
	return reported(l, metrics, "Too many requests, please try again later.", func(c echo.Context) string {
		id, _ := auth.FromContext(c.Request().Context())
		return id.Claims.Key
	})
}

// limitBy limits requests by key. Its refusals have the headers of the limit.
func limitBy(l *Limiter, metrics *observe.Metrics, text string, key func(echo.Context) string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if s := l.act(key(c), 1); s.refused {
				l.setHeaders(c.Response().Header(), s)
				return l.refuse(metrics, text, s)
			}
			return next(c)
		}
	}
}

// reported is limitBy for limits of one client: all answers have the headers.
func reported(l *Limiter, metrics *observe.Metrics, text string, key func(echo.Context) string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			s := l.act(key(c), 1)
			l.setHeaders(c.Response().Header(), s)
			if s.refused {
				return l.refuse(metrics, text, s)
			}
			return next(c)
		}
	}
}

// FailuresPerVisitor limits requests that fail with models.Unauthorized by the key function
// visitor. Beyond the limit it refuses all requests of that key.
func FailuresPerVisitor(l *Limiter, visitor func(*http.Request) string, metrics *observe.Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			key := visitor(c.Request())
			if s := l.act(key, 0); s.refused {
				l.setHeaders(c.Response().Header(), s)
				return l.refuse(metrics, textTooManyAttempts, s)
			}
			err := next(c)
			if err != nil && models.KindOf(err) == models.Unauthorized {
				l.Take(key)
			}
			return err
		}
	}
}

// SignInLimits are the limits of requests that contain a password.
type SignInLimits struct {
	// WrongGuesses counts wrong guesses by From, WrongByAccount by account from any client. Beyond
	// either limit requests are refused.
	WrongGuesses, WrongByAccount *Limiter
	// Attempts counts every sign-in and registration by From. Beyond it requests are refused
	// only while Crowded returns true, because many people may share an address.
	Attempts *Limiter
	Crowded  func() bool
	// From returns the key of a client; nil is Network.
	From func(*http.Request) string
}

// Limit returns middleware that applies the limits. It passes a models.Attempt in the
// request's context, by which the ledger counts wrong guesses; requests without a guess
// are not counted as wrong.
func (s *SignInLimits) Limit(metrics *observe.Metrics) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			a := s.attempt(c, metrics)
			err := a.Admit("")
			if own := s.Attempts.act(a.From, 1); err == nil && own.refused && s.Crowded() {
				s.Attempts.setHeaders(c.Response().Header(), own)
				err = s.Attempts.refuse(metrics, textTooManyAttempts, own)
			}
			if err != nil {
				return err
			}
			c.SetRequest(c.Request().WithContext(models.WithAttempt(c.Request().Context(), a)))
			return next(c)
		}
	}
}

func (s *SignInLimits) attempt(c echo.Context, metrics *observe.Metrics) models.Attempt {
	from := s.from(c.Request())
	return models.Attempt{
		From:  from,
		Admit: func(account string) error { return s.admit(c.Response().Header(), from, account, metrics) },
		RecordFailure: func(account string) {
			s.WrongGuesses.Take(from)
			if account != "" {
				s.WrongByAccount.Take(account)
			}
		},
	}
}

func (s *SignInLimits) from(r *http.Request) string {
	if s.From == nil {
		return Network(r)
	}
	return s.From(r)
}

// admit refuses an attempt if there were too many wrong ones. h is the header of its answer.
func (s *SignInLimits) admit(h http.Header, from, account string, metrics *observe.Metrics) error {
	wrong := s.WrongGuesses.act(from, 0)
	l := s.WrongGuesses
	if !wrong.refused && account != "" {
		l = s.WrongByAccount
		wrong = l.act(account, 0)
	}
	if !wrong.refused {
		return nil
	}
	l.setHeaders(h, wrong)
	return l.refuse(metrics, textTooManyAttempts, wrong)
}

const textTooManyAttempts = "Too many authentication attempts, please try again later."

// refuse counts a refusal and returns its error.
func (l *Limiter) refuse(metrics *observe.Metrics, text string, s standing) error {
	metrics.RateLimited(l.name)
	return &models.Error{Kind: models.TooMany, Msg: text, Code: "RATE_LIMITED", RetryAfter: s.ends, Setting: l.setting}
}

// The headers with which an answer tells a limit and what is left of it
// (draft-ietf-httpapi-ratelimit-headers-10).
const (
	HeaderRateLimitPolicy = "RateLimit-Policy"
	HeaderRateLimit       = "RateLimit"
)

// setHeaders writes the headers of a limit, as RateLimit-Policy: "user";q=10000;w=900 and
// RateLimit: "user";r=9950;t=312. They replace those of another limit: an answer tells the
// one that refused it, else the last that it counted towards.
func (l *Limiter) setHeaders(h http.Header, s standing) {
	if l.n == 0 {
		return
	}
	h.Set(HeaderRateLimitPolicy, `"`+l.name+`";q=`+strconv.Itoa(l.n)+`;w=`+wholeSeconds(l.per))
	h.Set(HeaderRateLimit, `"`+l.name+`";r=`+strconv.Itoa(s.left)+`;t=`+wholeSeconds(s.ends))
}

// wholeSeconds rounds up: a client that comes too early is refused again.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// Network returns the network of the client's address, by which requests are counted.
func Network(r *http.Request) string { return networkOf(clientIP(r)) }

// networkOf returns the /64 prefix of an IPv6 address, which a single customer usually
// has, and an IPv4 address unchanged.
func networkOf(ip netip.Addr) string {
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
