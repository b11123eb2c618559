package middleware

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBodiesThatExpressTakesWereRefused(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name, encoding string
		body           []byte
		want           int
		content        string
	}{
		{"Identity", "Identity", []byte("plain"), http.StatusOK, "plain"},
		{"gzip", "GZIP", zipped(t, "content"), http.StatusOK, "content"},
		{"gzip of too much", "gzip", zipped(t, long), 500 + int(models.TooLarge), ""},
		{"no gzip at all", "gzip", []byte("plain"), 500 + int(models.Invalid), ""},
		{"cut gzip", "gzip", zipped(t, "content")[:15], 500 + int(models.Invalid), ""},
		{"unknown", "br", []byte("plain"), 500 + int(models.UnsupportedMedia), ""},
		{"two of them", "gzip, gzip", []byte("plain"), 500 + int(models.UnsupportedMedia), ""},
	} {
		var got []byte
		e := newEcho()
		e.POST("/", func(c echo.Context) (err error) {
			got, err = io.ReadAll(c.Request().Body)
			return err
		}, LimitBody(1000, MaxBodyTime, NewBodyMemory()))
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(tt.body))
		r.Header.Set("Content-Encoding", tt.encoding)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != tt.want || tt.want == http.StatusOK && string(got) != tt.content {
			t.Errorf("%s: %d, %q", tt.name, w.Code, got)
		}
	}
}

// A batch waits for memory, because a refused one stays in the browser, which sends it for
// ever.
func TestLargeBodiesOfOneAddressTookAllMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewBodyMemory()
		held, leave := make(chan string, 100), make(chan struct{})
		e := newEcho()
		e.POST("/", func(c echo.Context) error {
			held <- clientIP(c.Request()).String()
			<-leave
			return nil
		}, LimitBody(MaxSyncBody, MaxBodyTime, room))
		post := func(address string, size int) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
			r.RemoteAddr, r.ContentLength = address+":1", int64(size)
			go e.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(t.Context())))
			synctest.Wait()
		}
		for range 8 {
			post("192.0.2.1", MaxSyncBody)
		}
		if n := len(held); n != 3 {
			t.Errorf("%d bodies of 10 MB of one address are held at once", n)
		}
		post("192.0.2.2", MaxSyncBody)
		post("192.0.2.3", 200)
		if n := len(held); n != 5 {
			t.Errorf("others' waited too: %d", n)
		}
		if _, all := room.larger.Use(""); all > LargerBodyBytes {
			t.Errorf("%d bytes", all)
		}
		close(leave)
		synctest.Wait()
		if n := len(held); n != 10 {
			t.Errorf("%d of 10 were let in in the end", n)
		}
	})
}

// A hundred people behind one proxy have the same address, and an offline queue may take
// ten minutes to arrive.
func TestSlowQueuesOfOneUserKeptEverybodyOfTheirAddressFromPosting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, leave := make(chan string, 100), make(chan struct{})
		e := newEcho(LimitBody(MaxSyncBody, MaxBodyTime, NewBodyMemory()))
		e.POST("/", func(c echo.Context) error {
			id, _ := auth.FromContext(c.Request().Context())
			held <- id.User.ID
			<-leave
			return nil
		})
		post := func(user string, size int64) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
			r.RemoteAddr, r.ContentLength = "192.0.2.1:1", size
			ctx := context.WithoutCancel(t.Context())
			if user != "" {
				ctx = auth.WithIdentity(ctx, auth.Identity{User: models.User{ID: user}})
			}
			go e.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
			synctest.Wait()
		}
		for range 10 {
			post("slow", MaxSyncBody)
		}
		for range 10 {
			post("slow", MaxBody)
		}
		before := len(held)
		post("slow", 200)
		post("other", 200)
		post("other", MaxSyncBody)
		post("", 200)
		if n := len(held) - before; n != 4 {
			t.Errorf("%d of 4 were let in", n)
		}
		close(leave)
		synctest.Wait()
	})
}

// Seven accounts that announced 10 MB each and sent a few kilobytes a second kept
// everybody's queues beyond 64 KB waiting for ten minutes.
func TestQueuesThatTrickleKeptEverybodysQueuesWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := NewBodyMemory()
		arrived := make(chan int, 100)
		e := newEcho()
		e.POST("/", func(c echo.Context) error {
			b, err := io.ReadAll(c.Request().Body)
			arrived <- len(b)
			return err
		}, LimitBody(MaxSyncBody, MaxBodyTime, memory))
		post := func(address string, size int, body io.Reader) {
			r := httptest.NewRequest(http.MethodPost, "/", body)
			r.RemoteAddr, r.ContentLength = address+":1", int64(size)
			go e.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(t.Context())))
		}
		var ends []*io.PipeWriter
		for i := range 7 {
			r, w := io.Pipe()
			ends = append(ends, w)
			post(fmt.Sprintf("192.0.2.%d", i+1), MaxSyncBody, r)
			go func() {
				for {
					if _, err := w.Write(make([]byte, 5000)); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}()
		}
		synctest.Wait()
		began := time.Now()
		post("198.51.100.1", 1<<20, bytes.NewReader(make([]byte, 1<<20)))
		if n := <-arrived; n != 1<<20 || time.Since(began) > 2*paceGrace {
			t.Errorf("%d bytes of somebody else's after %v", n, time.Since(began))
		}
		time.Sleep(time.Minute)
		for _, w := range ends { // slow bodies arrive all the same
			w.Close()
		}
		for range ends {
			if n := <-arrived; n < 300_000 {
				t.Errorf("%d bytes of a slow body", n)
			}
		}
		time.Sleep(2 * time.Second) // whoever sends notices it
		if _, all := memory.larger.Use(""); all != 0 {
			t.Errorf("%d bytes are held in the end", all)
		}
	})
}

// A client that sent a large queue and did not read the response occupied the memory of its
// body.
func TestABodysMemoryIsGivenBackBeforeItIsAnswered(t *testing.T) {
	memory := NewBodyMemory()
	e := newEcho()
	var before, after int64
	e.POST("/", func(c echo.Context) error {
		_, before = memory.larger.Use("")
		err := c.String(http.StatusOK, "taken")
		_, after = memory.larger.Use("")
		return err
	}, LimitBody(MaxSyncBody, MaxBodyTime, memory))
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, 1<<20)))
	e.ServeHTTP(httptest.NewRecorder(), r)
	if before != 1<<20 || after != 0 {
		t.Errorf("%d bytes before the answer, %d after it", before, after)
	}
}

func TestPathsThatExpressKnowsWereNotFound(t *testing.T) {
	e := newEcho()
	e.Pre(ExpressPaths(func() []string { return []string{"/api/expenses/:id/share", "/api/devices/:id"} }))
	e.Any("/*", func(c echo.Context) error { return c.String(http.StatusOK, c.Request().URL.Path) })
	for in, want := range map[string]string{
		"/api/expenses/": "/api/expenses",
		"/API/Expenses":  "/api/expenses",
		"/api/expenses/64B0000000000000000000E1/Share": "/api/expenses/64b0000000000000000000e1/share",
		"/Api/devices/Device_ABC":                      "/api/devices/Device_ABC",
		"/api/expenses/temp_17":                        "/api/expenses/temp_17",
		"/Index.html":                                  "/Index.html",
		"/folder/":                                     "/folder/",
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, in, nil))
		if got := w.Body.String(); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}
