package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"expenseflow/internal/rawjson"
)

// Canonical returns the canonical form of a JSON value: keys sorted, no white space, the
// last of repeated keys, numbers unchanged. Equal values have equal canonical forms.
// Invalid JSON is returned unchanged. The running time does not depend on the nesting.
func Canonical(raw json.RawMessage) []byte {
	if !json.Valid(raw) || slices.ContainsFunc(raw, hasAlternativeSpelling) {
		return canonicalSlow(raw)
	}
	c := canonicalizer{in: bytes.TrimSpace(raw), out: make([]byte, 0, len(raw)+2)}
	c.value(0)
	return c.out
}

// hasAlternativeSpelling reports whether a string with this byte can be written in JSON in more
// than one way.
func hasAlternativeSpelling(c byte) bool {
	return c == '\\' || c == '<' || c == '>' || c == '&' || c >= utf8.RuneSelf
}

// canonicalSlow computes the canonical form with encoding/json, which normalizes strings.
func canonicalSlow(raw json.RawMessage) []byte {
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

// A canonicalizer appends the canonical form of in to out. The strings of in must have
// only one spelling. Its methods take the offset in in at which a value begins and
// return the offset after it.
type canonicalizer struct{ in, out []byte }

func (c *canonicalizer) value(i int) int {
	switch c.in[i] {
	case '{':
		return c.object(i)
	case '[':
		return c.array(i)
	}
	to := rawjson.End(c.in, i)
	c.out = append(c.out, c.in[i:to]...)
	return to
}

func (c *canonicalizer) array(i int) int {
	c.out = append(c.out, '[')
	for i = rawjson.SkipSpace(c.in, i+1); c.in[i] != ']'; {
		i = rawjson.Next(c.in, c.value(i))
		c.out = append(c.out, ',')
	}
	c.close(']')
	return i + 1
}

// A member is a key-value pair of an object, with its offsets in out.
type member struct {
	key      []byte
	from, to int
}

func (c *canonicalizer) object(i int) int {
	c.out = append(c.out, '{')
	members := make([]member, 0, 12)
	for i = rawjson.SkipSpace(c.in, i+1); c.in[i] != '}'; {
		colon, from := rawjson.End(c.in, i), len(c.out)
		key := c.in[i+1 : colon-1]
		c.out = append(append(c.out, c.in[i:colon]...), ':')
		i = rawjson.Next(c.in, c.value(rawjson.ValueAfterKey(c.in, colon)))
		c.out = append(c.out, ',')
		members = append(members, member{key, from, len(c.out)})
	}
	c.sortMembers(members)
	c.close('}')
	return i + 1
}

// sortMembers sorts the members at the end of out by key and keeps the last of those with
// the same key.
func (c *canonicalizer) sortMembers(members []member) {
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

// close appends the closing bracket, replacing the comma after the last element.
func (c *canonicalizer) close(bracket byte) {
	if last := len(c.out) - 1; c.out[last] == ',' {
		c.out[last] = bracket
		return
	}
	c.out = append(c.out, bracket)
}
