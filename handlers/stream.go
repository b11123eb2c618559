package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// flushSize is how much of a long answer is held before it is sent: the
	// memory that a list of any length takes.
	flushSize = 32 << 10
	// flushPatience is how long a client may take to make room for the next part.
	flushPatience = 30 * time.Second
	// streamLongest is how long all of an answer may take: it holds a connection of
	// the database, and a few clients that hardly read could hold all that there are.
	streamLongest = 10 * time.Minute
)

// A stream writes a JSON answer of any length in constant memory. Nothing is
// sent before flushSize is reached or Close is called, so that an error before
// that can still be answered as one.
type stream struct {
	buf  []byte
	c    echo.Context
	conn *http.ResponseController
	ends time.Time
}

func newStream(c echo.Context, start string) *stream {
	return &stream{
		buf:  append(make([]byte, 0, flushSize+flushSize/4), start...),
		c:    c,
		conn: http.NewResponseController(c.Response()),
		ends: time.Now().Add(streamLongest),
	}
}

// add lets encode append one more part.
func (s *stream) add(encode func(b []byte) []byte) error {
	s.buf = encode(s.buf)
	if len(s.buf) < flushSize {
		return nil
	}
	return s.flush()
}

// list is add for element n, counted from 1, of an array.
func (s *stream) list(n int, encode func(b []byte) []byte) error {
	if n > 1 {
		s.buf = append(s.buf, ',')
	}
	return s.add(encode)
}

func (s *stream) flush() error {
	w := s.c.Response()
	if !w.Committed {
		w.Header().Set(echo.HeaderContentType, mediaJSON)
		w.WriteHeader(http.StatusOK)
	}
	deadline := time.Now().Add(flushPatience)
	if deadline.After(s.ends) {
		deadline = s.ends
	}
	_ = s.conn.SetWriteDeadline(deadline) // not every transport has one
	_, err := w.Write(s.buf)
	s.buf = s.buf[:0]
	return err
}

// finish sends what is left.
func (s *stream) finish(end string) error {
	s.buf = append(s.buf, end...)
	return s.flush()
}
