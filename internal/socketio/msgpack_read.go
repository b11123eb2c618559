package socketio

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"expenseflow/internal/rawjson"
)

// A parser is an encoding of packets. A connection uses the one of its first packet,
// which is binary with parserMsgpack and text with parserJSON.
type parser uint8

const (
	// parserJSON is the encoding of the protocol document, which clients use by default.
	parserJSON parser = iota

	// parserMsgpack is the encoding of npm's socket.io-msgpack-parser 3: one binary
	// message for each packet with its attachments inside. Pages that load the bundle
	// socket.io.msgpack.min.js use it.
	parserMsgpack
)

// maxMsgpackAttachments is how many attachments a packet in msgpack may have, unless
// Config.MaxAttachments allows none: they are no messages of their own here.
const maxMsgpackAttachments = 1000

var (
	errMsgpack = errors.New("malformed msgpack")
	errNotText = errors.New("text message for the msgpack parser")
)

// parseMsgpack decodes one packet. Its payload becomes JSON with placeholders, as if it had
// arrived as text.
func parseMsgpack(data []byte, lim *limits) (*inPacket, error) {
	r := msgpackReader{in: data, lim: lim}
	if err := r.value(0); err != nil {
		return nil, err
	}
	if len(r.in) != 0 {
		return nil, errMsgpack
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.out, &fields); err != nil {
		return nil, errMsgpack
	}
	p := &inPacket{id: noID, attachments: r.attachments, size: len(data)}
	if err := p.setHeader(fields, lim); err != nil {
		return nil, err
	}
	if err := p.setPayload(fields["data"]); err != nil {
		return nil, err
	}
	return p, nil
}

// setHeader stores type, namespace and id.
func (p *inPacket) setHeader(fields map[string]json.RawMessage, lim *limits) error {
	typ := number(fields["type"])
	if typ != math.Trunc(typ) || typ < float64(typeConnect) || typ > float64(typeConnectError) {
		return errUnknownType
	}
	p.typ = packetType(typ)
	if err := json.Unmarshal(fields["nsp"], &p.nsp); err != nil || !strings.HasPrefix(p.nsp, "/") || strings.Contains(p.nsp, ",") {
		return errNamespace
	}
	if _, _, err := cutNamespace([]byte(p.nsp), lim.nspBytes); err != nil {
		return err
	}
	if raw := fields["id"]; raw != nil {
		id := number(raw)
		if id != math.Trunc(id) || id < 0 || id > maxSafeID {
			return errID
		}
		p.id = int64(id)
	}
	return nil
}

// A msgpackReader converts msgpack to JSON and collects the attachments.
type msgpackReader struct {
	in          []byte
	out         []byte
	attachments [][]byte
	lim         *limits
	timestamps  bool // whether those of the specification are read
}

// take cuts n bytes off the input and returns them.
func (r *msgpackReader) take(n int) ([]byte, error) {
	if n < 0 || n > len(r.in) {
		return nil, errMsgpack
	}
	b := r.in[:n:n]
	r.in = r.in[n:]
	return b, nil
}

// uint reads a big-endian number of n bytes.
func (r *msgpackReader) uint(n int) (v uint64, err error) {
	b, err := r.take(n)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, err
}

// length reads a length of n bytes and refuses one beyond the rest of the input.
func (r *msgpackReader) length(n int) (int, error) {
	v, err := r.uint(n)
	if err != nil || v > uint64(len(r.in)) {
		return 0, errMsgpack
	}
	return int(v), nil
}

// value converts one value.
func (r *msgpackReader) value(depth int) error {
	if depth > r.lim.depth {
		return errDepth
	}
	b, err := r.take(1)
	if err != nil {
		return err
	}
	switch c := b[0]; {
	case c < 0x80:
		r.out = strconv.AppendUint(r.out, uint64(c), 10)
		return nil
	case c < 0x90:
		return r.object(int(c&0x0f), depth)
	case c < 0xa0:
		return r.array(int(c&0x0f), depth)
	case c < 0xc0:
		return r.text(int(c & 0x1f))
	case c >= 0xe0:
		r.out = strconv.AppendInt(r.out, int64(int8(c)), 10)
		return nil
	default:
		return r.prefixed(c, depth)
	}
}

// prefixed converts a value whose type c is a byte of its own.
func (r *msgpackReader) prefixed(c byte, depth int) error {
	switch {
	case c == 0xc0:
		r.out = append(r.out, "null"...)
	case c == 0xc2 || c == 0xc3:
		r.out = strconv.AppendBool(r.out, c == 0xc3)
	case c >= 0xc4 && c <= 0xc6:
		return r.sized(1<<(c-0xc4), r.attachment)
	case c >= 0xc7 && c <= 0xc9:
		return r.sized(1<<(c-0xc7), r.buffer)
	case c >= 0xca && c <= 0xd3:
		return r.number(c)
	case c == 0xd4:
		return r.undefined()
	case c == 0xd6 && r.isTimestamp():
		return r.timestamp(4)
	case c == 0xd7 && r.isTimestamp():
		return r.timestamp(8)
	case c == 0xd7:
		return r.date()
	case c >= 0xd9 && c <= 0xdb:
		return r.sized(1<<(c-0xd9), r.text)
	case c >= 0xdc && c <= 0xdd:
		return r.sized(2<<(c-0xdc), func(n int) error { return r.array(n, depth) })
	case c >= 0xde && c <= 0xdf:
		return r.sized(2<<(c-0xde), func(n int) error { return r.object(n, depth) })
	default: // 0xc1 is nothing, and no client writes the other extensions
		return errMsgpack
	}
	return nil
}

