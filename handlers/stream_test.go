package handlers

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// A patient is a response whose deadlines are noted.
type patient struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (p *patient) SetWriteDeadline(t time.Time) error {
	p.until = t
	return nil
}

// Whoever read a little now and then held a connection of the database for hours.
func TestALongAnswerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &patient{ResponseRecorder: httptest.NewRecorder()}
		s := newStream(echo.New().NewContext(httptest.NewRequest("GET", "/", nil), w), "[")
		began := time.Now()
		part := func(b []byte) []byte { return append(b, strings.Repeat("x", flushSize)...) }
		for time.Since(began) < streamLongest-time.Second {
			if err := s.add(part); err != nil {
				t.Fatal(err)
			}
			time.Sleep(flushPatience - time.Second)
		}
		if left := w.until.Sub(began); left > streamLongest {
			t.Errorf("after %s the client may go on until %s", time.Since(began), left)
		}
	})
}
