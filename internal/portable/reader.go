package portable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"expenseflow/internal/ledger"
)

// Bounds of a file.
const (
	maxElement = 1 << 20 // bytes of one value: an entity, or a member that is none
	maxDepth   = 64      // of what this version does not know
)

// Detect reports whether a file begins like an export of this package. head are its first
// bytes; DetectBytes are enough.
func Detect(head []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n")
	return bytes.HasPrefix(text, []byte("{")) && bytes.Contains(text, []byte(`"`+Format+`"`))
}

// DetectBytes is how many bytes of a file Detect needs.
const DetectBytes = 512

var byteOrderMark = []byte("\xef\xbb\xbf")

// A visitor gets what a file contains, in its order.
type visitor struct {
	account     func(account) error // once, before all others
	preferences func(*preferences) error
	// record gets an element of a section, or why it cannot be read.
	record func(section string, r ledger.Record, unreadable error) error
	// skipped gets the section of an element that is for information only.
	skipped func(section string)
}

// A fileReader reads one file. It holds one element in memory.
type fileReader struct {
	in     *boundedReader
	tokens *json.Decoder
	visitor

	seen   map[string]bool  // the members so far
	counts map[string]int64 // the elements of each section
	header struct {
		format     string
		version    int64
		exportedAt json.RawMessage
	}
}

// read reads a file to its end. Its errors are of models.Invalid with a sentence about the file,
// those of in, and those of v.
func read(in io.Reader, v visitor) error {
	bounded := &boundedReader{in: in}
	r := &fileReader{in: bounded, visitor: v, seen: map[string]bool{}, counts: map[string]int64{}}
	r.in.reset()
	if err := bounded.skipMark(); err != nil {
		return err
	}
	r.tokens = json.NewDecoder(bounded)
	r.tokens.UseNumber()
	if err := r.object(); err != nil {
		return r.explain(err)
	}
	return nil
}

// explain turns an error of the decoder into a sentence.
func (r *fileReader) explain(err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errTooLong):
		return invalidf("the value at byte %d is longer than %d bytes", r.tokens.InputOffset(), maxElement)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return invalidf("it ends at byte %d, before its end: it was cut off", r.tokens.InputOffset())
	case errors.As(err, &syntax):
		return invalidf("it is no JSON at byte %d", r.tokens.InputOffset())
	case errors.As(err, &wrong):
		return invalidf("%s has a value of the wrong type (%s) at byte %d", clip(wrong.Field), wrong.Value, r.tokens.InputOffset())
	}
	return err
}

func (r *fileReader) object() error {
	if err := r.delim('{'); err != nil {
		return err
	}
	for r.more() {
		name, err := r.tokens.Token()
		if err != nil {
			return err
		}
		if err := r.member(name.(string)); err != nil {
			return err
		}
	}
	if err := r.delim('}'); err != nil {
		return err
	}
	return r.end()
}

// end checks that nothing is missing, and that nothing follows.
func (r *fileReader) end() error {
	if err := r.checkHeader(); err != nil {
		return err
	}
	if !r.seen["counts"] || !r.seen["account"] {
		return invalidf("its end is missing: it was cut off")
	}
	r.in.reset()
	switch _, err := r.tokens.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, errTooLong) || err == nil:
		return invalidf("something follows after its end")
	default:
		return err
	}
}

func (r *fileReader) more() bool {
	r.in.reset()
	return r.tokens.More()
}

func (r *fileReader) delim(want json.Delim) error {
	r.in.reset()
	got, err := r.tokens.Token()
	if err == nil && got != want {
		return invalidf("there is no %s at byte %d: it is no export of an account", want, r.tokens.InputOffset())
	}
	return err
}

// decode reads one value.
func (r *fileReader) decode(to any) error {
	r.in.reset()
	return r.tokens.Decode(to)
}

// document reads a member that must have the shape of to.
func (r *fileReader) document(name string, to any) error {
	var raw json.RawMessage
	if err := r.decode(&raw); err != nil {
		return err
	}
	if err := json.Unmarshal(bytes.ToValidUTF8(raw, []byte("\ufffd")), to); err != nil {
		return invalidf("%q is not as it should be: %s", name, shapeSentence(err))
	}
	return nil
}

func (r *fileReader) member(name string) error {
	if r.seen[name] {
		return invalidf("it has %q twice", clip(name))
	}
	if len(r.seen) < maxMembers {
		r.seen[name] = true
	}
	switch name {
	case "format":
		return r.decode(&r.header.format)
	case "version":
		return r.version()
	}
	if err := r.checkHeader(); err != nil {
		return err
	}
	return r.content(name)
}

// maxMembers bounds what is remembered of members.
const maxMembers = 1000

