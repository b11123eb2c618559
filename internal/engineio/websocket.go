package engineio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// readBuffer is what an idle connection that is no plain socket keeps for reading,
	// in bytes. The library would not take less than 257 for the handshake.
	readBuffer = 512

	// handshakeTimeout bounds writing the answer to a WebSocket handshake.
	handshakeTimeout = 10 * time.Second

	probeText = "probe" // payload of the upgrade's ping and pong
)

// noWriteBuffers is never used: the library writes the handshake's answer only.
var noWriteBuffers sync.Pool

// A hijacker hands the library the connection inside a wire.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire = newWire(conn, rw.Reader)
	return h.wire, bufio.NewReadWriter(bufio.NewReaderSize(h.wire, readBuffer), rw.Writer), nil
}

// newWire takes over a connection and what the HTTP server had read ahead.
func newWire(conn net.Conn, ahead *bufio.Reader) *wire {
	w := &wire{conn: conn, raw: rawConn(conn)}
	if n := ahead.Buffered(); n > 0 {
		early, _ := ahead.Peek(n) // it is there
		w.in = bytes.Clone(early)
	}
	return w
}

// upgrade answers a WebSocket handshake. On failure the client was told.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, initial bool) (*wire, error) {
	deflated := s.cfg.PerMessageDeflate && offersDeflate(r.Header)
	u := websocket.Upgrader{
		HandshakeTimeout:  handshakeTimeout, // and ReadBufferSize 0: the hijacker's buffer
		WriteBufferPool:   &noWriteBuffers,
		CheckOrigin:       func(*http.Request) bool { return true }, // Config.AllowRequest's matter
		EnableCompression: deflated,
		Error: func(w http.ResponseWriter, r *http.Request, _ int, reason error) {
			w.Header().Set("Sec-WebSocket-Version", "13")
			s.refuse(w, r, &refusal{status: http.StatusBadRequest, code: BadRequest, msg: reason.Error(), why: reason.Error()}, true)
		},
	}
	s.headers(w.Header(), r, initial)
	if offered := websocket.Subprotocols(r); len(offered) > 0 {
		if !isToken(offered[0]) {
			u.Error(w, r, http.StatusBadRequest, errSubProtocol)
			return nil, errSubProtocol
		}
		w.Header().Set("Sec-Websocket-Protocol", offered[0]) // clients give up if none is chosen
	}
	h := &hijacker{ResponseWriter: w}
	if _, err := u.Upgrade(h, r, w.Header()); err != nil {
		return nil, err
	}
	h.wire.deflated = deflated
	return s.prepare(h.wire), nil
}

var errSubProtocol = errors.New("Invalid Sec-WebSocket-Protocol header") //nolint:staticcheck // a client shows the text as it is

// isToken tells whether s is a token of HTTP (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}) < 0
}

// prepare makes a fresh connection ready to be attached.
func (s *Server) prepare(w *wire) *wire {
	if w.deflated {
		w.raw = nil // compressing is no work for the pump
	}
	if tcp, ok := w.conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(s.cfg.SendBuffer)
	}
	s.pump.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wires[w] = struct{}{}
	return w
}

// openWebSocket answers a handshake over WebSocket. It returns at once, so that
// the request's buffers are free while the session lives.
func (s *Server) openWebSocket(w http.ResponseWriter, r *http.Request, query url.Values) {
	place, no := s.admit(r)
	if no != nil {
		s.refuse(w, r, no, true)
		return
	}
	wire, err := s.upgrade(w, r, true)
	if err != nil {
		s.dismiss(place)
		return
	}
	s.running.Add(1) // for listen; the admitted session is counted
	s.start(r, query, wire, place)
	go wire.listen()
}

// serveUpgrade connects a second transport to a polling session (section
// "Upgrade"). One that may not be is accepted and closed, as clients expect.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, session *Session) {
	wire, err := s.upgrade(w, r, false)
	if err != nil {
		return
	}
	if !s.enter() {
		wire.discard(s)
		return
	}
	session.connect(wire)
	go wire.listen()
}

// discard closes a connection that never got a session.
func (w *wire) discard(s *Server) {
	_ = w.conn.Close()
	s.unwire(w)
}

func (s *Server) unwire(w *wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.wires, w)
}

// connect makes w the session's probe, or hangs up.
func (s *Session) connect(w *wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.attach(s)
	if s.phase != phaseOpen || s.wire != nil || s.probe != nil || !s.srv.upgradable() {
		w.hangUpLocked(closeNormal)
		return
	}
	s.probe = w
	_ = w.conn.SetReadDeadline(time.Now().Add(s.srv.cfg.UpgradeTimeout))
}

