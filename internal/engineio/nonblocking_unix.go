//go:build unix

package engineio

import (
	"errors"
	"net"
	"syscall"
)

// rawConn returns the connection's descriptor if it is a plain socket, which can be read
// and written without blocking; otherwise nil. A connection that wraps a socket is not
// one, unless it has the method Socket to say that it changes no byte: a write to the
// socket of a TLS connection would be unencrypted.
func rawConn(c net.Conn) syscall.RawConn {
	var s syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		s = c
	case *net.UnixConn:
		s = c
	case interface{ Socket() syscall.Conn }:
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

// A nonblockingWriter writes to sockets without blocking and without allocating. It
// belongs to one worker.
type nonblockingWriter struct {
	buf     *writeBuffer
	p       []byte // what is to be written
	n       int    // how much of it was
	err     error
	attempt func(fd uintptr)
}

func newNonblockingWriter() *nonblockingWriter {
	w := &nonblockingWriter{buf: writeBuffers.Get().(*writeBuffer)}
	w.attempt = func(fd uintptr) { w.n, w.err = writeOnce(fd, w.p) }
	return w
}

// write tries to write p once and returns how much was written, possibly nothing. A
// connection has one writer and this one never waits, so it needs neither the lock nor
// the poller that RawConn.Write uses.
func (w *nonblockingWriter) write(raw syscall.RawConn, p []byte) (int, error) {
	w.p, w.n, w.err = p, 0, nil
	if err := raw.Control(w.attempt); err != nil {
		return 0, err
	}
	return w.n, w.err
}

// writeWhenReady waits until the socket accepts some of p, or for its deadline.
func writeWhenReady(raw syscall.RawConn, p []byte) (n int, err error) {
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

// readWhenReady waits, without holding a buffer, until the socket has something to read,
// and reads it into a buffer of the pool, c.in. After an error or at the end it reads
// nothing; the next ordinary read returns the cause.
func (c *wsConn) readWhenReady() {
	_ = c.raw.Read(func(fd uintptr) bool { return c.readOnce(fd) })
}

// readOnce reports false if there is nothing to read yet.
func (c *wsConn) readOnce(fd uintptr) bool {
	b := readChunks.Get().(*readChunk)
	n, err := syscall.Read(int(fd), b[:])
	if n > 0 {
		c.buf, c.in = b, b[:n]
		return true
	}
	readChunks.Put(b)
	return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
}
