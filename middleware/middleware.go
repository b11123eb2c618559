// Package middleware contains the HTTP middleware: client addresses, rate limits,
// authentication, limits of bodies, CORS, security headers and the access log.
//
// Invariants:
//   - No middleware reads the body. Requests without a valid token or beyond a limit are
//     refused before the body is read.
//   - Refusals are errors of package models, which handlers.ErrorHandler encodes.
//   - The access log and metrics contain routes, not paths, and no query, header or body,
//     because those may contain tokens. Only the line of a 404 has the path too, because
//     it shows which file of a frontend is missing.
//   - Requests of Socket.IO pass only through the middleware of http.Handler: RealIP,
//     RequestID, SecurityHeaders, DropPlainBrowserCookie, BodyDeadline and Recover.
package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/failure"
	"expenseflow/internal/observe"
	"expenseflow/internal/trace"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// HeaderRequestID is the header with the id of a request, which is logged too.
const HeaderRequestID = "X-Request-Id"

// maxLoggedPath is the maximum number of bytes of a path in the log.
const maxLoggedPath = 256

// RequestID assigns an id to each request: the one that a proxy sent if it is short and
// has only harmless characters, else a new one. The answer has it as X-Request-Id, and so
// has the request, if another process gets it. The context carries the id and the position
// in the trace of the header traceparent (package trace). It does not wrap the
// ResponseWriter, so WebSockets work.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := trace.Context{RequestID: trace.IDOr(r.Header.Get(HeaderRequestID))}
		c.TraceID, c.SpanID = trace.Parse(r.Header.Get("Traceparent"))
		r.Header.Set(HeaderRequestID, c.RequestID)
		w.Header().Set(HeaderRequestID, c.RequestID)
		next.ServeHTTP(w, r.WithContext(trace.With(r.Context(), c)))
	})
}

// NoStore forbids to cache responses. It sets Vary: * besides no-store because the
// original's service worker ignores Cache-Control (docs/contract.md#d27).
func NoStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderVary, "*")
		h.Set(echo.HeaderCacheControl, "no-store")
		return next(c)
	}
}

// AccessLog calls the error handler for errors and panics of the handlers behind it, then
// counts the request and writes its line of the log: each one has one line, and if access
// is false, only those that failed by our fault or were refused by a limit. It must run
// first. After an error in the middle of a response it closes the connection, so that the
// client does not take the truncated response for a complete one.
func AccessLog(log *slog.Logger, failures *failure.Reporter, metrics *observe.Metrics, access bool) echo.MiddlewareFunc {
	l := &accessLog{log, failures, metrics, access}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := time.Now()
			err := recoverPanic(next, c)
			broken := err != nil && c.Response().Committed
			if err != nil {
				c.Error(err)
			}
			took := time.Since(began)
			metrics.Request(c.Request().Method, route(c), c.Response().Status, took)
			if err != nil {
				l.failed(c, err, took)
			} else if access {
				l.succeeded(c, took)
			}
			if broken {
				panic(http.ErrAbortHandler)
			}
			return nil
		}
	}
}

// An accessLog is what the lines of requests are written with.
type accessLog struct {
	log      *slog.Logger
	failures *failure.Reporter
	metrics  *observe.Metrics
	access   bool // whether requests that do not fail have lines
}

// failed counts a request that failed and writes its line.
func (l *accessLog) failed(c echo.Context, err error, took time.Duration) {
	var router *echo.HTTPError
	if errors.As(err, &router) {
		err = models.E(models.NotFound, "") // an unknown path, or an unknown method of a known one
	}
	code := wire.Code(err)
	l.metrics.RequestError(route(c), code)
	if l.access || !failure.ByClient(err) {
		l.failures.Report(c.Request().Context(), requestLine, code, err, requestAttrs(c, took)...)
	}
}

// recoverPanic calls next and converts a panic to an error with its stack.
func recoverPanic(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return next(c)
}

// Recover logs a panic of a handler outside of Echo and closes its connection. It does not
// wrap the ResponseWriter, so WebSockets work.
func Recover(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				switch p := recover(); p {
				case nil:
				case http.ErrAbortHandler:
					panic(p)
				default:
					log.ErrorContext(r.Context(), "handler panicked", slog.Any("value", p), slog.String("stack", string(debug.Stack())))
					panic(http.ErrAbortHandler)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// route returns the pattern of the matched route; "unmatched" if there is none.
func route(c echo.Context) string {
	if p := c.Path(); p != "" {
		return p
	}
	return "unmatched"
}

// isProbe reports whether a route is one that balancers ask every second.
func isProbe(route string) bool { return route == "/readyz" || route == "/healthz" }

// requestLine is the message of a request's line.
const requestLine = "http request"

// succeeded writes the line of a request that did not fail.
func (l *accessLog) succeeded(c echo.Context, took time.Duration) {
	level := slog.LevelInfo
	if c.Response().Status == http.StatusOK && isProbe(c.Path()) {
		level = slog.LevelDebug
	}
	l.log.LogAttrs(c.Request().Context(), level, requestLine, requestAttrs(c, took)...)
}

// requestAttrs are what the line of a request has, beside the ids of its context.
func requestAttrs(c echo.Context, took time.Duration) []slog.Attr {
	r, w := c.Request(), c.Response()
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route(c)), slog.Int("status", w.Status),
		slog.Int64("bytes", w.Size), slog.Duration("took", took.Round(time.Microsecond)), slog.String("ip", clientIP(r).String()),
	}
	if w.Status == http.StatusNotFound {
		attrs = append(attrs, slog.String("path", r.URL.Path[:min(len(r.URL.Path), maxLoggedPath)]))
	}
	if id, ok := auth.FromContext(r.Context()); ok {
		attrs = append(attrs, slog.String("user_id", id.User.ID))
	}
	return attrs
}
