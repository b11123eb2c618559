package hints

import (
	"encoding/json"
	"sync"
	"unicode/utf8"
)

const (
	// maxWaiting and maxWaitingBytes bound the hints that wait to be sent, and maxUsers the
	// users of those that are merged.
	maxWaiting      = 1024
	maxWaitingBytes = 1 << 20
	maxUsers        = 20_000
	maxUserID       = 256 // bytes

	// maxBatch bounds the frames that are sent at once.
	maxBatch = 256
)

// An outbox holds what waits to be sent. Its methods may be called concurrently.
type outbox struct {
	ready chan struct{} // has a token while something waits

	mu    sync.Mutex
	words []Hint          // of the protocol
	users []string        // whose logs have grown, in order
	has   map[string]bool // the same
	rest  []Hint
	bytes int    // of rest
	lost  uint64 // dropped since the last take
}

func newOutbox() *outbox {
	return &outbox{ready: make(chan struct{}, 1), has: map[string]bool{}}
}

// say adds a word of the protocol.
func (o *outbox) say(word string, data any) {
	text, _ := json.Marshal(data) // cannot fail
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.words) < maxBatch { // else it is said again later
		o.words = append(o.words, Hint{word, text})
	}
	o.signal()
}

// add adds a hint. It returns the reason why it was dropped, if it was. Whoever would have
// received it will notice, unless it was too large for anybody.
func (o *outbox) add(h Hint) (dropped dropReason) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.signal()
	switch users := h.Users(); {
	case len(users) > 0:
		return o.addUsers(users)
	case len(h.Data) > MaxData || !isKind(h.Kind) || !json.Valid(h.Data) || !utf8.Valid(h.Data):
		return droppedInvalid
	case len(o.rest) >= maxWaiting || o.bytes+len(h.Data) > maxWaitingBytes:
		o.lost++
		return droppedFull
	}
	o.rest = append(o.rest, h)
	o.bytes += len(h.Data)
	return notDropped
}

// addUsers merges users with those that wait. The caller must hold mu.
func (o *outbox) addUsers(ids []string) (dropped dropReason) {
	for _, id := range ids {
		switch {
		case o.has[id]:
		case len(id) > maxUserID || !utf8.ValidString(id):
			return droppedInvalid
		case len(o.users) >= maxUsers:
			o.lost++
			return droppedFull
		default:
			o.has[id] = true
			o.users = append(o.users, id)
		}
	}
	return notDropped
}

// signal says that something waits. The caller must hold mu.
func (o *outbox) signal() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take removes what is sent next, at most maxBatch hints, and returns how many were
// dropped before them.
func (o *outbox) take() (batch []Hint, lost uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, o.words = o.words, nil
	batch = o.takeUsers(batch)
	n := min(len(o.rest), max(maxBatch-len(batch), 0))
	for _, h := range o.rest[:n] {
		o.bytes -= len(h.Data)
	}
	batch = append(batch, o.rest[:n]...)
	if o.rest = o.rest[n:]; len(o.rest) == 0 {
		o.rest = nil // gives the memory back
	}
	if len(o.rest) > 0 || len(o.users) > 0 {
		o.signal()
	}
	lost, o.lost = o.lost, 0
	return batch, lost
}

// takeUsers appends hints about the users that wait. The caller must hold mu.
func (o *outbox) takeUsers(batch []Hint) []Hint {
	for len(o.users) > 0 && len(batch) < maxBatch {
		n := fitting(o.users)
		batch = append(batch, ForUsers(o.users[:n]...))
		for _, id := range o.users[:n] {
			delete(o.has, id)
		}
		o.users = o.users[n:]
	}
	if len(o.users) == 0 {
		o.users = nil // gives the memory back
	}
	return batch
}

// fitting returns how many of the ids fit into one hint, at least 1.
func fitting(ids []string) int {
	size := len(`{"users":[]}`)
	for i, id := range ids {
		quoted, _ := json.Marshal(id) // cannot fail
		if size += len(quoted) + 1; size > MaxData && i > 0 {
			return i
		}
	}
	return len(ids)
}
