package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A conn is one Socket.IO client over WebSocket, as cheap as a load generator
// can make it: it masks with the zero key (which leaves the payload as it is),
// answers pings, and hands every Socket.IO packet to onPacket on its own
// goroutine.
type conn struct {
	net.Conn
	br *bufio.Reader

	writing sync.Mutex
	out     []byte

	reply    []byte              // to CONNECT: a JSON object
	onPacket func(packet []byte) // without Engine.IO's leading '4'; the slice is reused
	ended    chan struct{}       // closed when the reading goroutine ends
	err      error               // why it ended; read it after ended is closed
}

const connectTimeout = 20 * time.Second

// dial connects, upgrades and completes the Socket.IO CONNECT with auth, which
// is JSON or "".
func dial(addr, auth string) (*conn, error) {
	nc, err := net.DialTimeout("tcp", addr, connectTimeout)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, br: bufio.NewReaderSize(nc, 4096), ended: make(chan struct{})}
	if err := c.handshake(addr, auth); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) handshake(addr, auth string) error {
	_ = c.SetDeadline(time.Now().Add(connectTimeout))
	if err := c.upgrade(addr); err != nil {
		return err
	}
	if err := c.expect('0'); err != nil {
		return err
	}
	if err := c.writeText("40" + auth); err != nil {
		return err
	}
	if err := c.expect('4'); err != nil {
		return err
	}
	return c.SetDeadline(time.Time{})
}

func (c *conn) upgrade(addr string) error {
	_, err := fmt.Fprintf(c, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		line, err := c.br.ReadString('\n')
		if err != nil {
			return err
		}
		if first && !strings.Contains(line, " 101 ") {
			return fmt.Errorf("upgrade refused: %s", strings.TrimSpace(line))
		}
		if line == "\r\n" {
			return nil
		}
	}
}

// expect reads one frame and fails unless its Engine.IO type is kind and, for a
// message, unless it is a CONNECT reply.
func (c *conn) expect(kind byte) error {
	var buf []byte
	opcode, payload, err := c.readFrame(&buf)
	switch {
	case err != nil:
		return err
	case opcode != 1 || len(payload) == 0 || payload[0] != kind:
		return fmt.Errorf("expected packet %q, got opcode %d %.80q", kind, opcode, payload)
	case kind == '4' && (len(payload) < 2 || payload[1] != '0'):
		return fmt.Errorf("connect refused: %.200q", payload)
	case kind == '4':
		c.reply = payload[2:]
	}
	return nil
}

// listen starts the reading goroutine.
func (c *conn) listen(onPacket func([]byte)) {
	c.onPacket = onPacket
	go func() {
		defer close(c.ended)
		c.err = c.readLoop()
	}()
}

var errClosedByServer = errors.New("closed by the server")

func (c *conn) readLoop() error {
	var buf []byte
	for {
		opcode, payload, err := c.readFrame(&buf)
		switch {
		case err != nil:
			return err
		case opcode == 8:
			return errClosedByServer
		case opcode != 1 || len(payload) == 0:
		case payload[0] == '2':
			if err := c.writeText("3"); err != nil {
				return err
			}
		case payload[0] == '4':
			c.onPacket(payload[1:])
		}
	}
}

// readFrame reads one unfragmented frame into *buf.
func (c *conn) readFrame(buf *[]byte) (opcode byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(c.br, head[:2]); err != nil {
		return 0, nil, err
	}
	opcode, n := head[0]&15, int(head[1]&127)
	switch n {
	case 126:
		_, err = io.ReadFull(c.br, head[:2])
		n = int(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(c.br, head[:8])
		n = int(binary.BigEndian.Uint64(head[:8]))
	}
	if err != nil {
		return 0, nil, err
	}
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	payload = (*buf)[:n]
	_, err = io.ReadFull(c.br, payload)
	return opcode, payload, err
}

// writeText sends one masked text frame. It may be called concurrently.
func (c *conn) writeText(s string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	b := append(c.out[:0], 0x81)
	switch {
	case len(s) < 126:
		b = append(b, 0x80|byte(len(s)))
	case len(s) < 1<<16:
		b = append(b, 0x80|126, byte(len(s)>>8), byte(len(s)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(len(s)))
	}
	b = append(b, 0, 0, 0, 0)
	c.out = append(b, s...)
	_, err := c.Write(c.out)
	return err
}

// dialMany opens n connections, width at a time, and gives each its packets'
// receiver.
func dialMany(addr, auth string, n, width int, receiver func(i int) func([]byte)) ([]*conn, error) {
	conns := make([]*conn, n)
	errs := make(chan error, width)
	next := make(chan int)
	for range width {
		go func() {
			var failed error
			for i := range next {
				c, err := dial(addr, auth)
				if err != nil {
					failed = err
					continue
				}
				c.listen(receiver(i))
				conns[i] = c
			}
			errs <- failed
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	var err error
	for range width {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		closeAll(conns)
		return nil, err
	}
	return conns, nil
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
}
