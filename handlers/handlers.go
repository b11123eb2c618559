// Package handlers answers HTTP requests: parse, call, encode, one file per
// resource. Rules are the ledger's, documents and texts are wire's.
//
// Invariants:
//   - Every answer is JSON and none is empty, errors and unknown routes included:
//     the original's pages parse whatever comes (docs/contract.md#clients, docs/contract.md#d31).
//   - Errors come back from handlers; Errors answers and logs each of them once.
//   - Trouble of ours is 503 with Retry-After, never 401 (docs/contract.md#d18).
package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// status is the number of each kind of error.
var status = map[models.Kind]int{
	models.Internal:     http.StatusInternalServerError,
	models.Invalid:      http.StatusBadRequest,
	models.Unauthorized: http.StatusUnauthorized,
	models.Forbidden:    http.StatusForbidden,
	models.NotFound:     http.StatusNotFound,
	models.Conflict:     http.StatusConflict,
	models.TooLarge:     http.StatusRequestEntityTooLarge,
	models.TooMany:      http.StatusTooManyRequests,
	models.Unavailable:  http.StatusServiceUnavailable,
	models.NotBuilt:     http.StatusNotImplemented,
	models.WrongMedia:   http.StatusUnsupportedMediaType,
}

// retryAfter is when to come again if an error does not say.
const retryAfter = 2 * time.Second

// failure is an error's document; RetryAfter is in seconds, of TooMany alone
// (docs/contract.md#live-features).
type failure struct {
	wire.Failure
	RetryAfter int `json:"retryAfter,omitempty"`
}

// Errors gives the program's one error handler. It logs trouble of ours with
// its cause; what is the client's trouble is in the log line of the request.
func Errors(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		err = routed(err, c)
		kind := models.KindOf(err)
		if kind == models.Internal || kind == models.Unavailable {
			logTrouble(log, c, err)
		}
		if c.Response().Committed {
			return
		}
		body := failure{Failure: wire.NewFailure(err)}
		if c.Get(codedKey) != nil {
			body.Code = wire.Code(err)
		}
		if kind == models.TooMany || kind == models.Unavailable {
			wait := seconds(err)
			c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(wait))
			if kind == models.TooMany {
				body.RetryAfter = wait
			}
		}
		_ = respond(c, status[kind], body) // a client that left has nobody to tell
	}
}

// codedKey marks requests whose refusals always carry a code.
const codedKey = "coded"

// coded has every refusal of a route carry a code. What the original has no
// words for does (docs/contract.md#live-features); where it has, they stay as they are.
func coded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(codedKey, true)
		return next(c)
	}
}

// routed translates what the router itself says: a method that a path does not
// know is as unknown as the path, in the original's words (docs/contract.md#routes).
func routed(err error, c echo.Context) error {
	var he *echo.HTTPError
	if !errors.As(err, &he) || (he.Code != http.StatusNotFound && he.Code != http.StatusMethodNotAllowed) {
		return err
	}
	return unknownRoute(c)
}

// maxShownPath bounds how much of a path an answer repeats.
const maxShownPath = 200

func unknownRoute(c echo.Context) error {
	path := c.Request().URL.Path
	if len(path) > maxShownPath {
		path = path[:maxShownPath]
	}
	return models.E(models.NotFound, "Cannot "+c.Request().Method+" "+path)
}

// NotFound answers what no route knows.
func NotFound(c echo.Context) error { return unknownRoute(c) }

func logTrouble(log *slog.Logger, c echo.Context, err error) {
	level := slog.LevelError
	if c.Request().Context().Err() != nil {
		level = slog.LevelDebug // the client left, and took its request with it
	}
	log.Log(c.Request().Context(), level, "request failed", slog.String("route", c.Path()),
		slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)), slog.Any("error", err))
}

// seconds is how long the client shall wait, at least one.
func seconds(err error) int {
	wait := retryAfter
	var e *models.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	return int(math.Ceil(wait.Seconds()))
}

// get registers h for GET and HEAD, as browsers and proxies use both.
func get(g *echo.Group, path string, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	g.GET(path, h, mw...)
	g.HEAD(path, h, mw...)
}

// caller is who sent the request; the middleware let nobody else in.
func caller(ctx context.Context) auth.Identity {
	id, _ := auth.FromContext(ctx)
	return id
}

// author is who made the change: deviceID as the body names it, else as the
// header X-Device-Id does.
func author(c echo.Context, deviceID string) (models.Author, error) {
	header, err := headerName(c, "X-Device-Id")
	if err != nil {
		return models.Author{}, err
	}
	if deviceID == "" {
		deviceID = header
	}
	claims := caller(c.Request().Context()).Claims
	return models.Author{DeviceID: deviceID, TokenID: claims.TokenID, TokenIssued: claims.IssuedAt, Browser: auth.Browser(c.Request().Header)}, nil
}

// sent reads a change: the body as parse understands it, and who sends it.
func sent[T any](c echo.Context, parse func(json.RawMessage) (T, wire.Meta, error)) (v T, m wire.Meta, by models.Author, err error) {
	b, err := body(c)
	if err != nil {
		return v, m, by, err
	}
	if v, m, err = parse(b); err != nil {
		return v, m, by, err
	}
	by, err = author(c, m.DeviceID)
	return v, m, by, err
}

// sender is who sends a change whose body may name the device and nothing else.
func sender(c echo.Context) (models.Author, error) {
	_, _, by, err := sent(c, func(b json.RawMessage) (struct{}, wire.Meta, error) {
		m, err := wire.ParseMeta(b)
		return struct{}{}, m, err
	})
	return by, err
}

// headerName gives the name that a client put into a header.
func headerName(c echo.Context, header string) (string, error) {
	name := c.Request().Header.Get(header)
	if models.UTF16Len(name) > wire.MaxID {
		v := models.Violation{Field: header, Rule: models.RuleTooLong, Limit: wire.MaxID}
		return "", models.E(models.Invalid, wire.Joi(v))
	}
	return name, nil
}

// body reads the whole request body, as a browser's text: without a byte order mark,
// and with U+FFFD for what is no UTF-8. Everything behind may take it for text.
func body(c echo.Context) (json.RawMessage, error) {
	b, err := io.ReadAll(c.Request().Body)
	var known *models.Error
	switch {
	case err == nil:
		return bytes.ToValidUTF8(bytes.TrimPrefix(b, []byte("\ufeff")), []byte("\ufffd")), nil
	case errors.As(err, &known):
		return nil, err
	}
	return nil, &models.Error{Kind: models.Invalid, Msg: "The request body did not arrive", Err: fmt.Errorf("read the body: %w", err)}
}

// mediaJSON is how the original declares its answers (docs/contract.md#http).
const mediaJSON = "application/json; charset=utf-8"

// respond answers with v as JSON.
func respond(c echo.Context, code int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the type says that it is no HTML
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	return jsonBytes(c, code, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// jsonBytes answers with JSON that is encoded already.
func jsonBytes(c echo.Context, code int, b []byte) error { return c.Blob(code, mediaJSON, b) }

// message is a success that has nothing else to say.
type message struct {
	Success bool   `json:"success,omitempty"`
	Message string `json:"message"`
}
