package handlers

import (
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// A patient is a response writer that records deadlines.
type patient struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (p *patient) SetWriteDeadline(t time.Time) error {
	p.until = t
	return nil
}

// A client that read a few bytes now and then occupied a database connection for hours.
func TestALongAnswerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &patient{ResponseRecorder: httptest.NewRecorder()}
		s := newStream(echo.New().NewContext(httptest.NewRequest("GET", "/", nil), w), "[")
		began := time.Now()
		part := func(b []byte) []byte { return append(b, strings.Repeat("x", flushSize)...) }
		for time.Since(began) < maxStreamTime-time.Second {
			if err := s.add(part); err != nil {
				t.Fatal(err)
			}
			time.Sleep(flushTimeout - time.Second)
		}
		if left := w.until.Sub(began); left > maxStreamTime {
			t.Errorf("after %s the client may go on until %s", time.Since(began), left)
		}
	})
}

// A slow client reads a number of bytes per second, until its deadline.
type slow struct {
	patient
	rate int
}

func (s *slow) Write(p []byte) (int, error) {
	takes := time.Duration(len(p)) * time.Second / time.Duration(s.rate)
	if left := time.Until(s.until); takes > left {
		time.Sleep(max(0, left))
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(takes)
	return len(p), nil
}

// Eight clients that read 4 KB per second occupied every slot for long lists, for ten
// minutes each.
func TestAListIsNotHeldByAReaderOfFourKilobytesASecond(t *testing.T) {
	for _, test := range []struct {
		rate    int
		pause   time.Duration // of ours, between two parts
		refused bool
	}{{4 << 10, 0, true}, {15 << 10, 0, true}, {20 << 10, 0, false}, {1 << 20, 10 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			w := &slow{patient{ResponseRecorder: httptest.NewRecorder()}, test.rate}
			s := newStream(echo.New().NewContext(httptest.NewRequest("GET", "/", nil), w), "[")
			var err error
			for range 256 {
				if err = s.add(func(b []byte) []byte { return append(b, strings.Repeat("x", flushSize)...) }); err != nil {
					break
				}
				if time.Sleep(test.pause); s.blocked > 9*time.Minute || test.pause > 0 && s.sent > 1<<20 {
					break
				}
			}
			if refused := errors.Is(err, os.ErrDeadlineExceeded); refused != test.refused {
				t.Errorf("%d bytes a second were read for %s: %v", test.rate, s.blocked, err)
			}
			if test.rate == 4<<10 && s.blocked > time.Minute {
				t.Errorf("4 KB a second held the list for %s", s.blocked)
			}
		})
	}
}
