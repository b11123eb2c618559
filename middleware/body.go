package middleware

import (
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/fair"
	"expenseflow/models"
)

// The sizes of request bodies in bytes: offline batches may be large (docs/contract.md#d5), nothing else need be.
const (
	MaxOpenBody = 64 << 10 // of requests without a token
	MaxBody     = 1 << 20
	MaxSyncBody = 10 << 20
	MaxUpload   = 11 << 20 // a file of 10 MB and what a form has around it
)

// A body must make progress, and end: a phone on a bad line may take minutes,
// a client that sends a byte now and then may not hold on for ever.
const (
	bodyPatience = 30 * time.Second
	bodyRate     = 4 << 10 // bytes a second that have to arrive, after the first bodyPatience
	// BodyLongest is how long any body may take, OpenBodyLongest how long one of a
	// request without a token may: such bodies are small.
	BodyLongest     = 10 * time.Minute
	OpenBodyLongest = 10 * time.Second
	// bodyWait is how long a request waits for room for its body.
	bodyWait = 2 * time.Minute
)

// How many bytes of bodies a process holds at a time: of small ones, which have no more
// than smallBody each, and of larger ones. Bodies beyond that wait and are not refused:
// a page whose offline queue is refused sends it for ever.
const (
	smallBody       = MaxOpenBody
	SmallBodyBytes  = 16 << 20
	LargerBodyBytes = 64 << 20
)

// bodyWaiting is how many requests may wait with their bodies.
const bodyWaiting = 4096

// A BodyRoom is the room that all bodies of a process share: fairly by user, and by
// address where no token says who it is. Small bodies have theirs apart, so that an
// expense or a sign-in never waits for somebody's offline queue to arrive.
type BodyRoom struct{ small, larger *fair.Pool }

// NewBodyRoom makes an empty one.
func NewBodyRoom() *BodyRoom {
	return &BodyRoom{
		small:  fair.New(fair.Options{Capacity: SmallBodyBytes, Waiting: bodyWaiting}),
		larger: fair.New(fair.Options{Capacity: LargerBodyBytes, Waiting: bodyWaiting}),
	}
}

// enter waits for room for a body, in turn with those of others.
func (b *BodyRoom) enter(r *http.Request, size int64) (leave func(), err error) {
	pool, key := b.larger, bodyOwner(r)
	if size <= smallBody {
		pool = b.small
	}
	ctx, cancel := context.WithTimeout(r.Context(), bodyWait)
	defer cancel()
	if err := pool.Acquire(ctx, key, size); err != nil {
		return nil, errNoRoom
	}
	return func() { pool.Release(key, size) }, nil
}

// bodyOwner is whom a body is counted to.
func bodyOwner(r *http.Request) string {
	if id, ok := auth.FromContext(r.Context()); ok {
		return id.User.ID
	}
	return network(clientIP(r))
}

var (
	// errTooLarge is in the words of the body parser that the original used.
	errTooLarge = models.E(models.TooLarge, "request entity too large")
	errNoRoom   = &models.Error{
		Kind: models.Unavailable, Code: "BODY_LIMIT", Msg: "Too many large requests are under way, please try again", RetryAfter: 5 * time.Second,
	}
)

// Body bounds the request's body to limit bytes, as sent and when it is unzipped, and
// its arrival in time: no longer than longest, and less if little of it arrives. Reading
// too much fails with models.TooLarge; a declared length is refused unread. The body has
// its place in room from before it is read until the handler returns.
func Body(limit int64, longest time.Duration, room *BodyRoom) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Body == nil || r.Body == http.NoBody {
				return next(c)
			}
			unzip, err := unzipper(r)
			switch {
			case err != nil:
				return err
			case r.ContentLength > limit:
				drain(c, limit)
				return errTooLarge
			}
			size := limit
			if r.ContentLength >= 0 && unzip == nil {
				size = r.ContentLength
			}
			leave, err := room.enter(r, size)
			if err != nil {
				return err
			}
			defer leave()
			r.Body = newBody(c, limit, longest)
			if unzip != nil {
				r.Body = &unzipped{ReadCloser: r.Body, open: unzip, limit: limit}
			}
			return next(c)
		}
	}
}

// bodyTime is how long a body may take of which that many bytes have arrived: room is
// held for what was announced, and so only for those who send it.
func bodyTime(arrived int64, longest time.Duration) time.Duration {
	return min(longest, bodyPatience+time.Duration(arrived/bodyRate)*time.Second)
}

// unzipper is how the body is to be unzipped, nil for not at all.
func unzipper(r *http.Request) (func(io.Reader) (io.ReadCloser, error), error) {
	switch strings.ToLower(strings.TrimSpace(r.Header.Get(echo.HeaderContentEncoding))) {
	case "", "identity":
		return nil, nil
	case "gzip":
		return func(body io.Reader) (io.ReadCloser, error) { return gzip.NewReader(body) }, nil
	case "deflate":
		return zlib.NewReader, nil
	}
	return nil, models.E(models.WrongMedia, "Request bodies may be compressed with gzip or deflate only")
}

// An unzipped is a body's content. It opens the body at the first read, so that
// nothing is read of one that nobody wants.
type unzipped struct {
	io.ReadCloser
	open  func(io.Reader) (io.ReadCloser, error)
	limit int64 // bytes that may still come

	content io.Reader
}

var errNotZipped = models.E(models.Invalid, "The request body is not compressed as its Content-Encoding says")

// Read gives the next bytes of the content.
func (u *unzipped) Read(p []byte) (n int, err error) {
	if u.content == nil {
		if u.content, err = u.open(u.ReadCloser); err != nil {
			return 0, asZipError(err)
		}
	}
	n, err = u.content.Read(p)
	if u.limit -= int64(n); u.limit < 0 {
		return 0, errTooLarge
	}
	return n, asZipError(err)
}

// asZipError is err where the body itself failed, and says else that its content is
// no such thing.
func asZipError(err error) error {
	var known *models.Error
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &known) || errors.As(err, new(net.Error)) {
		return err
	}
	return errNotZipped
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
	_, _ = io.CopyN(io.Discard, newBody(c, 2*limit, bodyPatience), 2*limit)
}

// A body is a request's body with its bounds.
type body struct {
	io.ReadCloser
	conn    *http.ResponseController
	began   time.Time
	longest time.Duration
	arrived int64 // bytes
}

func newBody(c echo.Context, limit int64, longest time.Duration) *body {
	return &body{
		ReadCloser: http.MaxBytesReader(c.Response(), c.Request().Body, limit),
		conn:       http.NewResponseController(c.Response()),
		began:      time.Now(),
		longest:    longest,
	}
}

// Read gives the next bytes a while to arrive. After the last the deadline is
// taken back: the server watches the connection for as long as the handler runs,
// and would take a deadline that passes for a client that left.
func (b *body) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyPatience)
	if ends := b.began.Add(bodyTime(b.arrived, b.longest)); deadline.After(ends) {
		deadline = ends
	}
	_ = b.conn.SetReadDeadline(deadline) // not every transport has one
	n, err := b.ReadCloser.Read(p)
	b.arrived += int64(n)
	if errors.Is(err, io.EOF) { // after anything else net/http may go on reading
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return n, errTooLarge
	}
	return n, err
}
