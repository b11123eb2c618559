package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/keyring"
)

// forwardHeader is the header of a forwarded request that says from whom it is. It has the
// fields of a forward and the code that authenticates them, separated by dots.
const forwardHeader = "Expenseflow-Forward"

// keys are what processes with the same secrets have in common.
type keys struct {
	forward keyring.Keys // authenticate forwards

	// fingerprint tells others which secrets this process has, and nothing else about them:
	// a text for each, separated by commas, of which the first is of the one that signs.
	fingerprint string
}

// fingerprintSize is the size of the text of one secret in bytes, before it is written in hex.
const fingerprintSize = 8

func newKeys(ring keyring.Ring) keys {
	var prints []string
	for _, key := range ring.Derive("expenseflow: processes of one secret") {
		prints = append(prints, hex.EncodeToString(key[:fingerprintSize]))
	}
	return keys{ring.Derive("expenseflow: forwarded requests"), strings.Join(prints, ",")}
}

// fits reports whether a process with this fingerprint and the one of these keys accept what
// the other signs. That they have a secret in common is not enough.
func (k keys) fits(fingerprint string) bool {
	own, others := strings.Split(k.fingerprint, ","), strings.Split(fingerprint, ",")
	return slices.Contains(own, others[0]) && slices.Contains(others, own[0])
}

// A forward is what the forwarding process says about a request.
type forward struct {
	to, from             string // ids of processes
	number               uint64 // of from's forwards; none is used twice
	client, scheme, host string // the client's address without a port, and what it asked for
}

var textEncoding = base64.RawURLEncoding.Strict()

// sign returns the header of a forward of the request with this method and URI.
func (k keys) sign(f forward, method, uri string) string {
	return strings.Join([]string{
		f.to, f.from, strconv.FormatUint(f.number, 10), f.scheme,
		textEncoding.EncodeToString([]byte(f.client)), textEncoding.EncodeToString([]byte(f.host)),
		textEncoding.EncodeToString(code(k.forward.Signing(), f, method, uri)),
	}, ".")
}

// code authenticates a forward together with its request.
func code(key []byte, f forward, method, uri string) []byte {
	return mac(key, "forward", method, uri, f.to, f.from, strconv.FormatUint(f.number, 10), f.client, f.scheme, f.host)
}

// signAnswer returns the header of the answer to a probe.
func (k keys) signAnswer(f forward) string {
	return textEncoding.EncodeToString(answerCode(k.forward.Signing(), f))
}

// verifyAnswer reports whether the process that f is for has answered with this header.
func (k keys) verifyAnswer(header string, f forward) bool {
	sent, err := textEncoding.DecodeString(header)
	return err == nil && k.forward.Verify(sent, func(key []byte) []byte { return answerCode(key, f) })
}

func answerCode(key []byte, f forward) []byte {
	return mac(key, "probed", f.to, f.from, strconv.FormatUint(f.number, 10))
}

// mac returns the code of a list of texts, of which each begins with its length.
func mac(key []byte, texts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, text := range texts {
		_, _ = h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		_, _ = h.Write([]byte(text))
	}
	return h.Sum(nil)
}

// maxForwardHeader is more than any header that sign returns has.
const maxForwardHeader = 4 << 10

// verify returns the forward of a header; false if no process with one of the secrets
// made it for this request.
func (k keys) verify(header, method, uri string) (f forward, ok bool) {
	fields := strings.Split(header, ".")
	if len(header) > maxForwardHeader || len(fields) != 7 {
		return forward{}, false
	}
	number, err := strconv.ParseUint(fields[2], 10, 64)
	client, err1 := textEncoding.DecodeString(fields[4])
	host, err2 := textEncoding.DecodeString(fields[5])
	sent, err3 := textEncoding.DecodeString(fields[6])
	if err != nil || err1 != nil || err2 != nil || err3 != nil {
		return forward{}, false
	}
	f = forward{to: fields[0], from: fields[1], number: number, scheme: fields[3], client: string(client), host: string(host)}
	return f, k.forward.Verify(sent, func(key []byte) []byte { return code(key, f, method, uri) })
}

// senders remembers which forwards of each process have been accepted. The zero senders is
// ready; its methods may be called concurrently.
//
// A forward is accepted once, which needs no clock: the sender numbers them, and of the
// newest windowSize numbers it is known which were used.
type senders struct {
	mu   sync.Mutex
	byID map[string]*window
}

// keepSender is how long the numbers of a process are remembered after it was last known to
// live. A process of which nothing is remembered must be living to be believed, and one that
// was paused may live again.
const keepSender = time.Hour

// accept reports whether a number of a process is used for the first time.
func (s *senders) accept(id string, number uint64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.byID[id]
	if w == nil {
		if s.byID == nil {
			s.byID = make(map[string]*window)
		}
		w = new(window)
		s.byID[id] = w
	}
	w.at = now
	return w.accept(number)
}

// prune forgets processes that have been dead for long.
func (s *senders) prune(now time.Time, lives func(id string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, w := range s.byID {
		switch {
		case lives(id):
			w.at = now
		case now.Sub(w.at) > keepSender:
			delete(s.byID, id)
		}
	}
}

// windowSize is how many numbers may overtake one that is on its way: more than a process
// forwards while it waits for an owner.
const windowSize = 1 << 16

// A window is the newest numbers of one process.
type window struct {
	at      time.Time // of the last forward, or when the process lived last
	highest uint64
	used    [windowSize / 64]uint64 // a bit for each number modulo windowSize
}

// accept marks a number as used, and reports whether it was not and is not too old to know.
func (w *window) accept(number uint64) bool {
	switch {
	case number > w.highest:
		w.advance(number)
	case w.highest-number >= windowSize:
		return false
	}
	word, bit := number%windowSize/64, uint64(1)<<(number%64)
	if w.used[word]&bit != 0 {
		return false
	}
	w.used[word] |= bit
	return true
}

// advance makes number the highest, and the numbers between unused.
func (w *window) advance(number uint64) {
	if number-w.highest >= windowSize {
		w.used = [windowSize / 64]uint64{}
	} else {
		for n := w.highest + 1; n <= number; n++ {
			w.used[n%windowSize/64] &^= uint64(1) << (n % 64)
		}
	}
	w.highest = number
}
