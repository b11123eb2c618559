package engineio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

// firstBytes is what is allocated for a message at once if more than that is
// announced; further memory is taken as bytes arrive.
const firstBytes = 4 << 10

// A violation is how a client broke the rules of WebSocket, and the status code
// that says so (RFC 6455 section 7.4.1).
type violation struct {
	code uint16
	why  string
}

func (v *violation) Error() string { return "engineio: " + v.why }

func broken(why string) error { return &violation{closeProtocolError, why} }

var (
	errTooBig = &violation{closeTooBig, "message over MaxPayload"}
	errUTF8   = &violation{closeInvalidPayload, "text message is not valid UTF-8"}
	errBusy   = &violation{closeTryAgain, "too many bytes of unfinished messages"}

	// errClosed is the client's close frame.
	errClosed = errors.New("engineio: client closed the connection")
)

// A frameHeader is what stands before a client's frame (RFC 6455 section 5.2).
type frameHeader struct {
	op         byte
	final      bool
	compressed bool
	size       int64
	mask       [4]byte
}

func (h *frameHeader) control() bool { return h.op >= opClose }

// readHeader reads the next frame's header and checks what can be told from it.
func (w *wire) readHeader() (h frameHeader, err error) {
	b := w.head[:2]
	if err = w.readFull(b); err != nil {
		return h, err
	}
	h = frameHeader{op: b[0] & 0x0f, final: b[0]&frameFinal != 0, compressed: b[0]&frameCompressed != 0, size: int64(b[1] & 0x7f)}
	switch {
	case b[0]&0x30 != 0, h.compressed && (!w.deflated || h.op == opContinuation || h.control()):
		return h, broken("reserved bit set")
	case b[1]&0x80 == 0:
		return h, broken("frame is not masked")
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return h, broken(fmt.Sprintf("unknown opcode %d", h.op))
	case h.control() && (!h.final || h.size > maxSmallFrame):
		return h, broken("control frame is fragmented or too long")
	}
	if h.size, err = w.readSize(h.size); err != nil {
		return h, err
	}
	err = w.readFull(w.head[:4])
	h.mask = [4]byte(w.head[:4])
	return h, err
}

// readSize reads the rest of a length that begins with n.
func (w *wire) readSize(n int64) (int64, error) {
	b := w.head[:]
	switch n {
	case 126:
		err := w.readFull(b[:2])
		return int64(binary.BigEndian.Uint16(b)), err
	case 127:
		err := w.readFull(b)
		size := binary.BigEndian.Uint64(b)
		if err == nil && size > math.MaxInt64 {
			err = broken("length has its first bit set")
		}
		return int64(size), err
	}
	return n, nil
}

// readMessage reads the next message and answers the control frames before and
// inside it. The message's bytes are on the reader's loan.
func (w *wire) readMessage() (op byte, data []byte, err error) {
	compressed := false
	for {
		h, err := w.readHeader()
		if err != nil {
			return 0, nil, err
		}
		switch {
		case h.control():
			if err := w.control(h); err != nil {
				return 0, nil, err
			}
			continue
		case op == 0 && h.op == opContinuation:
			return 0, nil, broken("continuation of nothing")
		case op != 0 && h.op != opContinuation:
			return 0, nil, broken("message inside a message")
		case op == 0:
			op, compressed = h.op, h.compressed
		}
		if data, err = w.readPayload(data, &h); err != nil {
			return 0, nil, err
		}
		if h.final {
			data, err = w.finishMessage(op, data, compressed)
			return op, data, err
		}
	}
}

// readPayload appends a frame's payload to data. Memory grows with what arrives,
// not with what was announced.
func (w *wire) readPayload(data []byte, h *frameHeader) ([]byte, error) {
	limit := w.s.messageLimit()
	if h.size > limit-int64(len(data)) {
		return data, errTooBig
	}
	begin, end := len(data), len(data)+int(h.size)
	want := end
	if begin > 0 || !h.final { // nobody knows how many fragments follow
		want = int(limit)
	}
	for len(data) < end {
		if len(data) == cap(data) {
			var err error
			if data, err = w.s.grow(&w.loan, data, want); err != nil {
				return data, err
			}
		}
		room := data[len(data):min(end, cap(data))]
		if err := w.readFull(room); err != nil {
			return data, err
		}
		data = data[:len(data)+len(room)]
	}
	unmask(data[begin:], h.mask)
	return data, nil
}

