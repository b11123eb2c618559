package main

import (
	"sync"

	"expenseflow/internal/e2e/faultproxy"
)

// A link is the network between one device and the server: a proxy for its socket and
// one for its requests. It can be cut, be down, lose answers and be slow. Its methods
// may be called concurrently.
type link struct {
	socket, api *faultproxy.Proxy
	hit         func(kind string) // counts a fault that really hit

	mu   sync.Mutex
	lose int // answers to requests that are still to be lost
}

// slowRate is how many bytes a second a slow link carries.
const slowRate = 20 << 10

func newLink(to string, hit func(string)) (*link, error) {
	l := &link{hit: hit}
	var err error
	if l.socket, err = faultproxy.Start(to, faultproxy.Options{}); err != nil {
		return nil, err
	}
	l.api, err = faultproxy.Start(to, faultproxy.Options{Answer: l.loses, Unanswered: func() { hit(cutOff) }})
	if err != nil {
		l.socket.Close()
		return nil, err
	}
	return l, nil
}

// loses reports whether this answer is one to be lost.
func (l *link) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lose == 0 {
		return false
	}
	l.lose--
	l.hit(answersLost)
	return true
}

// cut resets every connection, on both sides, and tells how many there were.
func (l *link) cut() int { return l.socket.Cut() + l.api.Cut() }

func (l *link) setDown(down bool) {
	l.socket.SetDown(down)
	l.api.SetDown(down)
}

func (l *link) setSlow(slow bool) {
	rate := int64(0)
	if slow {
		rate = slowRate
	}
	l.socket.SetRate(rate)
}

func (l *link) loseNext(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose = n
}

// mend ends every fault.
func (l *link) mend() {
	l.setDown(false)
	l.setSlow(false)
	l.loseNext(0)
}

// close ends the link; when it returns, nothing of it runs any more.
func (l *link) close() {
	l.socket.Close()
	l.api.Close()
}
