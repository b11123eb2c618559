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
	noteSoon = 200 * time.Millisecond
	noteMost = time.Second
)

// notes are devices that came or went and are about to be kept. What is lost with
// the process is of no consequence: a device's next socket is noted again.
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
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[models.DeviceToken{UserID: s.userID, DeviceID: s.device, Key: s.key, ExpiresAt: s.expires}] = struct{}{}
	n.soon.touch()
}

func (n *notes) take() []models.DeviceToken {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := slices.Collect(maps.Keys(n.seen))
	clear(n.seen)
	return seen
}

func (n *notes) keep() (again time.Duration) {
	n.hub.errands.run(func(ctx context.Context) {
		n.writing.Lock()
		defer n.writing.Unlock()
		if err := n.hub.opts.Registry.SeeDevices(ctx, n.take()); err != nil && ctx.Err() == nil {
			n.hub.log.Warn("devices were not noted", slog.Any("error", err))
		}
	})
	return 0
}

// KeepDevices keeps at once which devices have come so far, so that what the
// registry says next of a user's devices has all that Presence tells of.
func (h *Hub) KeepDevices() { h.notes.keep() }
