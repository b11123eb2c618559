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

// firstBytes is how much memory a message gets at first, whatever length was announced;
// it gets more as bytes arrive.
const firstBytes = 4 << 10

// A protocolError is how a client violated the WebSocket protocol, with the status code
// of the close frame that says so (RFC 6455 section 7.4.1).
type protocolError struct {
	code uint16
	why  string
}

func (e *protocolError) Error() string { return "engineio: " + e.why }

func violation(why string) error { return &protocolError{closeProtocolError, why} }

var (
	errTooBig      = &protocolError{closeTooBig, "message over MaxPayload"}
	errUTF8        = &protocolError{closeInvalidPayload, "text message is not valid UTF-8"}
	errNoBytesLeft = &protocolError{closeTryAgain, "too many bytes of unfinished messages"}

	// errClosed means that the client sent a close frame.
	errClosed = errors.New("engineio: client closed the connection")
)

// A frameHeader is the header of a client's frame (RFC 6455 section 5.2).
type frameHeader struct {
	op         byte
	final      bool
	compressed bool
	size       int64
	mask       [4]byte
}

func (h *frameHeader) isControl() bool { return h.op >= opClose }

// readHeader reads the header of the next frame and checks it.
func (c *wsConn) readHeader() (h frameHeader, err error) {
	b := c.head[:2]
	if err = c.readFull(b); err != nil {
		return h, err
	}
	h = frameHeader{op: b[0] & 0x0f, final: b[0]&frameFinal != 0, compressed: b[0]&frameCompressed != 0, size: int64(b[1] & 0x7f)}
	switch {
	case b[0]&0x30 != 0, h.compressed && (!c.deflated || h.op == opContinuation || h.isControl()):
		return h, violation("reserved bit set")
	case b[1]&0x80 == 0:
		return h, violation("frame is not masked")
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return h, violation(fmt.Sprintf("unknown opcode %d", h.op))
	case h.isControl() && (!h.final || h.size > maxSmallFrame):
		return h, violation("control frame is fragmented or too long")
	}
	if h.size, err = c.readSize(h.size); err != nil {
		return h, err
	}
	err = c.readFull(c.head[:4])
	h.mask = [4]byte(c.head[:4])
	return h, err
}

// readSize reads the rest of a payload length whose first 7 bits are n.
func (c *wsConn) readSize(n int64) (int64, error) {
	b := c.head[:]
	switch n {
	case 126:
		err := c.readFull(b[:2])
		return int64(binary.BigEndian.Uint16(b)), err
	case 127:
		err := c.readFull(b)
		size := binary.BigEndian.Uint64(b)
		if err == nil && size > math.MaxInt64 {
			err = violation("length has its first bit set")
		}
		return int64(size), err
	}
	return n, nil
}

// readMessage reads the next message and answers the control frames before and inside it.
// The memory of the message is reserved in c.reserved.
func (c *wsConn) readMessage() (op byte, data []byte, err error) {
	compressed := false
	for {
		h, err := c.readHeader()
		if err != nil {
			return 0, nil, err
		}
		switch {
		case h.isControl():
			if err := c.handleControl(h); err != nil {
				return 0, nil, err
			}
			continue
		case op == 0 && h.op == opContinuation:
			return 0, nil, violation("continuation of nothing")
		case op != 0 && h.op != opContinuation:
			return 0, nil, violation("message inside a message")
		case op == 0:
			op, compressed = h.op, h.compressed
		}
		if data, err = c.readPayload(data, &h); err != nil {
			return 0, nil, err
		}
		if h.final {
			data, err = c.finishMessage(op, data, compressed)
			return op, data, err
		}
	}
}

// readPayload appends the payload of a frame to data. Memory grows with what arrives, not
// with what was announced.
func (c *wsConn) readPayload(data []byte, h *frameHeader) ([]byte, error) {
	limit := c.s.messageLimit()
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
			if data, err = c.s.grow(&c.reserved, data, want); err != nil {
				return data, err
			}
		}
		room := data[len(data):min(end, cap(data))]
		if err := c.readFull(room); err != nil {
			return data, err
		}
		data = data[:len(data)+len(room)]
	}
	unmask(data[begin:], h.mask)
	return data, nil
}

