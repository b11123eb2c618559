package middleware

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/fair"
)

// A response that is written at once occupies memory until the client has read it. Those of
// more than smallResponse bytes share ResponseBytes in a process, fairly by user. Lists are
// streamed in small parts and do not count.
const (
	smallResponse       = 64 << 10
	ResponseBytes       = 64 << 20
	maxBytesPerKey      = ResponseBytes / 4
	maxResponsesWaiting = 16 // that wait for memory, and are in memory all the same
	maxResponseWait     = 30 * time.Second
)

// A client must read a response at minResponseRate, after responseTimeout. If others wait
// for memory, it has only responseGrace.
const (
	responseTimeout = 30 * time.Second
	minResponseRate = 16 << 10 // bytes a second
	responseGrace   = 5 * time.Second
	responseCheck   = time.Second
)

// A ResponseMemory is the memory that large responses share while they are sent.
type ResponseMemory struct{ pool *fair.Pool }

// NewResponseMemory returns a ResponseMemory of which nothing is in use.
func NewResponseMemory() *ResponseMemory {
	return &ResponseMemory{fair.New(fair.Options{Capacity: ResponseBytes, PerKey: maxBytesPerKey, Waiting: maxResponsesWaiting})}
}

// Limit is middleware that limits the memory and the time of responses. A response that does
// not get memory in time is not sent, and its connection is closed.
func (m *ResponseMemory) Limit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		w := c.Response().Writer
		c.Response().Writer = &boundedResponse{ResponseWriter: w, memory: m, c: c, conn: http.NewResponseController(w)}
		return next(c)
	}
}

// A boundedResponse is the response writer of one request.
type boundedResponse struct {
	http.ResponseWriter
	memory *ResponseMemory
	c      echo.Context
	conn   *http.ResponseController
}

// Unwrap returns the wrapped writer, for http.ResponseController.
func (b *boundedResponse) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// Write sends p. If p is large, it waits for memory first; the error is errNoMemory.
func (b *boundedResponse) Write(p []byte) (int, error) {
	if len(p) <= smallResponse {
		return b.ResponseWriter.Write(p)
	}
	key, size := bodyKey(b.c.Request()), min(int64(len(p)), maxBytesPerKey)
	ctx, cancel := context.WithTimeout(b.c.Request().Context(), maxResponseWait)
	defer cancel()
	if err := b.memory.pool.Acquire(ctx, key, size); err != nil {
		return 0, errNoMemory
	}
	defer b.memory.pool.Release(key, size)
	defer b.watch(len(p))()
	return b.ResponseWriter.Write(p)
}

// watch limits the time of a response until stop is called.
func (b *boundedResponse) watch(size int) (stop func()) {
	ends := time.Now().Add(responseTimeout + time.Duration(size/minResponseRate)*time.Second)
	_ = b.conn.SetWriteDeadline(ends) // unsupported by httptest
	var mu sync.Mutex
	stopped := false
	var timer *time.Timer
	check := func() {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case stopped:
		case b.memory.pool.Awaited():
			_ = b.conn.SetWriteDeadline(time.Now())
		default:
			timer.Reset(responseCheck)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(responseGrace, check)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
