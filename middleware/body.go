package middleware

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/models"
)

// The sizes of request bodies in bytes: offline batches may be large (CONTRACT
// D5), nothing else need be.
const (
	MaxBody     = 1 << 20
	MaxSyncBody = 10 << 20
	MaxUpload   = 11 << 20 // a file of 10 MB and what a form has around it
)

// A body must make progress, and end: a phone on a bad line may take minutes,
// a client that sends a byte now and then may not hold on for ever.
const (
	bodyPatience = 30 * time.Second
	bodyLongest  = 10 * time.Minute
)

// errTooLarge is in the words of the body parser that the original used.
var errTooLarge = models.E(models.TooLarge, "request entity too large")

// Body bounds the request's body to limit bytes and its arrival in time. Reading
// too much fails with models.TooLarge; a declared length is refused unread.
func Body(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if enc := r.Header.Get(echo.HeaderContentEncoding); enc != "" && enc != "identity" {
				return models.E(models.Invalid, "Compressed request bodies are not supported")
			}
			if r.ContentLength > limit {
				drain(c, limit)
				return errTooLarge
			}
			if r.Body != nil && r.Body != http.NoBody {
				r.Body = newBody(c, limit)
			}
			return next(c)
		}
	}
}

// Arriving gives a body that nobody reads a while to arrive: net/http reads what is
// left of it before it answers, and would wait for that without end.
func Arriving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience)) // not every transport has one
		}
		next.ServeHTTP(w, r)
	})
}

// drain reads a little of a body that nobody wants: a client that is still
// sending when the connection is closed often does not get to see the answer.
func drain(c echo.Context, limit int64) {
	_, _ = io.CopyN(io.Discard, newBody(c, 2*limit), 2*limit)
}

// A body is a request's body with its bounds.
type body struct {
	io.ReadCloser
	conn *http.ResponseController
	ends time.Time
}

func newBody(c echo.Context, limit int64) *body {
	return &body{
		ReadCloser: http.MaxBytesReader(c.Response(), c.Request().Body, limit),
		conn:       http.NewResponseController(c.Response()),
		ends:       time.Now().Add(bodyLongest),
	}
}

// Read gives the next bytes a while to arrive. After the last the deadline is
// taken back: the server watches the connection for as long as the handler runs,
// and would take a deadline that passes for a client that left.
func (b *body) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyPatience)
	if deadline.After(b.ends) {
		deadline = b.ends
	}
	_ = b.conn.SetReadDeadline(deadline) // not every transport has one
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) { // after anything else net/http may go on reading
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return n, errTooLarge
	}
	return n, err
}
