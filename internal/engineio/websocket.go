package engineio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
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
	// readBuffer is the read buffer in bytes that an idle connection keeps if it is no
	// plain socket. The library accepts no less than 257 for the handshake.
	readBuffer = 512

	// handshakeTimeout bounds writing the answer to a WebSocket handshake.
	handshakeTimeout = 10 * time.Second

	probeText = "probe" // payload of the upgrade's ping and pong
)

// noWriteBuffers is never used: the library writes only the handshake's answer.
var noWriteBuffers sync.Pool

// A hijacker hands the library the connection wrapped in a wsConn.
type hijacker struct {
	http.ResponseWriter
	conn *wsConn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = newWSConn(conn, rw.Reader)
	return h.conn, bufio.NewReadWriter(bufio.NewReaderSize(h.conn, readBuffer), rw.Writer), nil
}

// newWSConn takes over a connection and what the HTTP server had read ahead.
func newWSConn(conn net.Conn, ahead *bufio.Reader) *wsConn {
	c := &wsConn{conn: conn, raw: rawConn(conn)}
	if n := ahead.Buffered(); n > 0 {
		early, _ := ahead.Peek(n) // it is there
		c.in = bytes.Clone(early)
	}
	return c
}

// upgrade answers a WebSocket handshake. If it returns an error, the client was told.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, initial bool) (*wsConn, error) {
	deflated := s.cfg.PerMessageDeflate && offersDeflate(r.Header)
	u := websocket.Upgrader{
		HandshakeTimeout:  handshakeTimeout, // and ReadBufferSize 0: the hijacker's buffer
		WriteBufferPool:   &noWriteBuffers,
		CheckOrigin:       func(*http.Request) bool { return true }, // that is up to Config.AllowRequest
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
	if _, err := u.Upgrade(h, withOffer(r, deflated), w.Header()); err != nil {
		return nil, err
	}
	h.conn.deflated = deflated
	return s.addConn(h.conn), nil
}

// withOffer returns r with the offer that is accepted in place of the client's, so that the
// library, whose parser is another, agrees to the same.
func withOffer(r *http.Request, deflated bool) *http.Request {
	if !deflated {
		return r
	}
	agreed := *r
	agreed.Header = maps.Clone(r.Header)
	agreed.Header.Set("Sec-WebSocket-Extensions", deflateName)
	return &agreed
}

var errSubProtocol = errors.New("Invalid Sec-WebSocket-Protocol header") //nolint:staticcheck // a client shows the text as it is

// isToken reports whether s is a token of HTTP (RFC 9110 section 5.6.2).
func isToken(s string) bool { return s != "" && strings.IndexFunc(s, isNoTokenChar) < 0 }

// isNoTokenChar reports whether c cannot be in a token.
func isNoTokenChar(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}

// addConn prepares a new connection and adds it to the server's.
func (s *Server) addConn(c *wsConn) *wsConn {
	if tcp, ok := carrierOf(c.conn).(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(s.cfg.SendBuffer)
	}
	s.writePool.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	return c
}

// removeConn is the reverse of addConn.
func (s *Server) removeConn(c *wsConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// openWebSocket answers a handshake over WebSocket. It returns at once, so that the
// request's buffers are freed while the session lives.
func (s *Server) openWebSocket(w http.ResponseWriter, r *http.Request, query url.Values) {
	address, refused := s.admit(r)
	if refused != nil {
		s.refuse(w, r, refused, true)
		return
	}
	c, err := s.upgrade(w, r, true)
	if err != nil {
		s.cancelAdmission(address)
		return
	}
	s.running.Add(1) // for read; the admitted session is counted already
	s.startSession(r, query, c, address)
	go c.read()
}

// serveUpgrade connects a second transport to a polling session (section "Upgrade"). If
// that is not possible now, the connection is accepted and closed, as clients expect.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, session *Session) {
	c, err := s.upgrade(w, r, false)
	if err != nil {
		return
	}
	if !s.addRunning() {
		_ = c.conn.Close()
		s.removeConn(c)
		return
	}
	session.connectProbe(c)
	go c.read()
}

// connectProbe makes c the session's probe, or closes it.
func (s *Session) connectProbe(c *wsConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.attach(s)
	if s.phase != phaseOpen || s.conn != nil || s.probe != nil || !s.srv.upgradable() {
		c.sendCloseLocked(closeNormal)
		return
	}
	s.probe = c
	_ = c.conn.SetReadDeadline(time.Now().Add(s.srv.cfg.UpgradeTimeout))
}

// read reads until the connection ends. It runs on the only goroutine of the connection
// while nothing is to be written.
func (c *wsConn) read() {
	err := c.readPackets()
	if errors.Is(err, errStackGrown) {
		go c.read()
		return
	}
	s := c.s
	defer s.srv.running.Done()
	s.readEnded(c, err)
	c.drainAndClose(err)
	s.srv.removeConn(c)
}

