package engineio

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"expenseflow/internal/failpoint"

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

	// lingerTimeout is how long a connection whose close frame was sent waits for
	// the client's; closing at once could destroy data on its way.
	lingerTimeout = 2 * time.Second

	// lingerFrames and lingerBytes are how much is read meanwhile.
	lingerFrames = 1000
	lingerBytes  = 4 << 20

	// controlBytes is how many bytes of control frames may wait before the
	// connection is not read any further.
	controlBytes = 16 << 10
)

var pingFrame = appendTextFrame(nil, packetPing, "")

// A wire is a WebSocket connection. Its reader takes frames from it (reader.go);
// what that answers, pongs and close frames, joins the queue, and so keeps its order
// with data. To the library that answers the handshake it is a net.Conn.
//
// One party at a time writes: a worker of the pump, the goroutine that finishes
// what a worker could not, or the drain of a connection that must be written
// blocking. busy says that there is one; cur and charge belong to it.
type wire struct {
	conn     net.Conn
	raw      syscall.RawConn // nil: writes block
	s        *Session        // set by attach
	deflated bool            // permessage-deflate was agreed on

	// The session's lock guards these.
	ctl   []byte    // frames that overtake groups
	own   bool      // carries the session's groups and pings
	busy  bool      // stands in the run list or is being written
	stuck bool      // the client does not take what is being written
	last  bool      // the close frame is queued; nothing may follow
	gone  bool      // nobody reads any more
	until time.Time // by when everything must be written; zero: as long as it goes on

	cur    []byte // rest of what is being copied
	charge int    // what it counts once copied
	next   *wire  // in the run list

	// The reader's.
	in        []byte // was read and comes next; part of buf unless that is nil
	buf       *input
	lap       []byte // stands in for buf where only a blocking read will do
	head      [8]byte
	unmetered int  // bytes that were read since the last packet
	loan      loan // of the message that is being read or handled
}

// An input is a buffer that a connection has only while it has something to read.
type input [4096]byte

var inputs = sync.Pool{New: func() any { return new(input) }}

// attach gives the wire to its session: from now on writes are queued.
func (w *wire) attach(s *Session) { w.s = s }

// greet makes the wire the transport of a new session and sends its first packet.
func (w *wire) greet(s *Session, open string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.attach(s)
	w.own = true
	w.ctl = appendTextFrame(nil, packetOpen, open)
	w.kickLocked()
}

// readFull fills p with what comes next.
func (w *wire) readFull(p []byte) error {
	for len(p) > 0 {
		n := w.readInput(p)
		if p = p[n:]; n > 0 {
			continue
		}
		if len(p) < len(input{}) {
			if err := w.fetch(); err != nil {
				return err
			}
			continue
		}
		n, err := w.readDirectly(p)
		if p = p[n:]; err != nil && len(p) > 0 {
			return err
		}
	}
	return nil
}

// skip passes over n bytes.
func (w *wire) skip(n int64) error {
	for n > 0 {
		if len(w.in) == 0 {
			if err := w.fetch(); err != nil {
				return err
			}
		}
		m := min(n, int64(len(w.in)))
		w.take(int(m))
		n -= m
	}
	return nil
}

// fetch parks the reader until something arrives, which is in w.in then. A plain
// socket holds no buffer meanwhile.
func (w *wire) fetch() error {
	if err := w.beforeRead(); err != nil {
		return err
	}
	if w.raw != nil {
		var n int
		if w.buf, n = readWhenReady(w.raw); n > 0 {
			w.in = w.buf[:n]
			w.unmetered += n
			return nil
		}
	}
	if w.lap == nil {
		w.lap = make([]byte, readBuffer)
	}
	n, err := w.conn.Read(w.lap)
	w.in = w.lap[:n]
	w.unmetered += n
	if n > 0 {
		return nil
	}
	return err
}

// readDirectly reads into the place where the bytes are to be.
func (w *wire) readDirectly(p []byte) (int, error) {
	if err := w.beforeRead(); err != nil {
		return 0, err
	}
	n, err := w.conn.Read(p)
	w.unmetered += n
	return n, err
}

