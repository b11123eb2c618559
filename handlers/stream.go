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
	// flushRate is how many bytes a second a client has to take on the whole, beyond
	// flushPatience: an answer holds a connection of the database, and a few clients
	// that hardly read could hold all that there are.
	flushRate = 16 << 10
	// streamLongest is how long all of an answer may take.
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

	sent    int           // bytes, before compression
	blocked time.Duration // how long the client let them wait; our own pauses do not count
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
	began := time.Now()
	_ = s.conn.SetWriteDeadline(s.deadline(began)) // not every transport has one
	_, err := w.Write(s.buf)
	s.blocked += time.Since(began)
	s.sent += len(s.buf)
	s.buf = s.buf[:0]
	return err
}

// deadline is when the client has to have taken what is held.
func (s *stream) deadline(now time.Time) time.Time {
	allowed := flushPatience + time.Duration(s.sent+len(s.buf))*time.Second/flushRate - s.blocked
	deadline := now.Add(min(flushPatience, allowed))
	if deadline.After(s.ends) {
		return s.ends
	}
	return deadline
}

// finish sends what is left.
func (s *stream) finish(end string) error {
	s.buf = append(s.buf, end...)
	return s.flush()
}
