package engineio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	pollingType = "text/plain; charset=UTF-8"

	// pollBytes is about how many bytes one answer has; a larger group is sent alone.
	pollBytes = 64 << 10

	// pollPackets is how many packets one answer has; a larger group is sent alone.
	// python-engineio closes its session if there are more.
	pollPackets = 16

	// probePause is how long a GET that arrives during an upgrade is held for data before
	// it is answered with a NOOP. Not zero, or a client that does not stop polling would
	// send requests without pause.
	probePause = 20 * time.Millisecond

	// writeChunk is how many bytes the client must read within StallTimeout.
	writeChunk = 16 << 10
)

// A poll is a GET that is held until there is something to answer (section "HTTP
// long-polling"). It is guarded by the session's lock.
type poll struct {
	ready chan struct{} // has a value when there may be an answer
	final packetType    // the one packet to answer with; valid once the session has let go of the poll
}

// tooLate is the final of a GET that was held when the upgrade was completed. No client
// sends one then; it is refused as a transport mismatch.
const tooLate packetType = 'x'

func (p *poll) wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// answerPollLocked answers the held GET, if there is one, with one packet and nothing else.
func (s *Session) answerPollLocked(kind packetType) {
	if s.poll != nil {
		s.poll.final = kind
		s.poll.wake()
		s.poll = nil
	}
}

// openPolling answers a handshake over polling.
func (s *Server) openPolling(w http.ResponseWriter, r *http.Request, query url.Values) {
	address, refused := s.admit(r)
	if refused != nil {
		s.refuse(w, r, refused, false)
		return
	}
	session := s.startSession(r, query, nil, address)
	if s.cfg.Cookie != nil {
		cookie := *s.cfg.Cookie
		cookie.Value = session.id
		http.SetCookie(w, &cookie)
	}
	a := session.takeAnswer()
	a.open = s.openPacket(session.id, Polling)
	a.initial = true
	session.answer(w, r, a)
}

// servePolling serves a request of an open session.
func (s *Session) servePolling(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		s.serveGet(w, r)
	case http.MethodPost:
		s.servePost(w, r)
	default:
		leaveBody(w, r)
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// serveGet holds the request until there is something to answer.
func (s *Session) serveGet(w http.ResponseWriter, r *http.Request) {
	p, refused := s.holdPoll()
	switch {
	case refused != nil:
		s.srv.refuse(w, r, refused, false)
		return
	case p == nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch a, ok := s.awaitAnswer(r.Context(), p); {
	case ok && a.packet == tooLate:
		s.srv.refuse(w, r, refuse(BadRequest, "transport mismatch"), false)
	case ok:
		s.answer(w, r, a)
	}
}

// holdPoll makes the request the session's poll. A second one ends the session: the first
// is answered with a close, the second, for which holdPoll returns nothing, with an empty
// 400.
func (s *Session) holdPoll() (*poll, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.overdueLocked():
		s.endLocked(ReasonPingTimeout, nil)
		return nil, refuse(UnknownSession, "ping timeout")
	case s.phase == phaseClosed:
		return nil, refuse(UnknownSession, "closed meanwhile")
	case s.conn != nil:
		return nil, refuse(BadRequest, "transport mismatch")
	case s.poll != nil:
		s.endLocked(ReasonTransportError, ErrPollOverlap)
		return nil, nil
	}
	p := &poll{ready: make(chan struct{}, 1)}
	s.poll = p
	s.endIfFlushedLocked() // a closing session can send the close now
	return p, nil
}

// awaitAnswer waits for the poll's answer; false if the client gave up.
func (s *Session) awaitAnswer(ctx context.Context, p *poll) (answer, bool) {
	var pause <-chan time.Time
	for {
		a, ok := s.tryAnswer(p)
		if ok {
			return a, true
		}
		if pause == nil && s.upgrading() {
			pause = time.After(probePause)
		}
		select {
		case <-p.ready:
		case <-pause:
			s.answerWithNoop(p)
		case <-ctx.Done():
			s.pollAborted(p)
			return answer{}, false
		}
	}
}

func (s *Session) upgrading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probed
}