// beforeRead waits until the client has taken the answers to its control frames, and
// counts what it sends without end.
func (w *wire) beforeRead() error {
	w.awaitControlRoom()
	if w.unmetered < 16*meteredBytes {
		return nil
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.countLocked(w.takeUnmetered()) {
		return ErrFlood
	}
	return nil
}

// takeUnmetered gives what was read since the last time, in packets.
func (w *wire) takeUnmetered() int {
	n := w.unmetered / meteredBytes
	w.unmetered %= meteredBytes
	return n
}

// readInput copies what was read already.
func (w *wire) readInput(p []byte) int {
	n := copy(p, w.in)
	w.take(n)
	return n
}

// take passes over n bytes of w.in, and gives its buffer back at their end.
func (w *wire) take(n int) {
	if w.in = w.in[n:]; len(w.in) == 0 && w.buf != nil {
		inputs.Put(w.buf)
		w.in, w.buf = nil, nil
	}
}

func (w *wire) awaitControlRoom() {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(w.ctl) > controlBytes {
		room := s.roomLocked()
		s.mu.Unlock()
		<-room
		s.mu.Lock()
	}
}

// Write is the library's way out, for the handshake's answer.
func (w *wire) Write(p []byte) (int, error) { return w.conn.Write(p) }

// The rest of net.Conn.
func (w *wire) Read(p []byte) (int, error)         { return w.conn.Read(p) }
func (w *wire) SetWriteDeadline(t time.Time) error { return w.conn.SetWriteDeadline(t) }
func (w *wire) Close() error                       { return w.conn.Close() }
func (w *wire) LocalAddr() net.Addr                { return w.conn.LocalAddr() }
func (w *wire) RemoteAddr() net.Addr               { return w.conn.RemoteAddr() }
func (w *wire) SetDeadline(t time.Time) error      { return w.conn.SetDeadline(t) }
func (w *wire) SetReadDeadline(t time.Time) error  { return w.conn.SetReadDeadline(t) }

// kickLocked makes sure that somebody writes what waits. Until that is done the
// wire counts as running, whoever writes it.
func (w *wire) kickLocked() {
	if w.busy || !w.waitingLocked() {
		return
	}
	w.busy = true
	w.s.srv.running.Add(1) // the session or the reader is counted already
	if w.raw != nil {
		w.s.srv.pump.push(w)
	} else {
		go w.drain()
	}
}

// waitingLocked reports whether there is something to write. Only the writer may
// ask while the wire is busy.
func (w *wire) waitingLocked() bool {
	return len(w.cur) > 0 || len(w.ctl) > 0 || w.own && (w.s.pingDue || !w.s.out.empty())
}

// hangUpLocked sends a close frame after the group that is being written and ends
// the connection. The client has lingerTimeout to take them.
func (w *wire) hangUpLocked(code uint16) {
	if w.last || w.gone {
		return
	}
	w.last = true
	w.until = time.Now().Add(lingerTimeout)
	_ = w.conn.SetWriteDeadline(w.until)
	w.ctl = appendCloseFrame(w.ctl, code)
	w.kickLocked()
}

// turn copies one buffer of what waits and tries to write it. What is not taken
// moves, with the buffer, to a goroutine that may block.
func (w *wire) turn(t *trial) {
	p, charge := w.fill(t.buf[:0])
	failpoint.After(failpoint.MidWrite, func() { _, _ = t.write(w.raw, p[:len(p)/2]) })
	n, err := t.write(w.raw, p)
	switch {
	case err != nil:
		w.fail(err)
	case n < len(p):
		go w.finish(t.buf, p, n, charge)
		t.buf = buffers.Get().(*buffer)
	default:
		w.wrote(n, charge)
	}
}

// fill copies what is next into b, as far as it has room, and returns how much of
// the queue's account that settles.
func (w *wire) fill(b []byte) (p []byte, charge int) {
	for len(b) < cap(b) && (len(w.cur) > 0 || w.advance()) {
		n := copy(b[len(b):cap(b)], w.cur)
		b, w.cur = b[:len(b)+n], w.cur[n:]
		if len(w.cur) == 0 {
			charge += w.charge
			w.charge = 0
		}
	}
	return b, charge
}

// advance takes the next thing to copy: control frames, a ping, a group.
func (w *wire) advance() bool {
	g := w.takeLocking()
	if g != nil {
		w.charge = g.Size()
		w.cur = w.frames(g)
	}
	return len(w.cur) > 0
}

// takeLocking sets cur, or returns the group that is next.
func (w *wire) takeLocking() *Group {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(w.ctl) > 0:
		w.cur, w.ctl = w.ctl, nil
		s.openRoomLocked()
	case w.own && s.pingDue:
		w.cur, s.pingDue = pingFrame, false
	case w.own:
		return s.out.pop()
	}
	return nil
}

