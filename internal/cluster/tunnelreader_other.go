//go:build !unix

package cluster

import "net"

// A tunnelReader reads from one end of a tunnel.
type tunnelReader struct{ conn net.Conn }

func newTunnelReader(conn net.Conn) tunnelReader { return tunnelReader{conn} }

// read returns what has arrived, in a buffer that done takes back.
func (r *tunnelReader) read() (b *copyBuffer, n int, err error) {
	b = copyBuffers.Get().(*copyBuffer)
	n, err = r.conn.Read(b[:])
	return b, n, err
}

func (r *tunnelReader) done(b *copyBuffer) { copyBuffers.Put(b) }