// answerWithNoop answers p with a NOOP if it is still held.
func (s *Session) answerWithNoop(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == p {
		s.answerPollLocked(packetNoop)
	}
}

// pollAborted is called when the client cancelled p. It ends the session unless that does
// not hold p any more: an upgrade that was completed meanwhile remains.
func (s *Session) pollAborted(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == p {
		s.endLocked(ReasonTransportError, ErrPollGone)
	}
}

// tryAnswer returns p's answer if there is one.
func (s *Session) tryAnswer(p *poll) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.final != 0:
		return answer{packet: p.final}, true
	case !s.pingDue && s.out.empty():
		return answer{}, false
	}
	s.poll = nil
	return s.takeAnswerLocked(), true
}

// An answer is the content of one polling response.
type answer struct {
	open    string     // the handshake's payload
	packet  packetType // a packet without payload
	groups  []*Group
	cost    int  // what groups count in Session.queued
	initial bool // answers a handshake
}

// takeAnswer takes what may go into one answer from the queue.
func (s *Session) takeAnswer() answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeAnswerLocked()
}

func (s *Session) takeAnswerLocked() (a answer) {
	packets := 1 // of the handshake, or a ping
	if s.pingDue {
		s.pingDue, a.packet = false, packetPing
	}
	for !s.out.empty() && a.cost < pollBytes {
		g := s.out.peek()
		if packets += len(g.msgs); packets > pollPackets && len(a.groups) > 0 {
			break
		}
		a.groups = append(a.groups, s.out.pop())
		a.cost += g.Size()
	}
	s.lastFetch = s.srv.now()
	return a
}

// payload joins the answer's packets (section "Packet encoding").
func (a *answer) payload() []byte {
	var parts [][]byte
	if a.open != "" {
		parts = append(parts, append([]byte{byte(packetOpen)}, a.open...))
	}
	if a.packet != 0 {
		parts = append(parts, []byte{byte(a.packet)})
	}
	for _, g := range a.groups {
		parts = append(parts, g.pollingPayload())
	}
	return bytes.Join(parts, []byte{separator})
}

// answer writes a as the response and accounts for it.
func (s *Session) answer(w http.ResponseWriter, r *http.Request, a answer) {
	s.beginAnswer()
	body := a.payload()
	pollingHeaders(w.Header(), r, pollingType)
	s.srv.headers(w.Header(), r, a.initial)
	if !s.srv.cfg.NoHTTPCompression {
		body = compressed(w.Header(), r, body)
	}
	if err := s.srv.writeBody(w, body); err != nil {
		s.end(ReasonTransportError, ErrPollGone)
	}
	s.accountAnswered(a.cost)
}

func (s *Session) beginAnswer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers++
}

// accountAnswered accounts for an answer that was written and tells those who wait for
// that.
func (s *Session) accountAnswered(cost int) {
	s.mu.Lock()
	s.answers--
	s.lastFetch = s.srv.now()
	drained := s.accountWrittenLocked(cost)
	s.endIfFlushedLocked()
	s.mu.Unlock()
	if drained {
		s.drained()
	}
}

// pollingHeaders sets the headers of every polling answer. X-XSS-Protection keeps old
// Internet Explorers from changing the body.
func pollingHeaders(h http.Header, r *http.Request, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	if ua := r.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		h.Set("X-XSS-Protection", "0")
	}
}