// grow makes room in data, which is to have want bytes or more in the end, and
// takes what is beyond firstBytes from the session's quota.
func (s *Session) grow(l *loan, data []byte, want int) ([]byte, error) {
	size := min(want, max(2*cap(data), firstBytes))
	if more := size - max(cap(data), firstBytes); more > 0 && !s.borrow(l, int64(more)) {
		return data, errBusy
	}
	bigger := make([]byte, len(data), size)
	copy(bigger, data)
	return bigger, nil
}

// finishMessage unpacks a message that has arrived and checks its text.
func (w *wire) finishMessage(op byte, data []byte, compressed bool) ([]byte, error) {
	w.s.srv.stats.bytesIn.Add(int64(len(data)))
	if compressed {
		var err error
		if data, err = w.inflate(data); err != nil {
			return nil, err
		}
	}
	switch {
	case op == opText && !utf8.Valid(data):
		return nil, errUTF8
	case data == nil:
		return []byte{}, nil // an empty message is not none
	}
	return data, nil
}

// inflaters unpack messages, one at a time each: no context takeover.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// inflateTail ends a message's last block and adds an empty final one, after which
// the reader says io.EOF (RFC 7692 section 7.2.2).
var inflateTail = append(deflateTail[:len(deflateTail):len(deflateTail)], 0x01, 0x00, 0x00, 0xff, 0xff)

// inflate unpacks a message, up to the limit of messages.
func (w *wire) inflate(packed []byte) (data []byte, err error) {
	limit := w.s.messageLimit()
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	_ = r.(flate.Resetter).Reset(io.MultiReader(bytes.NewReader(packed), bytes.NewReader(inflateTail)), nil) // never fails
	for {
		if len(data) == cap(data) {
			if data, err = w.s.grow(&w.loan, data, int(limit)+1); err != nil {
				return nil, err
			}
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, errTooBig
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, &violation{closeInvalidPayload, "message does not unpack"}
		}
	}
}

// control handles a control frame: a ping is answered, a pong ignored, and a close
// is answered and ends the reading.
func (w *wire) control(h frameHeader) error {
	payload := make([]byte, h.size)
	if err := w.readFull(payload); err != nil {
		return err
	}
	unmask(payload, h.mask)
	if h.op == opClose {
		return w.closed(payload)
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.countLocked(1) {
		return ErrFlood
	}
	if h.op == opPing && !w.last {
		w.ctl = append(appendFrameHeader(w.ctl, opPong, len(payload)), payload...)
		w.kickLocked()
	}
	return nil
}

// closed answers the client's close frame with its own status code.
func (w *wire) closed(payload []byte) error {
	if err := checkClose(payload); err != nil {
		return err
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if !w.last {
		w.last = true
		code := payload[:min(len(payload), 2)]
		w.ctl = append(appendFrameHeader(w.ctl, opClose, len(code)), code...)
		w.kickLocked()
	}
	return errClosed
}

// checkClose checks the payload of a close frame: nothing, or a status code that
// may be sent and a reason in UTF-8 (RFC 6455 sections 5.5.1 and 7.4).
func checkClose(payload []byte) error {
	switch {
	case len(payload) == 0:
		return nil
	case len(payload) == 1:
		return broken("close frame of one byte")
	case !utf8.Valid(payload[2:]):
		return &violation{closeInvalidPayload, "close reason is not valid UTF-8"}
	}
	switch code := binary.BigEndian.Uint16(payload); {
	case code >= 1000 && code <= 1014 && (code < 1004 || code > 1006), code >= 3000 && code <= 4999:
		return nil
	default:
		return broken(fmt.Sprintf("close code %d", code))
	}
}

// skipFrames waits for the client's close frame and keeps nothing of what comes
// before it. Whoever sends on without end is not waited for.
func (w *wire) skipFrames() error {
	for range lingerFrames {
		h, err := w.readHeader()
		switch {
		case err != nil:
			return err
		case h.control():
			err = w.control(h)
		default:
			err = w.skip(h.size)
		}
		if err != nil {
			return err
		}
	}
	return ErrFlood
}

// unmask undoes the masking of a frame's payload (RFC 6455 section 5.3).
func unmask(p []byte, mask [4]byte) {
	m := binary.LittleEndian.Uint32(mask[:])
	wide := uint64(m)<<32 | uint64(m)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= mask[i&3]
	}
}