func (r *fileReader) version() error {
	var n json.Number
	if err := r.decode(&n); err != nil {
		return err
	}
	r.header.version, _ = strconv.ParseInt(n.String(), 10, 64) // 0 is refused
	return nil
}

func (r *fileReader) checkHeader() error {
	switch h := r.header; {
	case h.format != Format:
		return invalidf("it does not begin with \"format\": %q, so it is no export of an account", Format)
	case h.version > Version:
		return invalidf("it is of version %d and this program reads version %d: it needs a newer release", h.version, Version)
	case h.version < 1:
		return invalidf("it names no version")
	}
	return nil
}

func (r *fileReader) content(name string) error {
	switch name {
	case "account":
		a := account{exportedAt: string(r.header.exportedAt)}
		if err := r.document(name, &a); err != nil {
			return err
		}
		return r.account(a)
	case "exportedAt":
		return r.decode(&r.header.exportedAt)
	case "preferences":
		var p *preferences
		if err := r.document(name, &p); err != nil || p == nil {
			return err
		}
		return r.afterAccount(name, func() error { return r.preferences(p) })
	case "counts":
		return r.checkCounts()
	}
	if element := elements[name]; element != nil {
		return r.afterAccount(name, func() error { return r.section(name, element) })
	}
	return r.skip(0)
}

// afterAccount calls do, if the account is known already.
func (r *fileReader) afterAccount(name string, do func() error) error {
	if !r.seen["account"] {
		return invalidf("%q comes before \"account\"", name)
	}
	return do()
}

// checkCounts compares what was read with what was written.
func (r *fileReader) checkCounts() error {
	want := map[string]int64{}
	if err := r.decode(&want); err != nil {
		return err
	}
	for _, name := range sections {
		if want[name] != r.counts[name] {
			return invalidf("it should have %d of %s and has %d", want[name], name, r.counts[name])
		}
	}
	return nil
}

// sections are the arrays of a file, in their order.
var sections = []string{
	sectionBudgets, sectionGoals, sectionExpenses, sectionComments, sectionNotifications, sectionParked,
	sectionReceived, sectionElsewhere,
}

// section reads an array.
func (r *fileReader) section(name string, element func(*fileReader) (ledger.Record, error)) error {
	if name == sectionComments && !r.seen[sectionExpenses] {
		return invalidf("%q comes before %q", name, sectionExpenses)
	}
	if err := r.delim('['); err != nil {
		return err
	}
	for r.more() {
		r.counts[name]++
		record, err := element(r)
		var refusal *unreadableError
		switch {
		case errors.Is(err, errInformation):
			r.skipped(name)
			err = nil
		case errors.As(err, &refusal):
			err = r.record(name, ledger.Record{}, refusal.error)
		case err == nil:
			err = r.record(name, record, nil)
		}
		if err != nil {
			return err
		}
	}
	return r.delim(']')
}

// skip reads a value that this version does not know.
func (r *fileReader) skip(depth int) error {
	r.in.reset()
	token, err := r.tokens.Token()
	open, nested := token.(json.Delim)
	switch {
	case err != nil:
		return err
	case !nested:
		return nil
	case depth == maxDepth:
		return invalidf("it is nested deeper than %d levels at byte %d", maxDepth, r.tokens.InputOffset())
	}
	for r.more() {
		if open == '{' {
			if _, err := r.tokens.Token(); err != nil {
				return err
			}
		}
		if err := r.skip(depth + 1); err != nil {
			return err
		}
	}
	r.in.reset()
	_, err = r.tokens.Token()
	return err
}

// errTooLong is the error of a value longer than maxElement.
var errTooLong = errors.New("the value is too long")

// A boundedReader gives at most maxElement bytes between two resets, so that what the decoder
// holds is bounded.
type boundedReader struct {
	in   io.Reader
	left int
	mark []byte // read already and not yet given
}

func (b *boundedReader) reset() { b.left = maxElement }

// Read implements io.Reader.
func (b *boundedReader) Read(p []byte) (n int, err error) {
	if b.left == 0 {
		return 0, errTooLong
	}
	p = p[:min(len(p), b.left)]
	if len(b.mark) > 0 {
		n = copy(p, b.mark)
		b.mark = b.mark[n:]
	} else {
		n, err = b.in.Read(p)
	}
	b.left -= n
	return n, err
}

// skipMark skips a byte order mark at the beginning.
func (b *boundedReader) skipMark() error {
	head := make([]byte, len(byteOrderMark))
	n, err := io.ReadFull(b.in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read the file: %w", err)
	}
	if head = head[:n]; !slices.Equal(head, byteOrderMark) {
		b.mark = head
	}
	return nil
}
