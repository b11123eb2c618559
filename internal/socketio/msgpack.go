package socketio

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"expenseflow/internal/engineio"
)

// A parser is how the packets of one connection are spelled. The client's first one
// tells which: it is binary with parserMsgpack.
type parser uint8

const (
	// parserJSON is the parser of the protocol document, which clients have built in.
	parserJSON parser = iota

	// parserMsgpack is npm's socket.io-msgpack-parser 3: one binary message for each
	// packet, its attachments inside. The bundle socket.io.msgpack.min.js speaks it.
	parserMsgpack
)

// maxMsgpackAttachments is how many attachments a packet in msgpack may have, where
// they cost no message of their own, if it may have any.
const maxMsgpackAttachments = 1000

var (
	errMsgpack = errors.New("malformed msgpack")
	errNotText = errors.New("text message for the msgpack parser")
)

// parseMsgpack reads one packet. Its payload becomes JSON with placeholders, as if
// it had come in text.
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

// setHeader reads type, namespace and id.
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

// A msgpackReader writes msgpack as JSON and takes the binaries out.
type msgpackReader struct {
	in          []byte
	out         []byte
	attachments [][]byte
	lim         *limits
}

// take cuts n bytes off the input.
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

// length reads one and refuses what the input cannot hold.
func (r *msgpackReader) length(n int) (int, error) {
	v, err := r.uint(n)
	if err != nil || v > uint64(len(r.in)) {
		return 0, errMsgpack
	}
	return int(v), nil
}

// value copies one value.
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

// prefixed copies a value whose kind takes a byte of its own.
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

// sized reads a length of n bytes and what has it.
func (r *msgpackReader) sized(n int, read func(length int) error) error {
	length, err := r.length(n)
	if err != nil {
		return err
	}
	return read(length)
}

// number copies a float or an integer of the kind c.
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

// float copies a number; JSON has no infinity, which becomes null as with
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

// text copies a string of n bytes.
func (r *msgpackReader) text(n int) error {
	b, err := r.take(n)
	if err != nil || !utf8.Valid(b) {
		return errMsgpack
	}
	quoted, _ := json.Marshal(string(b)) // cannot fail
	r.out = append(r.out, hideLookAlikes(quoted)...)
	return nil
}

// attachment takes n bytes out and leaves a placeholder.
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

// The types that notepack.io writes for JavaScript's own are all extensions of type 0,
// told apart by their size: undefined is in d4, a date in d7, and what has its length
// before it, c7 to c9, is an ArrayBuffer or a view of one, whatever its length.

// typeZero reads the type of an extension.
func (r *msgpackReader) typeZero() error {
	typ, err := r.take(1)
	if err != nil || typ[0] != 0 {
		return errMsgpack
	}
	return nil
}

// undefined copies it as null.
func (r *msgpackReader) undefined() error {
	if err := r.typeZero(); err != nil {
		return err
	}
	r.out = append(r.out, "null"...)
	_, err := r.take(1)
	return err
}

// maxDate is the last millisecond that a Date of JavaScript has; the first is as far
// before 1970.
const maxDate = 8_640_000_000_000_000

