//go:build unix

package engineio

import (
	"errors"
	"net"
	"syscall"
)

// rawConn returns the connection's descriptor if it is a plain socket, which can
// be read and written without waiting. Anything that wraps one is not: a write
// past TLS would be in clear.
func rawConn(c net.Conn) syscall.RawConn {
	var s syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		s = c
	case *net.UnixConn:
		s = c
	default:
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// A trial is one worker's way to write without waiting and without allocating.
type trial struct {
	buf     *buffer
	p       []byte // what is to be written
	n       int    // what was
	err     error
	attempt func(fd uintptr)
}

func newTrial() *trial {
	t := &trial{buf: buffers.Get().(*buffer)}
	t.attempt = func(fd uintptr) { t.n, t.err = writeOnce(fd, t.p) }
	return t
}

// write tries to write p once and returns how much was taken, possibly nothing. A
// wire has one writer and this one never waits, so it needs neither the lock nor
// the poller that RawConn.Write would go through.
func (t *trial) write(raw syscall.RawConn, p []byte) (int, error) {
	t.p, t.n, t.err = p, 0, nil
	if err := raw.Control(t.attempt); err != nil {
		return 0, err
	}
	return t.n, t.err
}

// writeSome waits until the socket takes something of p, or its deadline.
func writeSome(raw syscall.RawConn, p []byte) (n int, err error) {
	waited := raw.Write(func(fd uintptr) bool {
		n, err = writeOnce(fd, p)
		return n > 0 || err != nil
	})
	if err == nil {
		err = waited
	}
	return n, err
}

// writeOnce returns 0 and no error if the socket would block.
func writeOnce(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), p)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return 0, err
		}
	}
}

// readWhenReady waits, without holding a buffer, until the socket has something,
// and returns it in a buffer of the pool. After an error or at the end it returns
// nil: the next ordinary read will say which.
func readWhenReady(raw syscall.RawConn) (b *input, n int) {
	_ = raw.Read(func(fd uintptr) bool {
		b = inputs.Get().(*input)
		var err error
		n, err = syscall.Read(int(fd), b[:])
		if n > 0 {
			return true
		}
		inputs.Put(b)
		b, n = nil, 0
		return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	return b, n
}
