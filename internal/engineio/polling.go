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

	"expenseflow/internal/failpoint"
)

const (
	pollingType = "text/plain; charset=UTF-8"

	// pollBytes is about how much one answer carries; a larger group goes alone.
	pollBytes = 64 << 10

	// pollPackets is how many packets one answer carries; a group of more goes alone.
	// python-engineio ends its session at one more.
	pollPackets = 16

	// probePause is how long a GET that arrives during an upgrade is held for
	// data before a NOOP releases it. Not zero, or a client that does not stop
	// polling would spin.
	probePause = 20 * time.Millisecond

	// writeChunk is how much of an answer must be taken within StallTimeout.
	writeChunk = 16 << 10
)

// A poll is a GET that is held until there is something to answer (section "HTTP
// long-polling"). The session's lock guards it.
type poll struct {
	ready chan struct{} // has a value when it is worth looking again
	final packetType    // the whole answer, once the poll no longer counts
}

// tooLate is the final of a GET that came over the old transport while the
// upgrade was being completed. No client does that; it is a transport mismatch.
const tooLate packetType = 'x'

func (p *poll) wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// releaseLocked answers the held GET with one packet and nothing else.
func (s *Session) releaseLocked(kind packetType) {
	if s.poll != nil {
		s.poll.final = kind
		s.poll.wake()
		s.poll = nil
	}
}

// openPolling answers a handshake over polling.
func (s *Server) openPolling(w http.ResponseWriter, r *http.Request, query url.Values) {
	place, no := s.admit(r)
	if no != nil {
		s.refuse(w, r, no, false)
		return
	}
	session := s.start(r, query, nil, place)
	if s.cfg.Cookie != nil {
		cookie := *s.cfg.Cookie
		cookie.Value = session.id
		http.SetCookie(w, &cookie)
	}
	a := session.take()
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

// serveGet holds the request until something is to be said.
func (s *Session) serveGet(w http.ResponseWriter, r *http.Request) {
	p, no := s.hold()
	switch {
	case no != nil:
		s.srv.refuse(w, r, no, false)
		return
	case p == nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch a, ok := s.await(r.Context(), p); {
	case ok && a.packet == tooLate:
		s.srv.refuse(w, r, refuse(BadRequest, "transport mismatch"), false)
	case ok:
		s.answer(w, r, a)
	}
}

// hold makes the request the session's poll. A second one ends the session: the
// first is answered with a close, the second, for which hold returns nothing,
// with an empty 400.
func (s *Session) hold() (*poll, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.overdueLocked():
		s.endLocked(ReasonPingTimeout, nil)
		return nil, refuse(UnknownSession, "ping timeout")
	case s.phase == phaseClosed:
		return nil, refuse(UnknownSession, "closed meanwhile")
	case s.wire != nil:
		return nil, refuse(BadRequest, "transport mismatch")
	case s.poll != nil:
		s.endLocked(ReasonTransportError, ErrPollOverlap)
		return nil, nil
	}
	p := &poll{ready: make(chan struct{}, 1)}
	s.poll = p
	s.flushedLocked() // a closing session says so now
	return p, nil
}

// await waits for the poll's answer; false if the client gave up.
func (s *Session) await(ctx context.Context, p *poll) (answer, bool) {
	var pause <-chan time.Time
	for {
		a, ok := s.look(p)
		if ok {
			return a, true
		}
		if pause == nil && s.upgrading() {
			pause = time.After(probePause)
		}
		select {
		case <-p.ready:
		case <-pause:
			s.release(p)
		case <-ctx.Done():
			s.desert(p)
			return answer{}, false
		}
	}
}

func (s *Session) upgrading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probed
}

// release answers p with a NOOP if it is still held.
func (s *Session) release(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == p {
		s.releaseLocked(packetNoop)
	}
}

// desert is told that p's client gave up. It ends the session unless that had
// let go of p: an upgrade that is completed meanwhile stands.
func (s *Session) desert(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == p {
		s.endLocked(ReasonTransportError, ErrPollGone)
	}
}

// look returns p's answer if there is one.
func (s *Session) look(p *poll) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.final != 0:
		return answer{packet: p.final}, true
	case !s.pingDue && s.out.empty():
		return answer{}, false
	}
	s.poll = nil
	return s.takeLocked(), true
}

