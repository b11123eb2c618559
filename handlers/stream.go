package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// flushSize is the size of the buffer in bytes: the memory of a response of any length.
	flushSize = 32 << 10
	// flushTimeout bounds one write to the client.
	flushTimeout = 30 * time.Second
	// minFlushRate is the average number of bytes per second that a client must read,
	// after the first flushTimeout. A response holds memory and for some time a database
	// connection, all of which a few slow clients could occupy.
	minFlushRate = 16 << 10
	// maxStreamTime bounds a whole response.
	maxStreamTime = 10 * time.Minute
)

// A stream writes a response of any length, JSON unless its header says otherwise, in constant memory. Nothing is sent
// before flushSize bytes are buffered or finish is called, so an error before that can
// still be sent as an error response.
type stream struct {
	buf  []byte
	c    echo.Context
	conn *http.ResponseController
	ends time.Time // deadline of the whole response

	sent    int           // bytes, before compression
	blocked time.Duration // total time of writes
}

func newStream(c echo.Context, start string) *stream {
	return &stream{
		buf:  append(make([]byte, 0, flushSize+flushSize/4), start...),
		c:    c,
		conn: http.NewResponseController(c.Response()),
		ends: time.Now().Add(maxStreamTime),
	}
}

// add calls encode to append to the buffer, and flushes the buffer if it is full.
func (s *stream) add(encode func(b []byte) []byte) error {
	s.buf = encode(s.buf)
	if len(s.buf) < flushSize {
		return nil
	}
	return s.flush()
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	return len(p), s.add(func(b []byte) []byte { return append(b, p...) })
}

// element is add for element n, counted from 1, of an array. Time inside element counts as a
// slow caller for the listing that is read meanwhile (internal/store/listing.go).
func (s *stream) element(n int, encode func(b []byte) []byte) error {
	if n > 1 {
		s.buf = append(s.buf, ',')
	}
	return s.add(encode)
}

func (s *stream) flush() error {
	w := s.c.Response()
	if !w.Committed {
		if w.Header().Get(echo.HeaderContentType) == "" {
			w.Header().Set(echo.HeaderContentType, mediaJSON)
		}
		w.WriteHeader(http.StatusOK)
	}
	began := time.Now()
	_ = s.conn.SetWriteDeadline(s.deadline(began)) // unsupported by httptest
	_, err := w.Write(s.buf)
	s.blocked += time.Since(began)
	s.sent += len(s.buf)
	s.buf = s.buf[:0]
	return err
}

// deadline returns the time by which the buffer must be written.
func (s *stream) deadline(now time.Time) time.Time {
	allowed := flushTimeout + time.Duration(s.sent+len(s.buf))*time.Second/minFlushRate - s.blocked
	deadline := now.Add(min(flushTimeout, allowed))
	if deadline.After(s.ends) {
		return s.ends
	}
	return deadline
}

// finish appends end and sends the rest.
func (s *stream) finish(end string) error {
	s.buf = append(s.buf, end...)
	return s.flush()
}
