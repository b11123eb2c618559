//go:build !unix

package engineio

import (
	"errors"
	"net"
	"syscall"
)

// rawConn says that no connection here can be used without waiting, so each is
// drained by a goroutine while it has something to write.
func rawConn(net.Conn) syscall.RawConn { return nil }

type trial struct{ buf *buffer }

func newTrial() *trial { return &trial{buf: buffers.Get().(*buffer)} }

func (*trial) write(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }

func writeSome(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }

func readWhenReady(syscall.RawConn) (*input, int) { return nil, 0 }
