package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
)

// checkJSON tells whether b is one JSON value without space around it and at
// most maxDepth containers deep. Depth is looked at first, for that is cheap.
func checkJSON(b []byte, maxDepth int) error {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return errDepth
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return refuseIf(isSpace(b[0]) || !json.Valid(b))
}

// isSpace tells whether c is white space in JSON.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// elements splits a valid JSON array, or an object into its keys and values by
// turns. What it returns points into b. It is nil for anything else.
func elements(b []byte) []json.RawMessage {
	if len(b) == 0 || b[0] != '[' && b[0] != '{' {
		return nil
	}
	c := cursor{in: b, pos: 1}
	list := make([]json.RawMessage, 0, 4) // a name and a few arguments
	for next := c.peek(); next != ']' && next != '}'; next = c.peek() {
		start := c.pos
		c.skipValue()
		list = append(list, json.RawMessage(b[start:c.pos:c.pos]))
		c.skipByte(',')
		c.skipByte(':')
	}
	return list
}

// A cursor walks JSON that is known to be valid.
type cursor struct {
	in  []byte
	pos int
}

// peek skips white space and returns the next byte.
func (c *cursor) peek() byte {
	for isSpace(c.in[c.pos]) {
		c.pos++
	}
	return c.in[c.pos]
}

// skipByte skips b if it is next.
func (c *cursor) skipByte(b byte) {
	if c.peek() == b {
		c.pos++
		c.peek()
	}
}

// skipString skips the string that starts here.
func (c *cursor) skipString() {
	for c.pos++; c.in[c.pos] != '"'; c.pos++ {
		if c.in[c.pos] == '\\' {
			c.pos++
		}
	}
	c.pos++
}

// skipScalar skips a number or a word.
func (c *cursor) skipScalar() {
	for c.pos < len(c.in) {
		switch b := c.in[c.pos]; {
		case b == ',' || b == ']' || b == '}' || isSpace(b):
			return
		}
		c.pos++
	}
}

// skipValue skips the value that starts here.
func (c *cursor) skipValue() {
	for depth := 0; ; {
		switch c.peek() {
		case '"':
			c.skipString()
		case '[', '{':
			depth++
			c.pos++
			continue
		case ']', '}':
			depth--
			c.pos++
		case ',', ':':
			c.pos++
			continue
		default:
			c.skipScalar()
		}
		if depth == 0 {
			return
		}
	}
}

// A normalizer copies valid JSON and writes each placeholder of an attachment, an
// object that holds "_placeholder":true and "num":n (Socket.IO protocol, "Packet
// encoding"), as appendPlaceholder does.
type normalizer struct {
	cursor
	out         []byte
	attachments int // that there are
}

// value copies one value and returns its text in the input.
func (s *normalizer) value() (text []byte, err error) {
	s.peek()
	start := s.pos
	switch s.in[s.pos] {
	case '[':
		err = s.array()
	case '{':
		err = s.object()
	default:
		s.skipValue()
		s.out = append(s.out, s.in[start:s.pos]...)
	}
	return s.in[start:s.pos], err
}

// array copies an array.
func (s *normalizer) array() error {
	s.pos++
	s.out = append(s.out, '[')
	for first := true; s.peek() != ']'; first = false {
		s.separate(first)
		if _, err := s.value(); err != nil {
			return err
		}
	}
	s.pos++
	s.out = append(s.out, ']')
	return nil
}

// separate copies the comma between two members.
func (s *normalizer) separate(first bool) {
	if !first {
		s.skipByte(',')
		s.out = append(s.out, ',')
	}
}

// object copies an object, or what replaces it. Of repeated keys the last one
// counts, as in JavaScript.
func (s *normalizer) object() error {
	start := len(s.out)
	marked, num := false, math.NaN()
	s.pos++
	s.out = append(s.out, '{')
	for first := true; s.peek() != '}'; first = false {
		s.separate(first)
		key, text, err := s.member()
		if err != nil {
			return err
		}
		switch key {
		case "_placeholder":
			marked = string(text) == "true"
		case "num":
			num = number(text)
		}
	}
	s.pos++
	s.out = append(s.out, '}')
	if !marked {
		return nil
	}
	return s.substitute(start, num)
}

// substitute replaces what was copied since start by the placeholder of attachment num.
func (s *normalizer) substitute(start int, num float64) error {
	if num != math.Trunc(num) || num < 0 || num >= float64(s.attachments) {
		return errAttachments
	}
	s.out = appendPlaceholder(s.out[:start], int(num))
	return nil
}

// member copies one key and its value.
func (s *normalizer) member() (key string, text []byte, err error) {
	s.peek()
	start := s.pos
	s.skipString()
	raw := s.in[start:s.pos]
	s.out = append(s.out, raw...)
	s.skipByte(':')
	s.out = append(s.out, ':')
	text, err = s.value()
	return keyText(raw), text, err
}

// keyText is the text of a key; only a few keys matter, and most keys have no
// escapes.
func keyText(raw []byte) (key string) {
	for _, c := range raw {
		if c == '\\' {
			_ = json.Unmarshal(raw, &key) // it is valid JSON
			return key
		}
	}
	return string(raw[1 : len(raw)-1])
}

// number is the value of a JSON number, or NaN.
func number(text []byte) float64 {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// normalize has each placeholder of p written in one way. One that names no
// attachment is an error.
func (p *inPacket) normalize() error {
	for i, arg := range p.args {
		n := normalizer{cursor: cursor{in: arg}, attachments: len(p.attachments)}
		if _, err := n.value(); err != nil {
			return err
		}
		p.args[i] = n.out
	}
	return nil
}

// placeholderStart is how appendPlaceholder begins. Inside a string of JSON it cannot
// stand, for its quotes would be escaped there.
const placeholderStart = `{"_placeholder":true,"num":`

// appendPlaceholder writes what stands for attachment num in JSON.
func appendPlaceholder(b []byte, num int) []byte {
	b = append(b, placeholderStart...)
	return append(strconv.AppendInt(b, int64(num), 10), '}')
}

// cutPlaceholder reads a placeholder that b begins with; its length is 0 if there is
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

// replacePlaceholders copies raw, and has replace append what comes in place of each
// placeholder.
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

// hideLookAlikes spells the key of placeholders in another way, so that an
// application's own object is not taken for one. To whoever parses b it is the same.
func hideLookAlikes(b []byte) []byte {
	if !bytes.Contains(b, placeholderKey) {
		return b
	}
	return bytes.ReplaceAll(b, placeholderKey, []byte(`"\u005fplaceholder"`))
}

var placeholderKey = []byte(`"_placeholder"`)

// inline replaces placeholders by the attachments in base64, which is how
// encoding/json spells []byte.
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
