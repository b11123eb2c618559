package middleware

import (
	"compress/gzip"
	"compress/zlib"
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

// Maximum sizes of request bodies in bytes. Only offline batches are large
// (docs/contract.md#d5).
const (
	MaxPublicBody = 64 << 10 // of requests without a token
	MaxBody       = 1 << 20
	MaxSyncBody   = 10 << 20
	MaxUpload     = 11 << 20 // a file of 10 MB in a multipart form
)

// Limits of the time that a body takes to arrive. They allow minutes for a phone with a
// bad connection, but end a client that sends a byte now and then.
const (
	bodyReadTimeout = 30 * time.Second // of one read
	minBodyRate     = 4 << 10          // average bytes per second, after the first bodyReadTimeout
	// MaxBodyTime and MaxPublicBodyTime bound a whole body, the latter of a request
	// without a token.
	MaxBodyTime       = 10 * time.Minute
	MaxPublicBodyTime = 10 * time.Second
	// maxBodyWait is how long a request waits for memory for its body.
	maxBodyWait = 2 * time.Minute
)

// Memory of all bodies of a process: of small ones, with up to smallBody bytes each, and
// of larger ones. Bodies beyond that wait. They are not refused, because a page whose
// offline queue is refused sends it again for ever.
const (
	smallBody       = MaxPublicBody
	SmallBodyBytes  = 16 << 20
	LargerBodyBytes = 64 << 20
)

// maxBodiesWaiting is the maximum number of requests that wait for memory.
const maxBodiesWaiting = 4096

// A BodyMemory is the memory that all bodies of a process share, fairly by user, and by
// network for requests without a token. Small bodies have a part of their own, so that a
// single expense or a sign-in never waits for an offline queue to arrive.
type BodyMemory struct{ small, larger *fair.Pool }

// NewBodyMemory returns a BodyMemory of which nothing is in use.
func NewBodyMemory() *BodyMemory {
	return &BodyMemory{
		small:  fair.New(fair.Options{Capacity: SmallBodyBytes, Waiting: maxBodiesWaiting}),
		larger: fair.New(fair.Options{Capacity: LargerBodyBytes, Waiting: maxBodiesWaiting}),
	}
}

// acquire waits for memory for a body of size bytes.
func (b *BodyMemory) acquire(r *http.Request, size int64) (*reservation, error) {
	pool := b.larger
	if size <= smallBody {
		pool = b.small
	}
	return reserve(r.Context(), pool, bodyKey(r), size)
}

// bodyKey returns the user, or else the network, to whom a body is counted.
func bodyKey(r *http.Request) string {
	if id, ok := auth.FromContext(r.Context()); ok {
		return id.User.ID
	}
	return networkOf(clientIP(r))
}

var (
	// errTooLarge has the message of Express's body parser.
	errTooLarge = &models.Error{Kind: models.TooLarge, Msg: "request entity too large", Setting: models.FixedLimit}
	errNoMemory = &models.Error{
		Kind: models.Unavailable, Code: "BODY_LIMIT", RetryAfter: 5 * time.Second, Setting: models.FixedLimit,
		Msg: "Too many large requests are under way, please try again",
	}
)

// LimitBody limits the request's body to limit bytes, compressed and decompressed, and the
// time of its arrival to longest, or less if it arrives slowly. Reading more fails with
// models.TooLarge; a larger Content-Length is refused without reading. The body occupies
// memory until the answer begins.
func LimitBody(limit int64, longest time.Duration, memory *BodyMemory) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Body == nil || r.Body == http.NoBody {
				return next(c)
			}
			unzip, err := decompressor(r)
			switch {
			case err != nil:
				return err
			case r.ContentLength > limit:
				discardBody(c, limit)
				return errTooLarge
			}
			size := limit
			if r.ContentLength >= 0 && unzip == nil {
				size = r.ContentLength
			}
			held, err := memory.acquire(r, size)
			if err != nil {
				return err
			}
			defer held.leave()
			c.Response().Before(held.leave) // its client may take the answer slowly
			held.ReadCloser = newBody(c, limit, longest)
			if unzip != nil {
				held.ReadCloser = &decompressedBody{ReadCloser: held.ReadCloser, open: unzip, limit: limit}
			}
			r.Body = held
			return next(c)
		}
	}
}

// maxBodyDuration returns the time that a body may take after arrived bytes of it.
func maxBodyDuration(arrived int64, longest time.Duration) time.Duration {
	return min(longest, bodyReadTimeout+time.Duration(arrived/minBodyRate)*time.Second)
}

// decompressor returns the function that decompresses the body; nil if it is not
// compressed.
func decompressor(r *http.Request) (func(io.Reader) (io.ReadCloser, error), error) {
	switch strings.ToLower(strings.TrimSpace(r.Header.Get(echo.HeaderContentEncoding))) {
	case "", "identity":
		return nil, nil
	case "gzip":
		return func(body io.Reader) (io.ReadCloser, error) { return gzip.NewReader(body) }, nil
	case "deflate":
		return zlib.NewReader, nil
	}
	return nil, models.E(models.UnsupportedMedia, "Request bodies may be compressed with gzip or deflate only")
}

// A decompressedBody is the decompressed content of a body. It begins to read at the
// first Read.
type decompressedBody struct {
	io.ReadCloser
	open  func(io.Reader) (io.ReadCloser, error)
	limit int64 // remaining bytes

	content io.Reader
}

var errNotCompressed = models.E(models.Invalid, "The request body is not compressed as its Content-Encoding says")

// Read returns the next bytes of the content.
func (u *decompressedBody) Read(p []byte) (n int, err error) {
	if u.content == nil {
		if u.content, err = u.open(u.ReadCloser); err != nil {
			return 0, decompressError(err)
		}
	}
	n, err = u.content.Read(p)
	if u.limit -= int64(n); u.limit < 0 {
		return 0, errTooLarge
	}
	return n, decompressError(err)
}

// decompressError returns err if reading the body failed, else errNotCompressed.
func decompressError(err error) error {
	var known *models.Error
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &known) || errors.As(err, new(net.Error)) {
		return err
	}
	return errNotCompressed
}

// BodyDeadline bounds how long the server waits for an unread request body: net/http
// reads the rest of it before it responds, without a limit of time.
func BodyDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyReadTimeout)) // unsupported by httptest
		}
		next.ServeHTTP(w, r)
	})
}

// discardBody reads the beginning of a refused body. A client that is still sending when
// the connection is closed often does not read the response.
func discardBody(c echo.Context, limit int64) {
	_, _ = io.CopyN(io.Discard, newBody(c, 2*limit, bodyReadTimeout), 2*limit)
}

// A body is a request's body with a limit of size and time.
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

// Read reads with a deadline. It removes the deadline after the last byte, because the
// server reads from the connection in the background while the handler runs, and would
// take an expired deadline for a client that disconnected.
func (b *body) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyReadTimeout)
	if ends := b.began.Add(maxBodyDuration(b.arrived, b.longest)); deadline.After(ends) {
		deadline = ends
	}
	_ = b.conn.SetReadDeadline(deadline) // unsupported by httptest
	n, err := b.ReadCloser.Read(p)
	b.arrived += int64(n)
	if errors.Is(err, io.EOF) { // after another error net/http may continue to read
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return n, errTooLarge
	}
	return n, err
}
