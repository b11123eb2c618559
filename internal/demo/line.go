package demo

import (
	"net"
	"sync"
)

// A Line is a listener that can be cut, as if the device that uses it had lost its network.
// Its methods may be called concurrently.
type Line struct {
	net.Listener

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{} // open ones
}

// NewLine makes a Line of ln, uncut.
func NewLine(ln net.Listener) *Line { return &Line{Listener: ln, conns: map[net.Conn]struct{}{}} }

// Cut closes every connection, and each new one at once, until it is called with false.
func (l *Line) Cut(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if !cut {
		return
	}
	for conn := range l.conns {
		_ = conn.Close() // who has it open notices by itself
	}
}

// IsCut reports whether it is cut.
func (l *Line) IsCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// Accept returns the next connection that is not cut.
func (l *Line) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if line := (&lineConn{conn, l}); l.keep(line) {
			return line, nil
		}
		_ = conn.Close() // nobody has it yet
	}
}

func (l *Line) keep(conn *lineConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return false
	}
	l.conns[conn.Conn] = struct{}{}
	return true
}

// A lineConn is a connection of a Line.
type lineConn struct {
	net.Conn
	line *Line
}

func (c *lineConn) Close() error {
	c.line.mu.Lock()
	delete(c.line.conns, c.Conn)
	c.line.mu.Unlock()
	return c.Conn.Close()
}