// date copies a date as JSON.stringify does.
func (r *msgpackReader) date() error {
	if err := r.typeZero(); err != nil {
		return err
	}
	v, err := r.uint(8)
	ms := int64(v)
	if ms < -maxDate || ms > maxDate {
		r.out = append(r.out, "null"...)
		return err
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
	return err
}

// buffer takes n bytes of an ArrayBuffer out.
func (r *msgpackReader) buffer(n int) error {
	if err := r.typeZero(); err != nil {
		return err
	}
	return r.attachment(n)
}

// array copies n values.
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

// undefined is how notepack.io spells it. A property with that value is none.
const undefined = "\xd4\x00\x00"

// object copies n keys, which must be strings, and their values.
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

// key copies the key of a property.
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

// msgpackGroup makes the message of one packet. body is JSON, empty if the packet
// has no payload.
func msgpackGroup(typ packetType, nsp string, id int64, body []byte, attachments [][]byte) *engineio.Group {
	w := msgpackWriter{attachments: attachments}
	fields := 2
	if id != noID {
		fields++
	}
	if len(body) > 0 {
		fields++
	}
	w.out = append(w.out, 0x80|byte(fields))
	w.pair("type", func() { w.out = append(w.out, byte(typ)) })
	if len(body) > 0 {
		w.pair("data", func() { w.value(body) })
	}
	if id != noID {
		w.pair("id", func() { w.integer(id) })
	}
	w.pair("nsp", func() { w.text(nsp) })
	return engineio.NewGroup(engineio.Message{Data: w.out, Binary: true})
}

// A msgpackWriter writes JSON as msgpack and puts the binaries in.
type msgpackWriter struct {
	out         []byte
	attachments [][]byte
}

func (w *msgpackWriter) pair(key string, value func()) {
	w.text(key)
	value()
}

// value writes one JSON value, which is valid.
func (w *msgpackWriter) value(raw []byte) {
	switch raw[0] {
	case '{':
		w.object(raw)
	case '[':
		list := elements(raw)
		w.head(len(list), 0x90, 16, 0xdc)
		for _, v := range list {
			w.value(v)
		}
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // valid
		w.text(s)
	case 't':
		w.out = append(w.out, 0xc3)
	case 'f':
		w.out = append(w.out, 0xc2)
	case 'n':
		w.out = append(w.out, 0xc0)
	default:
		w.number(raw)
	}
}

// object writes an object, or the attachment that it stands for.
func (w *msgpackWriter) object(raw []byte) {
	if num, n := cutPlaceholder(raw); n == len(raw) && num < len(w.attachments) {
		w.binary(w.attachments[num])
		return
	}
	members := elements(raw)
	w.head(len(members)/2, 0x80, 16, 0xde)
	for _, v := range members {
		w.value(v)
	}
}

// head writes the length of a container whose short form is below limit.
func (w *msgpackWriter) head(n int, short byte, limit int, long byte) {
	switch {
	case n < limit:
		w.out = append(w.out, short|byte(n))
	case n <= math.MaxUint16:
		w.out = binary.BigEndian.AppendUint16(append(w.out, long), uint16(n))
	default:
		w.out = binary.BigEndian.AppendUint32(append(w.out, long+1), uint32(n))
	}
}

func (w *msgpackWriter) text(s string) {
	if n := len(s); n >= 32 && n <= math.MaxUint8 {
		w.out = append(w.out, 0xd9, byte(n))
	} else {
		w.head(n, 0xa0, 32, 0xda)
	}
	w.out = append(w.out, s...)
}

func (w *msgpackWriter) binary(b []byte) {
	if n := len(b); n <= math.MaxUint8 {
		w.out = append(w.out, 0xc4, byte(n))
	} else {
		w.head(n, 0, 0, 0xc5)
	}
	w.out = append(w.out, b...)
}

// number writes an integer where a JavaScript number is one, and a float otherwise.
func (w *msgpackWriter) number(raw []byte) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && n >= -maxSafeID && n <= maxSafeID {
		w.integer(n)
		return
	}
	f, _ := strconv.ParseFloat(string(raw), 64) // beyond the largest: infinity, as in JavaScript
	w.out = binary.BigEndian.AppendUint64(append(w.out, 0xcb), math.Float64bits(f))
}

func (w *msgpackWriter) integer(n int64) {
	switch {
	case n >= -32 && n < 128:
		w.out = append(w.out, byte(n))
	case n == int64(int32(n)):
		w.out = binary.BigEndian.AppendUint32(append(w.out, 0xd2), uint32(n))
	default:
		w.out = binary.BigEndian.AppendUint64(append(w.out, 0xd3), uint64(n))
	}
}
