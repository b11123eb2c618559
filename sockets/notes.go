package sockets

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"expenseflow/models"
)

// How long the notes of devices wait for more: after a restart all of them come at
// once, and one write is as good as thousands.
const (
	noteSoon  = 200 * time.Millisecond
	noteMost  = time.Second
	noteAgain = time.Second // after the registry was in trouble
)

// maxNotes bounds how many devices wait to be kept: a few megabytes, and more than
// come while a database is started anew. Who comes when there are as many is noted
// with its next socket.
const maxNotes = 20_000

// notes are devices that came or went and are about to be kept. While the registry
// is in trouble they wait and it is tried again, as long as the process runs. What
// is lost with the process is of no consequence: a device's next socket is noted
// again.
type notes struct {
	hub  *Hub
	soon debounce

	writing sync.Mutex // held while they are taken and kept

	mu   sync.Mutex
	seen map[models.DeviceToken]struct{}
}

func newNotes(h *Hub) *notes {
	n := &notes{hub: h, seen: make(map[models.DeviceToken]struct{})}
	n.soon = debounce{quiet: noteSoon, most: noteMost, do: n.keep}
	return n
}

// add notes that a session's device has come or gone. It does not block.
func (n *notes) add(s *session) {
	n.put(models.DeviceToken{UserID: s.userID, DeviceID: s.device, Key: s.key, ExpiresAt: s.expires})
	n.soon.touch()
}

func (n *notes) put(tokens ...models.DeviceToken) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range tokens {
		if len(n.seen) < maxNotes {
			n.seen[t] = struct{}{}
		}
	}
}

func (n *notes) take() []models.DeviceToken {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := slices.Collect(maps.Keys(n.seen))
	clear(n.seen)
	return seen
}

// keep keeps what was noted, and says when to try again with what it could not.
func (n *notes) keep() (again time.Duration) {
	n.hub.errands.run(func(ctx context.Context) {
		n.writing.Lock()
		defer n.writing.Unlock()
		if left := n.write(ctx, n.take()); len(left) > 0 {
			n.put(left...)
			again = noteAgain
		}
	})
	return again
}

// write gives those that are to be tried again. One that is refused for good takes
// none of the others with it: they are written by halves.
func (n *notes) write(ctx context.Context, seen []models.DeviceToken) (left []models.DeviceToken) {
	err := n.hub.opts.Registry.SeeDevices(ctx, seen)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return seen
	case models.KindOf(err) == models.Unavailable:
		n.hub.log.Warn("devices are not noted yet", slog.Int("devices", len(seen)), slog.Any("error", err))
		return seen
	case len(seen) > 1:
		half := len(seen) / 2
		return append(n.write(ctx, seen[:half:half]), n.write(ctx, seen[half:])...)
	}
	n.hub.log.Error("a device cannot be noted", slog.Any("error", err))
	return nil
}

// KeepDevices keeps at once which devices have come so far, so that what the
// registry says next of a user's devices has all that Presence tells of.
func (h *Hub) KeepDevices() {
	if h.notes.keep() > 0 {
		h.notes.soon.touch()
	}
}

// A token that is used again is noted again after seenAgain, and maxSeen tokens are
// remembered for that: so listing where a user is signed in costs no write per request.
const (
	seenAgain = time.Hour
	maxSeen   = 100_000
)

// seenTokens remembers which tokens were noted lately.
type seenTokens struct {
	mu sync.Mutex
	at map[string]time.Time
}

// fresh reports whether a token is to be noted now.
func (s *seenTokens) fresh(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, known := s.at[key]; known && now.Sub(at) < seenAgain {
		return false
	}
	if s.at == nil || len(s.at) >= maxSeen {
		s.at = map[string]time.Time{}
	}
	s.at[key] = now
	return true
}

// SeeToken notes that a user's token is in use. It does not block.
func (h *Hub) SeeToken(userID, key string, expires time.Time) {
	if !h.seen.fresh(key, time.Now()) {
		return
	}
	h.notes.put(models.DeviceToken{UserID: userID, Key: key, ExpiresAt: expires})
	h.notes.soon.touch()
}
