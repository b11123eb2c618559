// Package handlers implements the HTTP routes: each parses the request, calls the ledger
// or the store, and encodes the response. There is one file per resource. Rules are in
// package ledger, documents and texts in package wire.
//
// Invariants:
//   - Every response is JSON and none is empty, including errors and unknown routes: the
//     original's pages parse every response (docs/contract.md#clients, docs/contract.md#d31).
//   - Handlers return errors. ErrorHandler encodes each of them, middleware.AccessLog logs it.
//   - A temporary server error is 503 with Retry-After, never 401 (docs/contract.md#d18).
package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// status maps kinds of errors to HTTP status codes.
var status = map[models.Kind]int{
	models.Internal:         http.StatusInternalServerError,
	models.Invalid:          http.StatusBadRequest,
	models.Unauthorized:     http.StatusUnauthorized,
	models.Forbidden:        http.StatusForbidden,
	models.NotFound:         http.StatusNotFound,
	models.Conflict:         http.StatusConflict,
	models.TooLarge:         http.StatusRequestEntityTooLarge,
	models.TooMany:          http.StatusTooManyRequests,
	models.Unavailable:      http.StatusServiceUnavailable,
	models.NotImplemented:   http.StatusNotImplemented,
	models.UnsupportedMedia: http.StatusUnsupportedMediaType,
}

// retryAfter is the Retry-After of an error that has none.
const retryAfter = 2 * time.Second

// errorBody is the body of an error response. RetryAfter is in seconds and set for
// models.TooMany only (docs/contract.md#live-features).
type errorBody struct {
	wire.ErrorBody
	RetryAfter int `json:"retryAfter,omitempty"`
}

// ErrorHandler is Echo's error handler. It encodes errors; middleware.AccessLog logs them.
func ErrorHandler(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	err = translateRouterError(err, c)
	kind := models.KindOf(err)
	body := errorBody{ErrorBody: wire.NewErrorBody(err)}
	if c.Get(errorCodeKey) != nil {
		body.Code = wire.Code(err)
	}
	if kind == models.TooMany || kind == models.Unavailable {
		wait := retryAfterSeconds(err)
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(wait))
		if kind == models.TooMany {
			body.RetryAfter = wait
		}
	}
	_ = respond(c, status[kind], body) // fails only if the client has disconnected
}

// errorCodeKey marks requests whose refusals always carry a code.
const errorCodeKey = "error code"

// withErrorCode makes every error response of a route carry a code. Routes that the
// original server does not have use it (docs/contract.md#live-features); errors of the
// other routes stay as the original has them.
func withErrorCode(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(errorCodeKey, true)
		return next(c)
	}
}

// withCodes returns mw with withErrorCode before it.
func withCodes(mw []echo.MiddlewareFunc) []echo.MiddlewareFunc {
	return slices.Concat([]echo.MiddlewareFunc{withErrorCode}, mw)
}

// translateRouterError converts the router's errors. An unknown method of a known path
// gets the same error as an unknown path (docs/contract.md#routes).
func translateRouterError(err error, c echo.Context) error {
	var he *echo.HTTPError
	if !errors.As(err, &he) || (he.Code != http.StatusNotFound && he.Code != http.StatusMethodNotAllowed) {
		return err
	}
	return unknownRoute(c)
}

// maxShownPath is the maximum number of bytes of a path in an error message.
const maxShownPath = 200

func unknownRoute(c echo.Context) error {
	path := c.Request().URL.Path
	if len(path) > maxShownPath {
		path = path[:maxShownPath]
	}
	return models.E(models.NotFound, "Cannot "+c.Request().Method+" "+path)
}

// NotFound handles requests that match no route.
func NotFound(c echo.Context) error { return unknownRoute(c) }

// retryAfterSeconds returns the value of Retry-After for err, rounded up.
func retryAfterSeconds(err error) int {
	wait := retryAfter
	var e *models.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	return int(math.Ceil(wait.Seconds()))
}

