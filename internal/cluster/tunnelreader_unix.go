//go:build unix

package cluster

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// A tunnelReader reads from one end of a tunnel. If that is a plain socket it waits without
// holding a buffer.
type tunnelReader struct {
	conn net.Conn
	raw  syscall.RawConn // nil if conn is no plain socket
}

func newTunnelReader(conn net.Conn) tunnelReader { return tunnelReader{conn, rawConn(conn)} }

// rawConn returns the descriptor of a plain socket, and nil of another connection: what is
// read from the socket of a TLS connection is encrypted.
func rawConn(c net.Conn) syscall.RawConn {
	var s syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		s = c
	case interface{ Socket() syscall.Conn }: // of a wrapper that changes no byte
		s = c.Socket()
	}
	if s == nil {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// read returns what has arrived, in a buffer that done takes back.
func (r *tunnelReader) read() (b *copyBuffer, n int, err error) {
	if r.raw == nil {
		b = copyBuffers.Get().(*copyBuffer)
		n, err = r.conn.Read(b[:])
		return b, n, err
	}
	waited := r.raw.Read(func(fd uintptr) bool {
		b = copyBuffers.Get().(*copyBuffer)
		n, err = syscall.Read(int(fd), b[:])
		if n > 0 || n == 0 && err == nil {
			return true
		}
		n = 0
		r.done(b)
		b = nil
		return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	switch {
	case waited != nil:
		return b, 0, waited
	case n == 0 && err == nil:
		err = io.EOF
	}
	return b, n, err
}

func (r *tunnelReader) done(b *copyBuffer) {
	if b != nil {
		copyBuffers.Put(b)
	}
}
