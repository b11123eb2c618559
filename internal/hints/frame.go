package hints

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"expenseflow/internal/keyring"
)

// An identity names a process from its start to its end.
type identity struct {
	process string // 1 to 16 letters and digits
	nonce   string // random, 1 to 32 letters and digits
}

// A frame is one message as it travels: a hint, or a word of the protocol (the kinds
// below). Its text has seven fields, separated by spaces:
//
//	1 <process> <nonce> <number> <kind> <signature> <data>
type frame struct {
	from   identity
	number uint64 // from 1, without gaps
	kind   string
	data   json.RawMessage
}

// The words of the protocol. No hint has such a kind.
const (
	wordHello = ".hello" // I am here
	wordWho   = ".who"   // challengeData: answer this challenge
	wordAm    = ".am"    // challengeData: the answer
)

// challengeData is the data of wordWho and wordAm.
type challengeData struct {
	To        string `json:"to"`    // process
	Nonce     string `json:"nonce"` // of To
	Challenge string `json:"challenge"`
}

const (
	frameVersion  = "1"
	maxFrame      = 7990 // bytes; PostgreSQL takes less than 8000
	signatureSize = 16   // bytes of HMAC-SHA256
	maxProcess    = 16
	maxNonce      = 32
	maxKind       = 16
)

// Reasons why a message is dropped.
var (
	errTooLarge = errors.New("larger than any hint")
	errGarbage  = errors.New("no hint")
	errForged   = errors.New("signed with another secret, or for another installation")
)

// head returns the fields before the signature.
func (f frame) head() string {
	return frameVersion + " " + f.from.process + " " + f.from.nonce + " " + strconv.FormatUint(f.number, 10) + " " + f.kind
}

// keys sign and verify frames.
type keys struct{ keyring.Keys }

// deriveKeys derives the keys of an installation. Another one has other keys, whatever its
// secrets.
func deriveKeys(ring keyring.Ring, installation string) keys {
	return keys{ring.Derive("expenseflow hints " + installation)}
}

func signature(key []byte, head string, data json.RawMessage) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(head))
	mac.Write([]byte{' '})
	mac.Write(data)
	return mac.Sum(nil)[:signatureSize]
}

// seal returns the text of a frame.
func (ks keys) seal(f frame) string {
	head := f.head()
	return head + " " + base64.RawURLEncoding.EncodeToString(signature(ks.Signing(), head, f.data)) + " " + string(f.data)
}

// open returns the frame of a text. The error is errTooLarge, errGarbage or errForged.
func (ks keys) open(text string) (frame, error) {
	f, signed, err := parseFrame(text)
	if err != nil {
		return frame{}, err
	}
	head := f.head()
	authentic := ks.Verify(signed, func(key []byte) []byte { return signature(key, head, f.data) })
	switch {
	case !authentic:
		return frame{}, errForged
	case !json.Valid(f.data):
		return frame{}, errGarbage
	}
	return f, nil
}

// parseFrame takes a text apart. Nothing of it is authentic yet.
func parseFrame(text string) (f frame, signed []byte, err error) {
	if len(text) > maxFrame {
		return frame{}, nil, errTooLarge
	}
	fields := strings.SplitN(text, " ", 7)
	if len(fields) != 7 || fields[0] != frameVersion {
		return frame{}, nil, errGarbage
	}
	f = frame{from: identity{fields[1], fields[2]}, kind: fields[4], data: json.RawMessage(fields[6])}
	number, err := strconv.ParseUint(fields[3], 10, 64)
	if err != nil || number == 0 || strconv.FormatUint(number, 10) != fields[3] {
		return frame{}, nil, errGarbage
	}
	f.number = number
	signed, err = base64.RawURLEncoding.Strict().DecodeString(fields[5])
	if err != nil || len(signed) != signatureSize || !isName(f.from.process, maxProcess) || !isName(f.from.nonce, maxNonce) ||
		!isKind(strings.TrimPrefix(f.kind, ".")) {
		return frame{}, nil, errGarbage
	}
	return f, signed, nil
}

// isName reports whether s is 1 to limit ASCII letters and digits.
func isName(s string, limit int) bool {
	return consistsOf(s, limit, func(c byte) bool { return isSmallLetter(c) || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' })
}

// isKind reports whether s can be the kind of a hint.
func isKind(s string) bool { return consistsOf(s, maxKind, isSmallLetter) }

func isSmallLetter(c byte) bool { return c >= 'a' && c <= 'z' }

func consistsOf(s string, limit int, allowed func(c byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return s != "" && len(s) <= limit
}
