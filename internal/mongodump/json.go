package mongodump

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

var byteOrderMark = []byte{0xef, 0xbb, 0xbf}

// Limits of a document as JSON: its bytes, of which a number of canonical JSON has about six
// times as many as in BSON, and how deep it nests, as servers allow.
const (
	maxJSON  = 6 * MaxDocument
	maxDepth = 200
)

// eachJSON reads documents in extended JSON (version 2, relaxed or canonical): one after the
// other, or as one array.
func eachJSON(in *bufio.Reader, ns Namespace, fn func(Document) error) error {
	if mark, _ := in.Peek(len(byteOrderMark)); bytes.Equal(mark, byteOrderMark) {
		_, _ = in.Discard(len(mark))
	}
	s := &jsonScanner{in: in}
	if err := s.begin(); err != nil {
		return err
	}
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var raw bson.Raw
		if err := bson.UnmarshalExtJSON(text, false, &raw); err != nil {
			return damagedf("has no extended JSON in line %d: export it with mongoexport", s.line())
		}
		if err := fn(Document{ns, raw}); err != nil {
			return err
		}
	}
}

// A jsonScanner splits a file into the texts of its documents. Whether they are JSON it does
// not say.
type jsonScanner struct {
	in    *bufio.Reader
	buf   []byte
	array bool // as of mongoexport --jsonArray
	lines int  // that have been read
}

func (s *jsonScanner) line() int { return s.lines + 1 }

// begin reads the bracket of an array, if there is one.
func (s *jsonScanner) begin() error {
	c, err := s.nonSpace()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil && c == '[':
		s.array = true
		return nil
	case err != nil:
		return err
	}
	return s.in.UnreadByte()
}

// nonSpace reads the next byte that is no white space.
func (s *jsonScanner) nonSpace() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			s.lines++
		case ' ', '\t', '\r':
		default:
			return c, nil
		}
	}
}

// next returns the next document, which is valid until the one after; io.EOF at the end.
func (s *jsonScanner) next() ([]byte, error) {
	for {
		c, err := s.nonSpace()
		switch {
		case errors.Is(err, io.EOF) && s.array:
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case c == '{':
			return s.object()
		case c == ',' && s.array:
		case c == ']' && s.array:
			s.array = false // and documents may follow, as in files that were joined
		default:
			return nil, damagedf("has %q in line %d where a document should begin: export it as JSON with mongoexport", c, s.line())
		}
	}
}

// object reads the rest of an object.
func (s *jsonScanner) object() ([]byte, error) {
	s.buf = append(s.buf[:0], '{')
	quoted := false
	for depth := 1; depth > 0; {
		c, err := s.in.ReadByte()
		if err != nil {
			return nil, unexpected(err)
		}
		if s.buf = append(s.buf, c); len(s.buf) > maxJSON {
			return nil, damagedf("has a document in line %d that is larger than any", s.line())
		}
		switch {
		case c == '\n':
			s.lines++
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			if err := s.escaped(); err != nil {
				return nil, err
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > maxDepth {
			return nil, damagedf("has a document in line %d that nests deeper than MongoDB allows", s.line())
		}
	}
	return s.buf, nil
}

func (s *jsonScanner) escaped() error {
	c, err := s.in.ReadByte()
	s.buf = append(s.buf, c)
	return unexpected(err)
}
