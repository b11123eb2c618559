package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"expenseflow/internal/rawjson"
)

// A placeholder stands for attachment n in the JSON of a packet (Socket.IO protocol,
// "Packet encoding"): an object with the members "_placeholder":true and "num":n, in any
// order and with any others beside them. Packets that were received and packets to be
// sent hold each placeholder in the one spelling of appendPlaceholder, and that text
// stands for nothing else: see normalize and hideLookAlikes.

// placeholderStart is how appendPlaceholder begins. It cannot be part of a JSON string,
// where its quotes would be escaped.
const placeholderStart = `{"_placeholder":true,"num":`

// appendPlaceholder appends the placeholder of attachment num.
func appendPlaceholder(b []byte, num int) []byte {
	b = append(b, placeholderStart...)
	return append(strconv.AppendInt(b, int64(num), 10), '}')
}

// cutPlaceholder reads the placeholder that b begins with. Its length is 0 if there is
// none.
func cutPlaceholder(b []byte) (num, length int) {
	rest, ok := bytes.CutPrefix(b, []byte(placeholderStart))
	digits := leadingDigits(rest)
	if !ok || len(digits) == 0 || len(digits) == len(rest) || rest[len(digits)] != '}' {
		return 0, 0
	}
	num, err := strconv.Atoi(string(digits))
	if err != nil {
		return 0, 0
	}
	return num, len(placeholderStart) + len(digits) + 1
}

// replacePlaceholders appends raw to out and calls replace to append what takes the
// place of each placeholder.
func replacePlaceholders(out, raw []byte, replace func(out []byte, num int) []byte) []byte {
	for {
		i := bytes.Index(raw, []byte(placeholderStart))
		if i < 0 {
			return append(out, raw...)
		}
		out = append(out, raw[:i]...)
		num, n := cutPlaceholder(raw[i:])
		if n == 0 {
			out, n = append(out, raw[i]), 1
		} else {
			out = replace(out, num)
		}
		raw = raw[i+n:]
	}
}

// inline replaces placeholders by the attachments in base64, which is how encoding/json
// represents []byte.
func inline(raw json.RawMessage, attachments [][]byte) json.RawMessage {
	if len(attachments) == 0 {
		return raw
	}
	return replacePlaceholders(nil, raw, func(out []byte, num int) []byte {
		out = append(out, '"')
		out = base64.StdEncoding.AppendEncode(out, attachments[num])
		return append(out, '"')
	})
}

// hideLookAlikes escapes the key of placeholders, so that an application's own object is
// not taken for one. It is the same JSON to whoever parses it.
func hideLookAlikes(b []byte) []byte {
	if !bytes.Contains(b, placeholderKey) {
		return b
	}
	return bytes.ReplaceAll(b, placeholderKey, []byte(`"\u005fplaceholder"`))
}

var placeholderKey = []byte(`"_placeholder"`)

// normalize rewrites each placeholder of p in the spelling of appendPlaceholder. One that
// names no attachment is an error.
func (p *inPacket) normalize() error {
	for i, arg := range p.args {
		n := normalizer{in: arg, attachments: len(p.attachments)}
		if _, err := n.value(0); err != nil {
			return err
		}
		p.args[i] = n.out
	}
	return nil
}

// A normalizer copies one JSON value, which is valid, from in to out and rewrites its
// placeholders. Its methods take the index at which something begins in in and return
// the index behind it.
type normalizer struct {
	in, out     []byte
	attachments int // how many there are
}

func (n *normalizer) value(i int) (end int, err error) {
	switch n.in[i] {
	case '[':
		return n.array(i)
	case '{':
		return n.object(i)
	}
	end = rawjson.End(n.in, i)
	n.out = append(n.out, n.in[i:end]...)
	return end, nil
}

func (n *normalizer) array(i int) (end int, err error) {
	n.out = append(n.out, '[')
	i = rawjson.SkipSpace(n.in, i+1)
	for first := true; n.in[i] != ']'; first = false {
		n.comma(first)
		if i, err = n.value(i); err != nil {
			return 0, err
		}
		i = rawjson.Next(n.in, i)
	}
	n.out = append(n.out, ']')
	return i + 1, nil
}

// comma separates an element from the one before it.
func (n *normalizer) comma(first bool) {
	if !first {
		n.out = append(n.out, ',')
	}
}

// object copies an object, or writes a placeholder if it is one. Of a repeated key the
// last value counts, as in JavaScript.
func (n *normalizer) object(i int) (end int, err error) {
	start := len(n.out)
	marked, num := false, math.NaN()
	n.out = append(n.out, '{')
	i = rawjson.SkipSpace(n.in, i+1)
	for first := true; n.in[i] != '}'; first = false {
		n.comma(first)
		var key string
		var value []byte
		if key, value, i, err = n.member(i); err != nil {
			return 0, err
		}
		switch key {
		case "_placeholder":
			marked = string(value) == "true"
		case "num":
			num = number(value)
		}
	}
	n.out = append(n.out, '}')
	if marked {
		err = n.substitute(start, num)
	}
	return i + 1, err
}

// member copies one member and returns its key, its value, and the index of the next
// one.
func (n *normalizer) member(i int) (key string, value []byte, next int, err error) {
	keyEnd := rawjson.End(n.in, i)
	n.out = append(append(n.out, n.in[i:keyEnd]...), ':')
	from := rawjson.ValueAfterKey(n.in, keyEnd)
	to, err := n.value(from)
	if err != nil {
		return "", nil, 0, err
	}
	return rawjson.Text(n.in[i:keyEnd]), n.in[from:to], rawjson.Next(n.in, to), nil
}

// substitute replaces what was copied since start by the placeholder of attachment num.
func (n *normalizer) substitute(start int, num float64) error {
	if num != math.Trunc(num) || num < 0 || num >= float64(n.attachments) {
		return errAttachments
	}
	n.out = appendPlaceholder(n.out[:start], int(num))
	return nil
}

// number is the value of a JSON number, or NaN.
func number(text []byte) float64 {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}
