// Package middleware holds what every HTTP request passes before a handler
// sees it: who really asks, limits, tokens, CORS, and the log line afterwards.
//
// Invariants:
//   - Nothing here reads a body. Whoever has no good token, or asks too often,
//     is answered before the first byte of a large one.
//   - Refusals are errors of package models; one error handler, in package
//     handlers, turns them into answers.
//   - Log lines and metrics name routes, not paths, and show no query, header or
//     body: tokens travel there. Only the line of a 404 has the path too, since it
//     says which file of a frontend is missing.
//   - Long polling and WebSockets pass beside this package, except RealIP and
//     SecurityHeaders.
package middleware

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/observe"
	"expenseflow/models"
)

// HeaderRequestID names a request in answers and in the log.
const HeaderRequestID = "X-Request-Id"

// maxLoggedPath bounds what a client can make a log line hold, in bytes.
const maxLoggedPath = 256

// maxRequestID is the longest name of a request that is taken from a proxy.
const maxRequestID = 64

// RequestID names each request: by the name a proxy gave it if that is short
// and plain, else by one of ours.
func RequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(HeaderRequestID)
		if !plain(id) {
			id = rand.Text()
		}
		c.Response().Header().Set(HeaderRequestID, id)
		return next(c)
	}
}

func plain(id string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return id != "" && len(id) <= maxRequestID && strings.Trim(id, letters) == ""
}

// NoStore marks answers of the API as nobody's to keep. Vary: * besides
// no-store, since the original's service worker keeps whatever it may and asks
// no Cache-Control (docs/contract.md#d27).
func NoStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderVary, "*")
		h.Set(echo.HeaderCacheControl, "no-store")
		return next(c)
	}
}

// Answer lets the error handler answer failures and panics, then counts and
// logs the request. It goes first. A failure after the first bytes of an answer
// cuts the connection: a client must not take half a list for a whole one.
func Answer(log *slog.Logger, metrics *observe.Metrics, access bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := time.Now()
			err := guarded(next, c)
			broken := err != nil && c.Response().Committed
			if err != nil {
				c.Error(err)
			}
			took := time.Since(began)
			metrics.Request(c.Request().Method, route(c), c.Response().Status, took)
			if access {
				logRequest(log, c, err, took)
			}
			if broken {
				panic(http.ErrAbortHandler)
			}
			return nil
		}
	}
}

// guarded turns a panic into an error with its stack.
func guarded(next echo.HandlerFunc, c echo.Context) (err error) {
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

// Guard logs a panic of what is beside echo, and cuts that one connection. It
// wraps no ResponseWriter, so WebSockets pass.
func Guard(log *slog.Logger) func(http.Handler) http.Handler {
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

// route is the pattern that matched, or one word for all that matched none.
func route(c echo.Context) string {
	if p := c.Path(); p != "" {
		return p
	}
	return "unmatched"
}

func logRequest(log *slog.Logger, c echo.Context, err error, took time.Duration) {
	r, w := c.Request(), c.Response()
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route(c)), slog.Int("status", w.Status),
		slog.Int64("bytes", w.Size), slog.Duration("took", took.Round(time.Microsecond)), slog.String("ip", clientIP(r).String()),
		slog.String("request_id", w.Header().Get(HeaderRequestID)),
	}
	if w.Status == http.StatusNotFound {
		attrs = append(attrs, slog.String("path", r.URL.Path[:min(len(r.URL.Path), maxLoggedPath)]))
	}
	if id, ok := auth.FromContext(r.Context()); ok {
		attrs = append(attrs, slog.String("user_id", id.User.ID))
	}
	var coded *models.Error
	if errors.As(err, &coded) && coded.Code != "" {
		attrs = append(attrs, slog.String("code", coded.Code))
	}
	log.LogAttrs(r.Context(), level, "http request", attrs...)
}