// listen reads until the connection ends. It is the connection's only goroutine
// while nothing is to be written.
func (w *wire) listen() {
	s := w.s
	defer s.srv.running.Done()
	err := w.readPackets()
	s.lost(w, err)
	w.silence(err)
	s.srv.unwire(w)
}

// readPackets hands packets to the session as long as that wants them, and then
// waits for the client's close.
func (w *wire) readPackets() error {
	for more := true; more; {
		p, err := w.nextPacket()
		if err != nil {
			w.s.repay(&w.loan)
			return w.protest(err)
		}
		more = w.s.hear(w, p)
		w.s.repay(&w.loan)
	}
	return w.skipFrames()
}

// nextPacket waits for input, here where the goroutine's stack is still small, and
// reads a packet.
func (w *wire) nextPacket() (packet, error) {
	if len(w.in) == 0 {
		if err := w.fetch(); err != nil {
			return packet{}, err
		}
	}
	return w.readPacket()
}

// readPacket reads one message: text holds a packet, binary is a message packet.
func (w *wire) readPacket() (packet, error) {
	op, data, err := w.readMessage()
	switch {
	case err != nil:
		return packet{}, err
	case op == opBinary:
		return packet{kind: packetMessage, binary: true, data: data}, nil
	}
	return decodePacket(data)
}

// protest tells the client which rule it broke, or that the time for its upgrade is
// over, and passes err on.
func (w *wire) protest(err error) error {
	if isDeparture(err) && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	code := uint16(closeNormal)
	var rule *violation
	switch {
	case errors.As(err, &rule):
		code = rule.code
	case errors.Is(err, ErrFlood):
		code = closePolicy
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.hangUpLocked(code)
	return err
}

// hear handles a packet that came over w; false when w is not listened to.
func (s *Session) hear(w *wire, p packet) bool {
	s.mu.Lock()
	own := w.own
	if s.countLocked(1 + w.takeUnmetered()) {
		w.hangUpLocked(closePolicy)
		s.endLocked(ReasonTransportError, ErrFlood)
	}
	s.mu.Unlock()
	if own {
		return s.receive(p)
	}
	return s.negotiate(w, p)
}

// negotiate handles a packet of a connection that wants to become the session's
// transport (section "Upgrade").
func (s *Session) negotiate(w *wire, p packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.probe != w || s.phase == phaseClosed:
		return false
	case p.kind == packetPing && string(p.data) == probeText:
		w.ctl = appendTextFrame(w.ctl, packetPong, probeText)
		w.kickLocked()
		s.probed = true
		s.releaseLocked(packetNoop)
		return true
	case p.kind == packetUpgrade:
		s.adoptLocked(w)
		return true
	}
	s.abandonLocked()
	w.hangUpLocked(closeNormal)
	return false
}

// adoptLocked makes w the transport: what waits goes over it, in order, since
// clients stop polling before they say "5".
func (s *Session) adoptLocked(w *wire) {
	s.wire, w.own = w, true
	s.abandonLocked()
	s.releaseLocked(tooLate)
	_ = w.conn.SetReadDeadline(time.Time{})
	if s.awaiting && s.phase == phaseOpen { // its pong may have had to wait
		s.waitLocked(s.srv.cfg.PingTimeout)
	}
	s.srv.stats.upgrade()
	w.kickLocked()
	s.flushedLocked()
}

func (s *Session) abandonLocked() { s.probe, s.probed = nil, false }

// lost is told that w's reading ended, with why.
func (s *Session) lost(w *wire, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch w {
	case s.wire:
		s.endLocked(readReason(err), err)
	case s.probe:
		s.abandonLocked()
	}
}

// readReason says how Node would call the error that ended reading.
func readReason(err error) Reason {
	switch {
	case errors.Is(err, ErrParse):
		return ReasonParse
	case isDeparture(err):
		return ReasonTransportClose
	}
	return ReasonTransportError
}

// isDeparture reports whether the client or the network ended the connection, as
// opposed to a rule that was broken.
func isDeparture(err error) bool {
	var network net.Error
	return errors.Is(err, errClosed) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}

// silence ends the connection after its last read. If the client broke a rule, or
// took too long for its upgrade, it may still be sending, and would not get the close
// frame.
func (w *wire) silence(err error) {
	if w.buf != nil {
		inputs.Put(w.buf)
		w.in, w.buf = nil, nil
	}
	if !isDeparture(err) || errors.Is(err, os.ErrDeadlineExceeded) {
		_ = w.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.CopyN(io.Discard, w.conn, lingerBytes)
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.gone = true
	if !w.last || !w.busy { // else the writer closes after the close frame
		_ = w.conn.Close()
	}
}