// sized reads a length of n bytes and calls read with it.
func (r *msgpackReader) sized(n int, read func(length int) error) error {
	length, err := r.length(n)
	if err != nil {
		return err
	}
	return read(length)
}

// number converts a float or an integer of type c.
func (r *msgpackReader) number(c byte) error {
	switch c {
	case 0xca:
		v, err := r.uint(4)
		return r.float(float64(math.Float32frombits(uint32(v))), err)
	case 0xcb:
		v, err := r.uint(8)
		return r.float(math.Float64frombits(v), err)
	case 0xcc, 0xcd, 0xce, 0xcf:
		v, err := r.uint(1 << (c - 0xcc))
		r.out = strconv.AppendUint(r.out, v, 10)
		return err
	}
	size := 1 << (c - 0xd0)
	v, err := r.uint(size)
	shift := 64 - 8*size
	r.out = strconv.AppendInt(r.out, int64(v<<shift)>>shift, 10)
	return err
}

// float converts a number. Infinity, which JSON does not have, becomes null as with
// JSON.stringify.
func (r *msgpackReader) float(f float64, err error) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.out = append(r.out, "null"...)
		return err
	}
	text, _ := json.Marshal(f) // cannot fail
	r.out = append(r.out, text...)
	return err
}

// text converts a string of n bytes.
func (r *msgpackReader) text(n int) error {
	b, err := r.take(n)
	if err != nil || !utf8.Valid(b) {
		return errMsgpack
	}
	start := len(r.out)
	r.out = rawjson.AppendString(r.out, string(b))
	r.out = append(r.out[:start], hideLookAlikes(r.out[start:])...)
	return nil
}

// attachment collects n bytes and writes a placeholder.
func (r *msgpackReader) attachment(n int) error {
	b, err := r.take(n)
	if err != nil {
		return err
	}
	if r.lim.attachments == 0 || len(r.attachments) >= maxMsgpackAttachments {
		return errTooMany
	}
	r.out = appendPlaceholder(r.out, len(r.attachments))
	r.attachments = append(r.attachments, b)
	return nil
}

// notepack.io, which clients use, writes JavaScript's own types as extensions of type 0
// and tells them apart by size: undefined is d4, a date is d7, and what begins with its
// length (c7 to c9) is an ArrayBuffer or a view of one, whatever the length.

// typeZero reads the type of an extension, which must be 0.
func (r *msgpackReader) typeZero() error {
	typ, err := r.take(1)
	if err != nil || typ[0] != 0 {
		return errMsgpack
	}
	return nil
}

// undefined converts undefined to null.
func (r *msgpackReader) undefined() error {
	if err := r.typeZero(); err != nil {
		return err
	}
	r.out = append(r.out, "null"...)
	_, err := r.take(1)
	return err
}

// maxDate is the largest time of a JavaScript Date in milliseconds since 1970; the smallest
// is -maxDate.
const maxDate = 8_640_000_000_000_000

// date converts a date as JSON.stringify does.
func (r *msgpackReader) date() error {
	if err := r.typeZero(); err != nil {
		return err
	}
	v, err := r.uint(8)
	r.appendDate(int64(v))
	return err
}

// appendDate writes a time in milliseconds since 1970; null if it is no Date.
func (r *msgpackReader) appendDate(ms int64) {
	if ms < -maxDate || ms > maxDate {
		r.out = append(r.out, "null"...)
		return
	}
	t := time.UnixMilli(ms).UTC()
	switch year := t.Year(); {
	case year < 0:
		r.out = fmt.Appendf(r.out, `"-%06d`, -year)
	case year > 9999:
		r.out = fmt.Appendf(r.out, `"+%06d`, year)
	default:
		r.out = fmt.Appendf(r.out, `"%04d`, year)
	}
	r.out = t.AppendFormat(r.out, `-01-02T15:04:05.000Z"`)
}

// buffer collects the n bytes of an ArrayBuffer.
func (r *msgpackReader) buffer(n int) error {
	if n == 12 && r.isTimestamp() {
		return r.timestamp(n)
	}
	if err := r.typeZero(); err != nil {
		return err
	}
	return r.attachment(n)
}

// array converts n values.
func (r *msgpackReader) array(n, depth int) error {
	r.out = append(r.out, '[')
	for i := range n {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		if err := r.value(depth + 1); err != nil {
			return err
		}
	}
	r.out = append(r.out, ']')
	return nil
}

// undefined is the encoding of undefined. Properties with that value are left out.
const undefined = "\xd4\x00\x00"

// object converts n keys, which must be strings, and their values.
func (r *msgpackReader) object(n, depth int) error {
	r.out = append(r.out, '{')
	first := true
	for range n {
		mark := len(r.out)
		if !first {
			r.out = append(r.out, ',')
		}
		if err := r.key(); err != nil {
			return err
		}
		if strings.HasPrefix(string(r.in[:min(3, len(r.in))]), undefined) {
			r.in, r.out = r.in[3:], r.out[:mark]
			continue
		}
		if err := r.value(depth + 1); err != nil {
			return err
		}
		first = false
	}
	r.out = append(r.out, '}')
	return nil
}

// key converts the key of a property.
func (r *msgpackReader) key() error {
	mark := len(r.out)
	if err := r.value(r.lim.depth); err != nil {
		return err
	}
	if r.out[mark] != '"' {
		return errMsgpack
	}
	r.out = append(r.out, ':')
	return nil
}
