package app

import (
	"net/http"
	"sync"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/fair"
	"expenseflow/middleware"
)

// A connectRate bounds how many sockets are opened within any period of a length, and
// shares them fairly among networks (CONNECT_RATE): after an outage all clients come back
// at once. A nil *connectRate bounds nothing.
type connectRate struct {
	places *fair.Pool
	period time.Duration

	mu     sync.Mutex
	opened []openedSocket // within the period, the oldest first
}

type openedSocket struct {
	network string
	at      time.Time
}

func newConnectRate(r config.Rate) *connectRate {
	if r.N == 0 {
		return nil
	}
	return &connectRate{places: fair.New(fair.Options{Capacity: int64(r.N)}), period: r.Per}
}

// take counts a socket of a network. If it is one too many it returns when to try again,
// and else 0.
func (c *connectRate) take(network string, now time.Time) (retryAfter time.Duration) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.opened) > 0 && now.Sub(c.opened[0].at) >= c.period {
		c.places.Release(c.opened[0].network, 1)
		c.opened = c.opened[1:]
	}
	if !c.places.Try(network, 1) {
		return max(time.Second, c.opened[0].at.Add(c.period).Sub(now))
	}
	c.opened = append(c.opened, openedSocket{network, now})
	return 0
}

// postponeSocket returns when a client may try again that may not open a socket now, and
// else 0 (engineio.Config.Postpone).
func (a *App) postponeSocket(r *http.Request) time.Duration {
	if a.refusing.Load() {
		return time.Second // another process takes it, or this one when it is back
	}
	wait := a.connectRate.take(middleware.Network(r), time.Now())
	if wait > 0 {
		a.observed.RateLimited("connect")
	}
	return wait
}
