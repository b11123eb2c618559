package socketio

import (
	"encoding/binary"
	"math"
	"strconv"

	"expenseflow/internal/engineio"
	"expenseflow/internal/rawjson"
)

// msgpackGroup encodes one packet as a message. body is its payload in JSON, empty if it
// has none.
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

// A msgpackWriter converts JSON to msgpack and puts attachments in the place of their
// placeholders.
type msgpackWriter struct {
	out         []byte
	attachments [][]byte
}

func (w *msgpackWriter) pair(key string, value func()) {
	w.text(key)
	value()
}

// value converts one JSON value, which is valid.
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
		w.text(rawjson.Text(raw))
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

// object converts an object, or writes the attachment that it stands for.
func (w *msgpackWriter) object(raw []byte) {
	if num, n := cutPlaceholder(raw); n == len(raw) && num < len(w.attachments) {
		w.binary(w.attachments[num])
		return
	}
	n := 0
	for range rawjson.Members(raw) {
		n++
	}
	w.head(n, 0x80, 16, 0xde)
	for key, value := range rawjson.Members(raw) {
		w.text(rawjson.Text(key))
		w.value(value)
	}
}

// head writes the type and length of a container. One with fewer than limit elements has
// both in one byte, based on short; others have the type long, or long+1.
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

// number writes an integer if a JavaScript number holds it exactly, and a float otherwise.
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
