package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A link is the network between one device and the server: a door for its socket
// and one for its requests, each a TCP proxy. It can be cut, be down, lose answers
// and be slow. Its methods may be called concurrently.
type link struct {
	to          string // the server
	socket, api net.Listener
	hit         func(kind string) // counts a fault that really hit

	mu    sync.Mutex
	pipes map[*pipe]struct{}
	down  bool
	lose  int // answers to requests that are still to be lost
	slow  bool
	ended bool
	done  sync.WaitGroup
}

// A pipe is one connection through a link.
type pipe struct {
	client, server *net.TCPConn
	api            bool
}

func newLink(to string, hit func(string)) (*link, error) {
	socket, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	l := &link{to: to, socket: socket, api: api, hit: hit, pipes: make(map[*pipe]struct{})}
	l.done.Go(func() { l.accept(socket, false) })
	l.done.Go(func() { l.accept(api, true) })
	return l, nil
}

func (l *link) socketURL() string { return "http://" + l.socket.Addr().String() }
func (l *link) apiURL() string    { return "http://" + l.api.Addr().String() }

func (l *link) accept(ln net.Listener, api bool) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		l.done.Go(func() { l.serve(c.(*net.TCPConn), api) })
	}
}

// serve carries one connection until either side ends it.
func (l *link) serve(client *net.TCPConn, api bool) {
	p, err := l.open(client, api)
	if err != nil {
		reset(client)
		return
	}
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(p.server, p.client)
		_ = p.server.Close()
	})
	l.carry(p)
	_ = p.client.Close()
	_ = p.server.Close()
	up.Wait()
	l.mu.Lock()
	delete(l.pipes, p)
	l.mu.Unlock()
}

var errDown = errors.New("the line is down")

func (l *link) open(client *net.TCPConn, api bool) (*pipe, error) {
	server, err := net.DialTimeout("tcp4", l.to, patience)
	if err != nil {
		return nil, err
	}
	p := &pipe{client: client, server: server.(*net.TCPConn), api: api}
	_ = p.server.SetReadBuffer(lineBuffer)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down || l.ended {
		reset(p.server)
		return nil, errDown
	}
	l.pipes[p] = struct{}{}
	return p, nil
}

// lineBuffer bounds what a line holds itself, so that what a slow one has not
// carried is soon with the server. (A buffer that is made smaller later keeps TCP
// slow for good.)
const lineBuffer = 64 << 10

// slowChunk is how much a slow line carries in slowTime: 20 KiB a second.
const (
	slowChunk = 1 << 10
	slowTime  = 50 * time.Millisecond
)

// carry carries what the server says.
func (l *link) carry(p *pipe) {
	buf := make([]byte, 32<<10)
	for answered := false; ; answered = true {
		n, err := p.server.Read(buf[:l.chunk(p)])
		if n > 0 && p.api && l.loses() {
			reset(p.client)
			return
		}
		if n == 0 && p.api && !answered {
			l.hit(cutOff)
		}
		if _, failed := p.client.Write(buf[:n]); err != nil || failed != nil {
			return
		}
		l.dawdle(p)
	}
}

// chunk is how much may be read at a time.
func (l *link) chunk(p *pipe) int {
	if l.slowed(p) {
		return slowChunk
	}
	return 32 << 10
}

func (l *link) slowed(p *pipe) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.slow && !p.api
}

func (l *link) dawdle(p *pipe) {
	if l.slowed(p) {
		time.Sleep(slowTime)
	}
}

// loses tells whether this answer is one to be lost. The server has given it: it
// believes that the device knows.
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
func (l *link) cut() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.pipes {
		reset(p.client)
		reset(p.server)
	}
	return len(l.pipes)
}

// live is how many connections the socket has.
func (l *link) live() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.pipes {
		if !p.api {
			n++
		}
	}
	return n
}

// reset closes a connection as a broken line does.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

func (l *link) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *link) setSlow(slow bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slow = slow
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
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	_ = l.socket.Close()
	_ = l.api.Close()
	l.cut()
	l.done.Wait()
}
