package wire

import (
	"encoding/json"
	"iter"
	"strings"
)

// The functions of this file take valid JSON apart without copying it. Whoever
// calls them has had encoding/json check it; on anything else they may panic.
// They exist for batches, which hold thousands of small objects, too many to read
// each into a map by reflection (docs/decisions/0008).

// split gives the members of a valid object. Their values share its memory.
func split(valid []byte) object {
	o := make(object, 8)
	for key, value := range members(valid) {
		o[str(key)] = value
	}
	return o
}

// members are the keys, quoted as they stand there, and values of a valid object.
func members(valid []byte) iter.Seq2[json.RawMessage, json.RawMessage] {
	return func(yield func(key, value json.RawMessage) bool) {
		for i := blank(valid, 1); valid[i] != '}'; {
			colon := end(valid, i)
			from := blank(valid, blank(valid, colon)+1)
			to := end(valid, from)
			if !yield(valid[i:colon:colon], valid[from:to:to]) {
				return
			}
			i = follower(valid, to)
		}
	}
}

// elements are the values of a valid array.
func elements(valid []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for i := blank(valid, 1); valid[i] != ']'; {
			to := end(valid, i)
			if !yield(valid[i:to:to]) {
				return
			}
			i = follower(valid, to)
		}
	}
}

// follower is where the next thing behind i begins, which a comma may precede.
func follower(b []byte, i int) int {
	i = blank(b, i)
	if b[i] == ',' {
		return blank(b, i+1)
	}
	return i
}

// blank is the first place from i on that is no white space.
func blank(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r' {
		i++
	}
	return i
}

// end is the place behind the value that begins at i.
func end(b []byte, i int) int {
	switch b[i] {
	case '"':
		return endOfText(b, i)
	case '{', '[':
		return endOfNested(b, i)
	}
	for i < len(b) && !strings.ContainsRune(",]} \t\r\n", rune(b[i])) {
		i++
	}
	return i
}

func endOfText(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func endOfNested(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = endOfText(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
}