// readPackets hands packets to the session as long as that accepts them, and then waits
// for the client's close frame.
func (c *wsConn) readPackets() error {
	for more := true; more; {
		p, err := c.nextPacket()
		if err != nil {
			c.s.release(&c.reserved)
			return c.closeWithError(err)
		}
		more = c.s.handlePacket(c, p)
		c.s.release(&c.reserved)
		if more && c.stack.grown(p.kind) {
			return errStackGrown
		}
	}
	return c.skipFrames()
}

// nextPacket waits for input, here where the goroutine's stack is still small, and reads
// a packet.
func (c *wsConn) nextPacket() (packet, error) {
	if len(c.in) == 0 {
		if err := c.readMore(); err != nil {
			return packet{}, err
		}
	}
	return c.readPacket()
}

// readPacket reads one message: a text message is a packet, a binary one the data of a
// message packet.
func (c *wsConn) readPacket() (packet, error) {
	op, data, err := c.readMessage()
	switch {
	case err != nil:
		return packet{}, err
	case op == opBinary:
		return packet{kind: packetMessage, binary: true, data: data}, nil
	}
	return decodePacket(data)
}

// closeWithError sends a close frame that says which rule the client violated, or that
// the time for its upgrade is over, and returns err.
func (c *wsConn) closeWithError(err error) error {
	if isDisconnect(err) && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	code := uint16(closeNormal)
	var protocol *protocolError
	switch {
	case errors.As(err, &protocol):
		code = protocol.code
	case errors.Is(err, ErrFlood):
		code = closePolicy
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.sendCloseLocked(code)
	return err
}

// handlePacket handles a packet that arrived over c. It returns false when c is not to be
// read any more.
func (s *Session) handlePacket(c *wsConn, p packet) bool {
	s.mu.Lock()
	own := c.own
	if s.countLocked(1 + c.takeUnmetered()) {
		c.sendCloseLocked(closePolicy)
		s.endLocked(ReasonTransportError, ErrFlood)
	}
	s.mu.Unlock()
	if own {
		return s.receive(p)
	}
	return s.handleProbe(c, p)
}

// handleProbe handles a packet of a connection that is to become the session's transport
// (section "Upgrade"). It returns false when c is not to be read any more.
func (s *Session) handleProbe(c *wsConn, p packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.probe != c || s.phase == phaseClosed:
		return false
	case p.kind == packetPing && string(p.data) == probeText:
		c.control = appendTextFrame(c.control, packetPong, probeText)
		c.wakeWriterLocked()
		s.probed = true
		s.answerPollLocked(packetNoop)
		return true
	case p.kind == packetUpgrade:
		s.completeUpgradeLocked(c)
		return true
	}
	s.abandonProbeLocked()
	c.sendCloseLocked(closeNormal)
	return false
}

// completeUpgradeLocked makes c the transport: what waits is sent over it, in order, since
// clients stop polling before they send the packet "5".
func (s *Session) completeUpgradeLocked(c *wsConn) {
	s.conn, c.own = c, true
	s.abandonProbeLocked()
	s.answerPollLocked(tooLate)
	_ = c.conn.SetReadDeadline(time.Time{})
	if s.awaitingPong && s.phase == phaseOpen { // its pong may have been held up
		s.setTimerLocked(s.srv.cfg.PingTimeout)
	}
	s.srv.stats.upgrade()
	c.wakeWriterLocked()
	s.endIfFlushedLocked()
}

func (s *Session) abandonProbeLocked() { s.probe, s.probed = nil, false }

// readEnded is called when reading c has ended with err.
func (s *Session) readEnded(c *wsConn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c {
	case s.conn:
		s.endLocked(reasonOf(err), err)
	case s.probe:
		s.abandonProbeLocked()
	}
}

// reasonOf returns the reference server's reason for an error that ended reading.
func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, ErrParse):
		return ReasonParse
	case isDisconnect(err):
		return ReasonTransportClose
	}
	return ReasonTransportError
}

// isDisconnect reports whether the client or the network ended the connection, as opposed
// to a violation of the protocol.
func isDisconnect(err error) bool {
	var network net.Error
	return errors.Is(err, errClosed) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}

// drainAndClose ends the connection after its last read. A client that violated the
// protocol, or took too long for its upgrade, may still be sending; unless that is read,
// it would not get the close frame.
func (c *wsConn) drainAndClose(err error) {
	c.releaseBuffer()
	stillSending := !isDisconnect(err) || errors.Is(err, os.ErrDeadlineExceeded)
	if stillSending && !errors.Is(err, errLingered) {
		_ = c.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.CopyN(io.Discard, c.conn, lingerBytes)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.readerEnded = true
	if !c.closing || !c.busy { // else the writer closes after the close frame
		c.close()
	}
}