// writeBody writes a response, of which the client must read writeChunk bytes within each
// StallTimeout.
func (s *Server) writeBody(w http.ResponseWriter, body []byte) error {
	deadlines := http.NewResponseController(w)
	defer func() { _ = deadlines.SetWriteDeadline(time.Time{}) }() // tests' recorders have none
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	for chunk := range slices.Chunk(body, writeChunk) {
		_ = deadlines.SetWriteDeadline(time.Now().Add(s.cfg.StallTimeout))
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	s.stats.bytesOut.Add(int64(len(body)))
	if err := deadlines.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// servePost serves a request that sends packets.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	if !s.beginPost(w, r) {
		leaveBody(w, r)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	defer s.endPost()
	var reserved reservation
	defer s.release(&reserved)
	body, err := s.readBody(r, &reserved)
	s.endBody()
	switch {
	case errors.Is(err, errTooBig):
		s.end(ReasonTransportError, ErrPostTooLarge)
		leaveBody(w, r)
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case errors.Is(err, errNoBytesLeft):
		s.end(ReasonTransportError, errNoBytesLeft)
		s.srv.refuse(w, r, unavailable(LimitNone, "Too many bytes of unfinished messages", fullRetry), false)
	case err != nil:
		s.end(ReasonTransportError, ErrPostGone)
		leaveBody(w, r)
		w.WriteHeader(http.StatusBadRequest)
	case !s.receivePayload(body):
		refuse(BadRequest, "payload").answer(w, false)
	default:
		s.acknowledge(w, r)
	}
}

// leaveBody prepares the answer to a request whose body is not read to its end. The
// connection closes, or net/http would wait for the rest without a deadline.
func leaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingerTimeout))
		if r.ProtoMajor < 2 { // of HTTP/2 only the stream ends
			w.Header().Set("Connection", "close")
		}
	}
}

// acknowledge answers a POST. Its type is text/html since some browsers offered other types
// as a download.
func (s *Session) acknowledge(w http.ResponseWriter, r *http.Request) {
	pollingHeaders(w.Header(), r, "text/html; charset=utf-8")
	s.srv.headers(w.Header(), r, false)
	_, _ = io.WriteString(w, "ok")
}

// beginPost reports whether the POST may be served. A second POST during the first, and the
// binary bodies of protocol 3, end the session. Reading the body may take as long as a
// missing heartbeat, and no longer than the session lasts.
func (s *Session) beginPost(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == phaseClosed || s.conn != nil:
		return false
	case s.posting:
		s.endLocked(ReasonTransportError, ErrPostOverlap)
		return false
	case r.Header.Get("Content-Type") == "application/octet-stream":
		s.endLocked(ReasonTransportError, ErrPostContent)
		return false
	}
	s.posting = true
	s.body = http.NewResponseController(w)
	_ = s.body.SetReadDeadline(time.Now().Add(s.srv.cfg.PingInterval + s.srv.cfg.PingTimeout))
	return true
}

// endBody removes the deadline.
func (s *Session) endBody() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.body.SetReadDeadline(time.Time{})
	s.body = nil
}

func (s *Session) endPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posting = false
}

// receivePayload handles a body's packets in order. It returns false if one is malformed or
// violates the protocol.
func (s *Session) receivePayload(body []byte) bool {
	if !s.Charge(len(body) / meteredBytes) {
		return false
	}
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	for p, err := range decodePayload(body) {
		if err != nil {
			s.end(ReasonParse, err)
			return false
		}
		if !s.Charge(1) {
			return false
		}
		if !s.receive(p) {
			return p.kind != packetPing
		}
	}
	return true
}

// readBody reads a POST body of at most messageLimit bytes. Memory grows with what arrives,
// not with what was announced.
func (s *Session) readBody(r *http.Request, reserved *reservation) (data []byte, err error) {
	limit := s.messageLimit()
	want := limit + 1
	if r.ContentLength >= 0 {
		want = r.ContentLength + 1 // and one to see the end
	}
	if want > limit+1 {
		return nil, errTooBig
	}
	for !errors.Is(err, io.EOF) {
		if len(data) == cap(data) {
			if data, err = s.grow(reserved, data, int(want)); err != nil {
				return nil, err
			}
		}
		var n int
		n, err = r.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if int64(len(data)) > limit {
			return nil, errTooBig
		}
	}
	s.srv.stats.bytesIn.Add(int64(len(data)))
	return data, nil
}