// get registers h for GET and HEAD.
func get(g *echo.Group, path string, h echo.HandlerFunc, mw ...echo.MiddlewareFunc) {
	g.GET(path, h, mw...)
	g.HEAD(path, h, mw...)
}

// caller returns the authenticated identity of the request. It must be used only behind
// middleware.Authenticate.
func caller(c echo.Context) auth.Identity {
	id, _ := auth.FromContext(c.Request().Context())
	return id
}

// userID returns the ID of the user who sent the request.
func userID(c echo.Context) string { return caller(c).User.ID }

// authorFrom returns the author of a change. deviceID is that of the body; if it is "",
// the header X-Device-Id counts.
func authorFrom(c echo.Context, deviceID string) (models.Author, error) {
	header, err := clientName(c, "X-Device-Id")
	if err != nil {
		return models.Author{}, err
	}
	if deviceID == "" {
		deviceID = header
	}
	claims := caller(c).Claims
	return models.Author{
		DeviceID: deviceID, TokenID: claims.TokenID, TokenIssued: claims.SignedIn, Browser: auth.BrowserID(c.Request().Header),
	}, nil
}

// A bodyParser parses a body that has a wire.Meta, such as wire.ParseDraft.
type bodyParser[T any] = func(json.RawMessage) (T, wire.Meta, error)

// decode parses the body of a change and returns it with its meta data and author.
func decode[T any](c echo.Context, parse bodyParser[T]) (v T, m wire.Meta, by models.Author, err error) {
	b, err := body(c)
	if err != nil {
		return v, m, by, err
	}
	if v, m, err = parse(b); err != nil {
		return v, m, by, err
	}
	by, err = authorFrom(c, m.DeviceID)
	return v, m, by, err
}

// author returns the author of a change whose body contains nothing else than the device.
func author(c echo.Context) (models.Author, error) {
	_, _, by, err := decode(c, func(b json.RawMessage) (struct{}, wire.Meta, error) {
		m, err := wire.ParseMeta(b)
		return struct{}{}, m, err
	})
	return by, err
}

// clientName returns the value of a header that holds an id chosen by the client.
func clientName(c echo.Context, header string) (string, error) {
	name := c.Request().Header.Get(header)
	if models.UTF16Len(name) > wire.MaxIDLength {
		v := models.Violation{Field: header, Rule: models.RuleTooLong, Limit: wire.MaxIDLength}
		return "", models.E(models.Invalid, wire.JoiMessage(v))
	}
	return name, nil
}

// body reads the whole request body and decodes it as browsers do: without a byte order
// mark, and with U+FFFD instead of invalid UTF-8. The result is valid UTF-8.
func body(c echo.Context) (json.RawMessage, error) {
	b, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return nil, bodyError(err)
	}
	return validText(bytes.TrimPrefix(b, []byte("\ufeff"))), nil
}

// bodyError returns the error of a body that could not be read.
func bodyError(err error) error {
	var known *models.Error
	if errors.As(err, &known) {
		return err
	}
	return &models.Error{
		Kind: models.Invalid, Msg: "The request body did not arrive", Err: fmt.Errorf("read the body: %w", err),
	}
}

// validText returns b with U+FFFD for each run of invalid UTF-8. Nearly every body is
// valid, and checking that first is several times faster.
func validText(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\ufffd"))
}

// mediaJSON is the Content-Type of responses (docs/contract.md#http).
const mediaJSON = "application/json; charset=utf-8"

// respond sends v as JSON.
func respond(c echo.Context, code int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the Content-Type is not HTML
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	return jsonBytes(c, code, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// jsonBytes sends encoded JSON.
func jsonBytes(c echo.Context, code int, b []byte) error { return c.Blob(code, mediaJSON, b) }

// message is the body of a success without data.
type message struct {
	Success bool   `json:"success,omitempty"` // absent if false
	Message string `json:"message"`
}
