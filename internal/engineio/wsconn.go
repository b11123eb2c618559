package engineio

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const (
	closeNormal         = websocket.CloseNormalClosure
	closeGoingAway      = websocket.CloseGoingAway
	closeProtocolError  = websocket.CloseProtocolError
	closeInvalidPayload = websocket.CloseInvalidFramePayloadData
	closePolicy         = websocket.ClosePolicyViolation
	closeTooBig         = websocket.CloseMessageTooBig
	closeTryAgain       = websocket.CloseTryAgainLater

	// lingerTimeout is how long a connection whose close frame was sent waits for the
	// client's; closing at once could destroy data that is in transit.
	lingerTimeout = 2 * time.Second

	// lingerFrames and lingerBytes bound what is read meanwhile.
	lingerFrames = 1000
	lingerBytes  = 4 << 20

	// controlBytes is how many bytes of control frames may wait to be written before the
	// connection is not read any further.
	controlBytes = 16 << 10
)

var pingFrame = appendTextFrame(nil, packetPing, "")

// A wsConn is a WebSocket connection. Its reader takes frames from it (reader.go); what
// the reader answers, pongs and close frames, joins the queue, and so keeps its order
// with data. It implements net.Conn for the library that answers the handshake.
//
// At most one goroutine writes at a time: a worker of the writePool, the goroutine that
// finishes what a worker could not write, or drain for a connection that can only be
// written blocking. busy says that there is one; current and cost belong to it.
type wsConn struct {
	conn     net.Conn
	raw      syscall.RawConn // for non-blocking reads and writes; nil if they must block
	s        *Session        // set by attach
	deflated bool            // permessage-deflate was agreed on
	stack    readerStack     // the reader's

	// Guarded by the session's lock.
	control       []byte    // frames that overtake groups: control frames, handshake packets
	own           bool      // it is the session's transport: carries its groups and pings
	busy          bool      // it is in the run list or is being written
	closing       bool      // the close frame is queued; nothing may follow
	readerEnded   bool      // nobody reads any more
	writeDeadline time.Time // by when everything must be written; zero: as long as there is progress

	// The writer's.
	current []byte  // rest of what is being copied
	cost    int     // what it counts in Session.queued, once it is copied
	next    *wsConn // in the run list

	// The reader's.
	in          []byte // was read and comes next; part of buf unless that is nil
	buf         *readChunk
	blockingBuf []byte // takes the place of buf where reads block
	head        [8]byte
	unmetered   int         // bytes that were read since the last packet
	reserved    reservation // for the message that is being read or handled
}

// A readChunk is a buffer that a connection has only while it has something to read.
type readChunk [4096]byte

var readChunks = sync.Pool{New: func() any { return new(readChunk) }}

// attach gives the connection to its session: from now on writes are queued.
func (c *wsConn) attach(s *Session) { c.s = s }

// sendOpen makes the connection the transport of a new session and sends its first
// packet.
func (c *wsConn) sendOpen(s *Session, open string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.attach(s)
	c.own = true
	c.control = appendTextFrame(nil, packetOpen, open)
	c.wakeWriterLocked()
}

// readFull fills p with what comes next.
func (c *wsConn) readFull(p []byte) error {
	for len(p) > 0 {
		n := c.copyInput(p)
		if p = p[n:]; n > 0 {
			continue
		}
		if len(p) < len(readChunk{}) {
			if err := c.readMore(); err != nil {
				return err
			}
			continue
		}
		n, err := c.readDirectly(p)
		if p = p[n:]; err != nil && len(p) > 0 {
			return err
		}
	}
	return nil
}

// skip reads n bytes and drops them.
func (c *wsConn) skip(n int64) error {
	for n > 0 {
		if len(c.in) == 0 {
			if err := c.readMore(); err != nil {
				return err
			}
		}
		m := min(n, int64(len(c.in)))
		c.consume(int(m))
		n -= m
	}
	return nil
}

// readMore waits until something arrives, and puts it into c.in. A plain socket holds no
// buffer meanwhile.
func (c *wsConn) readMore() error {
	if err := c.beforeRead(); err != nil {
		return err
	}
	if c.raw != nil {
		if c.readWhenReady(); len(c.in) > 0 {
			c.unmetered += len(c.in)
			return nil
		}
	}
	if c.blockingBuf == nil {
		c.blockingBuf = make([]byte, readBuffer)
	}
	n, err := c.conn.Read(c.blockingBuf)
	c.in = c.blockingBuf[:n]
	c.unmetered += n
	if n > 0 {
		return nil
	}
	return err
}

// readDirectly reads into p without a buffer between.
func (c *wsConn) readDirectly(p []byte) (int, error) {
	if err := c.beforeRead(); err != nil {
		return 0, err
	}
	n, err := c.conn.Read(p)
	c.unmetered += n
	return n, err
}