// grow returns data with more capacity, up to want bytes, and reserves what is beyond
// firstBytes.
func (s *Session) grow(r *reservation, data []byte, want int) ([]byte, error) {
	size := min(want, max(2*cap(data), firstBytes))
	if more := size - max(cap(data), firstBytes); more > 0 && !s.reserve(r, int64(more)) {
		return data, errNoBytesLeft
	}
	bigger := make([]byte, len(data), size)
	copy(bigger, data)
	return bigger, nil
}

// finishMessage decompresses a complete message and checks its text.
func (c *wsConn) finishMessage(op byte, data []byte, compressed bool) ([]byte, error) {
	c.s.srv.stats.bytesIn.Add(int64(len(data)))
	if compressed {
		var err error
		if data, err = c.inflate(data); err != nil {
			return nil, err
		}
	}
	switch {
	case op == opText && !utf8.Valid(data):
		return nil, errUTF8
	case data == nil:
		return []byte{}, nil // an empty message, not no message
	}
	return data, nil
}

// inflaters decompress messages, each by itself: no context takeover.
var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// inflateTail ends a message's last block and adds an empty final one, after which
// the reader says io.EOF (RFC 7692 section 7.2.2).
var inflateTail = append(deflateTail[:len(deflateTail):len(deflateTail)], 0x01, 0x00, 0x00, 0xff, 0xff)

// inflate decompresses a message, up to the limit of messages. For PacketRate it counts as
// if it had been sent uncompressed.
func (c *wsConn) inflate(packed []byte) (data []byte, err error) {
	defer func() { c.unmetered += max(0, len(data)-len(packed)) }()
	limit := c.s.messageLimit()
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	_ = r.(flate.Resetter).Reset(io.MultiReader(bytes.NewReader(packed), bytes.NewReader(inflateTail)), nil) // never fails
	for {
		if len(data) == cap(data) {
			if data, err = c.s.grow(&c.reserved, data, int(limit)+1); err != nil {
				return nil, err
			}
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return data, errTooBig
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return data, &protocolError{closeInvalidPayload, "message does not unpack"}
		}
	}
}

// handleControl handles a control frame: a ping is answered, a pong ignored, and a close
// is answered and ends the reading.
func (c *wsConn) handleControl(h frameHeader) error {
	payload := make([]byte, h.size)
	if err := c.readFull(payload); err != nil {
		return err
	}
	unmask(payload, h.mask)
	if h.op == opClose {
		return c.answerClose(payload)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.countLocked(1) {
		return ErrFlood
	}
	if h.op == opPing && !c.closing {
		c.control = append(appendFrameHeader(c.control, opPong, len(payload)), payload...)
		c.wakeWriterLocked()
	}
	return nil
}

// answerClose answers the client's close frame with the same status code.
func (c *wsConn) answerClose(payload []byte) error {
	if err := checkClose(payload); err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.closing {
		c.closing = true
		code := payload[:min(len(payload), 2)]
		c.control = append(appendFrameHeader(c.control, opClose, len(code)), code...)
		c.wakeWriterLocked()
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
		return violation("close frame of one byte")
	case !utf8.Valid(payload[2:]):
		return &protocolError{closeInvalidPayload, "close reason is not valid UTF-8"}
	}
	switch code := binary.BigEndian.Uint16(payload); {
	case code >= 1000 && code <= 1014 && (code < 1004 || code > 1006), code >= 3000 && code <= 4999:
		return nil
	default:
		return violation(fmt.Sprintf("close code %d", code))
	}
}

// errLingered means that a client goes on sending after it was sent a close frame.
var errLingered = fmt.Errorf("%w after the close frame", ErrFlood)

// skipFrames reads up to the client's close frame and drops what comes before it: at most
// lingerFrames frames and lingerBytes bytes.
func (c *wsConn) skipFrames() error {
	left := int64(lingerBytes)
	for range lingerFrames {
		h, err := c.readHeader()
		if left -= h.size; err == nil && left < 0 {
			return errLingered
		}
		switch {
		case err != nil:
			return err
		case h.isControl():
			err = c.handleControl(h)
		default:
			err = c.skip(h.size)
		}
		if err != nil {
			return err
		}
	}
	return errLingered
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
