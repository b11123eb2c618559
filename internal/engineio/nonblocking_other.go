//go:build !unix

package engineio

import (
	"errors"
	"net"
	"syscall"
)

// rawConn returns nil: no connection can be used without blocking here, so each is
// written by a goroutine while it has something to write.
func rawConn(net.Conn) syscall.RawConn { return nil }

type nonblockingWriter struct{ buf *writeBuffer }

func newNonblockingWriter() *nonblockingWriter {
	return &nonblockingWriter{buf: writeBuffers.Get().(*writeBuffer)}
}

func (*nonblockingWriter) write(syscall.RawConn, []byte) (int, error) {
	return 0, errors.ErrUnsupported
}

func writeWhenReady(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }

func (c *wsConn) readWhenReady() {}