// beforeRead waits until the client has read the answers to its control frames, and
// counts the bytes of a message that does not end.
func (c *wsConn) beforeRead() error {
	c.awaitControlRoom()
	if c.unmetered < 16*meteredBytes {
		return nil
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.countLocked(c.takeUnmetered()) {
		return ErrFlood
	}
	return nil
}

// takeUnmetered returns how many packets the bytes count as that were read since the last
// call.
func (c *wsConn) takeUnmetered() int {
	n := c.unmetered / meteredBytes
	c.unmetered %= meteredBytes
	return n
}

// copyInput copies what was read already to p.
func (c *wsConn) copyInput(p []byte) int {
	n := copy(p, c.in)
	c.consume(n)
	return n
}

// consume removes n bytes from c.in, and gives its buffer back when it is empty.
func (c *wsConn) consume(n int) {
	if c.in = c.in[n:]; len(c.in) == 0 {
		c.releaseBuffer()
	}
}

// releaseBuffer gives the reader's buffer back to the pool.
func (c *wsConn) releaseBuffer() {
	if c.buf != nil {
		readChunks.Put(c.buf)
		c.in, c.buf = nil, nil
	}
}

// awaitControlRoom waits while too many control frames wait to be written.
func (c *wsConn) awaitControlRoom() {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(c.control) > controlBytes {
		room := s.roomLocked()
		s.mu.Unlock()
		<-room
		s.mu.Lock()
	}
}

// Write is used by the library for its answer to the handshake.
func (c *wsConn) Write(p []byte) (int, error) { return c.conn.Write(p) }

// The other methods of net.Conn.
func (c *wsConn) Read(p []byte) (int, error)         { return c.conn.Read(p) }
func (c *wsConn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }
func (c *wsConn) Close() error                       { return c.conn.Close() }
func (c *wsConn) LocalAddr() net.Addr                { return c.conn.LocalAddr() }
func (c *wsConn) RemoteAddr() net.Addr               { return c.conn.RemoteAddr() }
func (c *wsConn) SetDeadline(t time.Time) error      { return c.conn.SetDeadline(t) }
func (c *wsConn) SetReadDeadline(t time.Time) error  { return c.conn.SetReadDeadline(t) }

// wakeWriterLocked makes sure that somebody writes what waits. Until that is done the
// connection counts as running, whoever writes it.
func (c *wsConn) wakeWriterLocked() {
	if c.busy || !c.waitingLocked() {
		return
	}
	c.busy = true
	c.s.srv.running.Add(1) // the session or the reader is counted already
	if c.raw != nil {
		c.s.srv.writePool.push(c)
	} else {
		go c.drain()
	}
}

// waitingLocked reports whether there is something to write. Only the writer may ask
// while the connection is busy.
func (c *wsConn) waitingLocked() bool {
	return len(c.current) > 0 || len(c.control) > 0 || c.own && (c.s.pingDue || !c.s.out.empty())
}

// sendCloseLocked sends a close frame after the group that is being written and ends the
// connection. The client has lingerTimeout to read them.
func (c *wsConn) sendCloseLocked(code uint16) {
	if c.closing || c.readerEnded {
		return
	}
	c.closing = true
	c.writeDeadline = time.Now().Add(lingerTimeout)
	_ = c.conn.SetWriteDeadline(c.writeDeadline)
	c.control = appendCloseFrame(c.control, code)
	c.wakeWriterLocked()
}

// flushOnce copies one buffer of what waits and tries to write it once. The rest, and the
// buffer, are handed to a goroutine that may block.
func (c *wsConn) flushOnce(w *nonblockingWriter) {
	p, cost := c.fill(w.buf[:0])
	n, err := w.write(c.raw, p)
	switch {
	case err != nil:
		c.fail(err)
	case n < len(p):
		go c.finish(w.buf, p, n, cost)
		w.buf = writeBuffers.Get().(*writeBuffer)
	default:
		c.wrote(n, cost)
	}
}

// fill copies what is next into b, as far as there is room, and returns what the groups
// that are copied completely count in Session.queued.
func (c *wsConn) fill(b []byte) (p []byte, cost int) {
	for len(b) < cap(b) && (len(c.current) > 0 || c.advance()) {
		n := copy(b[len(b):cap(b)], c.current)
		b, c.current = b[:len(b)+n], c.current[n:]
		if len(c.current) == 0 {
			cost += c.cost
			c.current, c.cost = nil, 0
		}
	}
	return b, cost
}

// advance takes the next thing to copy: control frames, a ping, or a group. It reports
// whether there is one.
func (c *wsConn) advance() bool {
	g := c.takeNext()
	if g != nil {
		c.cost = g.Size()
		c.current = c.frames(g)
	}
	return len(c.current) > 0
}

// takeNext sets current, or returns the group that is next.
func (c *wsConn) takeNext() *Group {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(c.control) > 0:
		c.current, c.control = c.control, nil
		s.openRoomLocked()
	case c.own && s.pingDue:
		c.current, s.pingDue = pingFrame, false
	case c.own:
		return s.out.pop()
	}
	return nil
}

