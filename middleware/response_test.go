package middleware

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

// An account asked for answers of megabytes, took none of them, and each was in memory
// for a quarter of an hour.
func TestLargeAnswersThatNobodyTakesFilledTheMemory(t *testing.T) {
	memory := NewResponseMemory()
	e := newEcho(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			user := models.User{ID: c.QueryParam("user")}
			c.SetRequest(c.Request().WithContext(auth.WithIdentity(c.Request().Context(), auth.Identity{User: user})))
			return next(c)
		}
	}, memory.Limit)
	made := make(chan struct{}, 100)
	e.GET("/", func(c echo.Context) error {
		made <- struct{}{}
		return c.Blob(http.StatusOK, "text/plain", make([]byte, 12<<20))
	})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close) // after the connections below
	ask := func(user string) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write([]byte("GET /?user=" + user + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		<-made
	}
	for range 40 {
		ask("mallory")
	}
	for _, user := range []string{"a", "b", "c", "d"} { // five of 12 MB fill the memory, and the fifth waits
		ask(user)
	}
	if _, all := memory.pool.Use(""); all > ResponseBytes {
		t.Errorf("%d bytes of answers are sent", all)
	}
	if mine, _ := memory.pool.Use("mallory"); mine > maxBytesPerKey {
		t.Errorf("%d bytes of answers of one account are sent", mine)
	}
	began := time.Now()
	client := http.Client{Timeout: time.Minute}
	r, err := client.Get(server.URL + "/?user=somebody")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("somebody else's answer: %v, %v", r, err)
	}
	_ = r.Body.Close()
	if took := time.Since(began); took > 3*responseGrace {
		t.Errorf("somebody else's answer took %v", took)
	}
}
