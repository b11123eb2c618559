package sockets

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"expenseflow/models"
)

// How announcements wait to be stored together: those of a thousand devices that come at
// once are a few statements.
const (
	announceQuiet   = 20 * time.Millisecond
	announceMost    = 50 * time.Millisecond
	announceRetry   = time.Second
	announceTimeout = 5 * time.Second
)

// maxAnnounced bounds a statement, and the names of rooms in its hint to about 5 KB:
// PostgreSQL carries hints of up to 8,000 bytes.
const maxAnnounced = 150

// A presentKey identifies a device in a room.
type presentKey struct{ room, userID, device string }

// An announcement says that a device is present, or gone.
type announcement struct {
	models.Present
	gone bool
}

func (a announcement) key() presentKey { return presentKey{a.Room, a.UserID, a.DeviceID} }

// presenceHinted says that a process has stored something new about these rooms.
type presenceHinted struct {
	models.PresenceVersion
	Rooms []string
}

// An announcer stores for the other processes who is present in this one, several devices
// at once, and hints at it. Of each device the newest announcement counts; while the store
// fails it is tried again. The methods may be called concurrently; put does not block.
type announcer struct {
	cluster *Cluster
	tasks   *taskGroup
	log     *slog.Logger
	soon    debounce

	mu      sync.Mutex
	waiting map[presentKey]announcement
}

func newAnnouncer(c *Cluster, tasks *taskGroup, log *slog.Logger) *announcer {
	a := &announcer{cluster: c, tasks: tasks, log: log, waiting: make(map[presentKey]announcement)}
	a.soon = debounce{waits: &debounceWaits{announceQuiet, announceMost}, do: a.write}
	return a
}

func (a *announcer) put(n announcement) {
	a.mu.Lock()
	a.waiting[n.key()] = n
	a.mu.Unlock()
	a.soon.trigger()
}

// take removes some announcements from those that wait.
func (a *announcer) take() (batch []announcement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, n := range a.waiting {
		if len(batch) == maxAnnounced {
			break
		}
		delete(a.waiting, key)
		batch = append(batch, n)
	}
	return batch
}

// putBack has a batch wait again, but for what was superseded meanwhile.
func (a *announcer) putBack(batch []announcement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range batch {
		if _, newer := a.waiting[n.key()]; !newer {
			a.waiting[n.key()] = n
		}
	}
}

// write stores what waits, and returns when to try again with what could not be stored.
func (a *announcer) write() (retry time.Duration) {
	a.tasks.run(func(ctx context.Context) {
		for batch := a.take(); len(batch) > 0; batch = a.take() {
			if err := a.store(ctx, batch); err != nil {
				a.log.Debug("presence cannot be told to other processes now", slog.Any("error", err))
				a.putBack(batch)
				retry = announceRetry
				return
			}
		}
	})
	return retry
}

func (a *announcer) store(ctx context.Context, batch []announcement) error {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	var here, gone []models.Present
	rooms := make([]string, 0, len(batch))
	for _, n := range batch {
		if rooms = append(rooms, n.Room); n.gone {
			gone = append(gone, n.Present)
		} else {
			here = append(here, n.Present)
		}
	}
	version, err := a.cluster.Store.Announce(ctx, here, gone)
	if err != nil {
		return err
	}
	slices.Sort(rooms)
	a.cluster.Publish(presenceHint, presenceHinted{version, slices.Compact(rooms)})
	return nil
}