func (w *wire) frames(g *Group) []byte {
	if w.deflated {
		return g.deflatedFrames()
	}
	return g.webSocketFrames()
}

// finish writes the rest of a worker's buffer and gives the buffer back.
func (w *wire) finish(buf *buffer, p []byte, n, charge int) {
	w.setStuck(true)
	err := w.writeAll(p[n:])
	buffers.Put(buf)
	if err != nil {
		w.fail(err)
		return
	}
	w.setStuck(false)
	w.wrote(len(p), charge)
}

func (w *wire) setStuck(stuck bool) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.stuck = stuck
}

// drain writes until nothing waits, for connections that can only be written
// blocking: TLS and whatever is no socket.
func (w *wire) drain() {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	for more := true; more; {
		p, charge := w.fill(buf[:0])
		if err := w.writeAll(p); err != nil {
			w.fail(err)
			return
		}
		more = w.settle(len(p), charge)
	}
}

// writeAll writes p as long as the client takes some of it within StallTimeout.
func (w *wire) writeAll(p []byte) error {
	defer w.calm()
	for len(p) > 0 {
		w.hurry()
		n, err := w.writeSome(p[:min(len(p), writeChunk)])
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

// hurry sets the deadline by which the client must take something.
func (w *wire) hurry() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	stalled := time.Now().Add(w.s.srv.cfg.StallTimeout)
	if !w.until.IsZero() && w.until.Before(stalled) {
		stalled = w.until
	}
	_ = w.conn.SetWriteDeadline(stalled)
}

// calm takes the deadline back, or it would end a later write at once.
func (w *wire) calm() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.until.IsZero() {
		_ = w.conn.SetWriteDeadline(time.Time{})
	}
}

func (w *wire) writeSome(p []byte) (int, error) {
	if w.raw != nil {
		return writeSome(w.raw, p)
	}
	return w.conn.Write(p)
}

// wrote ends a turn: back to the run list if there is more.
func (w *wire) wrote(n, charge int) {
	if w.settle(n, charge) {
		w.s.srv.pump.push(w)
	}
}

// settle accounts for what was written and reports whether more waits; if not,
// the wire is no longer busy.
func (w *wire) settle(n, charge int) (more bool) {
	s := w.s
	s.srv.stats.bytesOut.Add(int64(n))
	s.mu.Lock()
	drained := s.settleLocked(charge)
	if more = w.waitingLocked(); !more {
		defer s.srv.running.Done()
		w.busy = false
		w.restLocked() // may make it busy again, with another writer
	}
	s.mu.Unlock()
	if drained {
		s.drained()
	}
	return more
}

// restLocked is reached when everything is written.
func (w *wire) restLocked() {
	switch {
	case w.last && w.gone:
		_ = w.conn.Close()
	case w.last:
		_ = w.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	case w.own:
		w.s.flushedLocked()
	}
}

// fail ends the connection after a write that did not go through.
func (w *wire) fail(err error) {
	reason := ReasonTransportError
	if errors.Is(err, ErrStalled) {
		reason = ReasonSlow
	}
	s := w.s
	defer s.srv.running.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	w.last, w.ctl, w.cur = true, nil, nil // and busy for ever: nothing is written any more
	_ = w.conn.Close()                    // ends the reader
	s.openRoomLocked()
	if w.own {
		s.endLocked(reason, err)
	}
}
