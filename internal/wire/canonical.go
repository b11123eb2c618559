package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// Canonical gives the one spelling of a JSON value that all its spellings
// share: keys sorted, no blanks, of repeated keys the last, numbers as written.
// Values that are not JSON come back as they are. It reads raw once, however deep
// its values are nested.
func Canonical(raw json.RawMessage) []byte {
	if !json.Valid(raw) || slices.ContainsFunc(raw, respellable) {
		return respelt(raw)
	}
	c := canonicalizer{in: bytes.TrimSpace(raw), out: make([]byte, 0, len(raw)+2)}
	c.value(0)
	return c.out
}

// respellable reports whether a text with this byte may be spelt in other ways too.
func respellable(c byte) bool {
	return c == '\\' || c == '<' || c == '>' || c == '&' || c >= utf8.RuneSelf
}

// respelt is Canonical by encoding/json, which knows every way to write a text.
func respelt(raw json.RawMessage) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	b, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return b
}

// A canonicalizer writes to out the canonical spelling of in, a valid value whose
// texts have one spelling. Its methods take the place in in where something begins
// and return the place behind it.
type canonicalizer struct{ in, out []byte }

func (c *canonicalizer) value(i int) int {
	switch c.in[i] {
	case '{':
		return c.object(i)
	case '[':
		return c.array(i)
	}
	to := end(c.in, i)
	c.out = append(c.out, c.in[i:to]...)
	return to
}

func (c *canonicalizer) array(i int) int {
	c.out = append(c.out, '[')
	for i = blank(c.in, i+1); c.in[i] != ']'; {
		i = follower(c.in, c.value(i))
		c.out = append(c.out, ',')
	}
	c.close(']')
	return i + 1
}

// A member is one of an object, by its key and its place in out.
type member struct {
	key      []byte
	from, to int
}

func (c *canonicalizer) object(i int) int {
	c.out = append(c.out, '{')
	members := make([]member, 0, 12)
	for i = blank(c.in, i+1); c.in[i] != '}'; {
		colon, from := endOfText(c.in, i), len(c.out)
		key := c.in[i+1 : colon-1]
		c.out = append(append(c.out, c.in[i:colon]...), ':')
		i = follower(c.in, c.value(blank(c.in, blank(c.in, colon)+1)))
		c.out = append(c.out, ',')
		members = append(members, member{key, from, len(c.out)})
	}
	c.arrange(members)
	c.close('}')
	return i + 1
}

// arrange sorts the members at the end of out by their keys, and leaves the last
// of those that share one.
func (c *canonicalizer) arrange(members []member) {
	if slices.IsSortedFunc(members, func(a, b member) int { return cmp.Or(bytes.Compare(a.key, b.key), -1) }) {
		return
	}
	slices.SortStableFunc(members, func(a, b member) int { return bytes.Compare(a.key, b.key) })
	start := slices.MinFunc(members, func(a, b member) int { return a.from - b.from }).from
	unsorted := slices.Clone(c.out[start:])
	c.out = c.out[:start]
	for n, m := range members {
		if n+1 == len(members) || !bytes.Equal(m.key, members[n+1].key) {
			c.out = append(c.out, unsorted[m.from-start:m.to-start]...)
		}
	}
}

// close ends an array or object, whose last element a comma may follow.
func (c *canonicalizer) close(bracket byte) {
	if last := len(c.out) - 1; c.out[last] == ',' {
		c.out[last] = bracket
		return
	}
	c.out = append(c.out, bracket)
}