func (c *wsConn) frames(g *Group) []byte {
	if c.deflated {
		return g.deflatedFrames()
	}
	return g.webSocketFrames()
}

// finish writes the rest of a worker's buffer and gives the buffer back.
func (c *wsConn) finish(buf *writeBuffer, p []byte, n, cost int) {
	err := c.writeAll(p[n:])
	writeBuffers.Put(buf)
	if err != nil {
		c.fail(err)
		return
	}
	c.wrote(len(p), cost)
}

// drain writes until nothing waits. It serves connections that can only be written
// blocking: TLS and whatever is no plain socket.
func (c *wsConn) drain() {
	buf := writeBuffers.Get().(*writeBuffer)
	defer writeBuffers.Put(buf)
	for more := true; more; {
		p, cost := c.fill(buf[:0])
		if err := c.writeAll(p); err != nil {
			c.fail(err)
			return
		}
		more = c.accountWritten(len(p), cost)
	}
}

// writeAll writes p as long as the client reads some of it within StallTimeout.
func (c *wsConn) writeAll(p []byte) error {
	defer c.clearWriteDeadline()
	for len(p) > 0 {
		c.setWriteDeadline()
		n, err := c.writeSome(p[:min(len(p), writeChunk)])
		p = p[n:]
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && n == 0:
			return ErrStalled
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
	}
	return nil
}

// setWriteDeadline sets the time by which the client must have read something.
func (c *wsConn) setWriteDeadline() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	deadline := time.Now().Add(c.s.srv.cfg.StallTimeout)
	if !c.writeDeadline.IsZero() && c.writeDeadline.Before(deadline) {
		deadline = c.writeDeadline
	}
	_ = c.conn.SetWriteDeadline(deadline)
}

// clearWriteDeadline removes the deadline so that it does not fail a later write.
func (c *wsConn) clearWriteDeadline() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.writeDeadline.IsZero() {
		_ = c.conn.SetWriteDeadline(time.Time{})
	}
}

func (c *wsConn) writeSome(p []byte) (int, error) {
	if c.raw != nil {
		return writeWhenReady(c.raw, p)
	}
	return c.conn.Write(p)
}

// wrote is called after a successful write: if there is more, the connection goes back to
// the run list.
func (c *wsConn) wrote(n, cost int) {
	if c.accountWritten(n, cost) {
		c.s.srv.writePool.push(c)
	}
}

// accountWritten accounts for n bytes that were written and reports whether more waits;
// if not, the connection is not busy any more.
func (c *wsConn) accountWritten(n, cost int) (more bool) {
	s := c.s
	s.srv.stats.bytesOut.Add(int64(n))
	s.mu.Lock()
	drained := s.accountWrittenLocked(cost)
	if more = c.waitingLocked(); !more {
		defer s.srv.running.Done()
		c.busy = false
		c.idleLocked() // may make it busy again, with another writer
	}
	s.mu.Unlock()
	if drained {
		s.drained()
	}
	return more
}

// idleLocked is called when everything is written.
func (c *wsConn) idleLocked() {
	switch {
	case c.closing && c.readerEnded:
		c.close()
	case c.closing:
		_ = c.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	case c.own:
		c.s.endIfFlushedLocked()
	}
}

// fail ends the connection after a write that failed.
func (c *wsConn) fail(err error) {
	reason := ReasonTransportError
	if errors.Is(err, ErrStalled) {
		reason = ReasonSlow
	}
	s := c.s
	defer s.srv.running.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.closing, c.control, c.current = true, nil, nil // busy stays true, so nothing is written any more
	c.cut()                                          // ends the reader
	s.openRoomLocked()
	if c.own {
		s.endLocked(reason, err)
	}
}

// close closes the connection and does not wait, since the caller holds the session's lock: TLS
// says goodbye first, and waits five seconds for a client that reads nothing. The caller counts
// as running.
func (c *wsConn) close() {
	encrypted, ok := c.conn.(*tls.Conn)
	if !ok {
		_ = c.conn.Close()
		return
	}
	c.s.srv.running.Add(1)
	go func() {
		defer c.s.srv.running.Done()
		_ = encrypted.Close()
	}()
}

// cut closes the connection without a word.
func (c *wsConn) cut() { _ = carrierOf(c.conn).Close() }

// carrierOf returns the connection that carries conn: another one if that is TLS.
func carrierOf(conn net.Conn) net.Conn {
	if encrypted, ok := conn.(*tls.Conn); ok {
		return encrypted.NetConn()
	}
	return conn
}