// An answer is what one polling response says.
type answer struct {
	open    string     // the handshake's payload
	packet  packetType // a packet without payload
	groups  []*Group
	charge  int  // what groups count
	initial bool // answers a handshake
}

// take takes what may go into one answer from the queue.
func (s *Session) take() answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeLocked()
}

func (s *Session) takeLocked() (a answer) {
	packets := 1 // of the handshake, or a ping
	if s.pingDue {
		s.pingDue, a.packet = false, packetPing
	}
	for !s.out.empty() && a.charge < pollBytes {
		g := s.out.peek()
		if packets += len(g.msgs); packets > pollPackets && len(a.groups) > 0 {
			break
		}
		a.groups = append(a.groups, s.out.pop())
		a.charge += g.Size()
	}
	s.taken = time.Now()
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

// compressible reports whether some group asks for compression.
func (a *answer) compressible() bool {
	for _, g := range a.groups {
		if !g.plain {
			return true
		}
	}
	return false
}

// answer writes a as the response and settles its account.
func (s *Session) answer(w http.ResponseWriter, r *http.Request, a answer) {
	s.beginAnswer()
	body := a.payload()
	pollingHeaders(w.Header(), r, pollingType)
	s.srv.headers(w.Header(), r, a.initial)
	if a.compressible() && !s.srv.cfg.NoHTTPCompression {
		body = compressed(w.Header(), r, body)
	}
	if err := s.srv.writeBody(w, body); err != nil {
		s.end(ReasonTransportError, ErrPollGone)
	}
	s.settle(a.charge)
}

func (s *Session) beginAnswer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers++
}

// settle takes written bytes off the account and says so where that matters.
func (s *Session) settle(charge int) {
	s.mu.Lock()
	s.answers--
	s.taken = time.Now()
	drained := s.settleLocked(charge)
	s.flushedLocked()
	s.mu.Unlock()
	if drained {
		s.drained()
	}
}

// pollingHeaders sets what every polling answer carries. The XSS header keeps
// old Internet Explorers from mangling it.
func pollingHeaders(h http.Header, r *http.Request, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	if ua := r.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		h.Set("X-XSS-Protection", "0")
	}
}

// writeBody writes a response that the client must keep taking.
func (s *Server) writeBody(w http.ResponseWriter, body []byte) error {
	deadlines := http.NewResponseController(w)
	defer func() { _ = deadlines.SetWriteDeadline(time.Time{}) }() // tests' recorders have none
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	failpoint.After(failpoint.MidWrite, func() { _, _ = w.Write(body[:len(body)/2]); _ = deadlines.Flush() })
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

// servePost serves a request that brings packets.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	if !s.beginPost(w, r) {
		leaveBody(w, r)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	defer s.endPost()
	var l loan
	defer s.repay(&l)
	body, err := s.readBody(r, &l)
	s.endBody()
	switch {
	case errors.Is(err, errTooBig):
		s.end(ReasonTransportError, ErrPostTooLarge)
		leaveBody(w, r)
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case errors.Is(err, errBusy):
		s.end(ReasonTransportError, errBusy)
		s.srv.refuse(w, r, unavailable("Too many bytes of unfinished messages"), false)
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

// leaveBody prepares the answer to a request whose body is not read to its end.
// The connection closes, or net/http would wait for the rest without a deadline.
func leaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingerTimeout))
		w.Header().Set("Connection", "close")
	}
}

// acknowledge answers a POST. Its type is text/html since some browsers offered
// other types as a download.
func (s *Session) acknowledge(w http.ResponseWriter, r *http.Request) {
	pollingHeaders(w.Header(), r, "text/html; charset=utf-8")
	s.srv.headers(w.Header(), r, false)
	_, _ = io.WriteString(w, "ok")
}

// beginPost refuses what ends the session: a second POST beside the first, and
// the binary bodies of protocol 3. A body may take the time in which a heartbeat
// would end the session, and no longer than the session lasts.
func (s *Session) beginPost(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == phaseClosed || s.wire != nil:
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

// endBody takes the deadline back.
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

// receivePayload handles a body's packets in order; false if one is malformed or
// breaks the rules.
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

// readBody reads a POST body of at most messageLimit bytes. Memory grows with what
// arrives, not with what was announced.
func (s *Session) readBody(r *http.Request, l *loan) (data []byte, err error) {
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
			if data, err = s.grow(l, data, int(want)); err != nil {
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
