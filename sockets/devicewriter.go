package sockets

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"expenseflow/models"
)

// How long devices wait to be written together: after a restart all of them come at
// once, and one write costs as much as thousands.
const (
	deviceQuiet = 200 * time.Millisecond
	deviceMost  = time.Second
	deviceRetry = time.Second // after the registry failed
)

// maxWaitingDevices bounds how many devices wait to be written: a few megabytes, and
// more than come while a database restarts. Beyond it a device is written with its next
// socket.
const maxWaitingDevices = 20_000

// A deviceRegistry stores the devices of users with their tokens; *store.Store is one.
type deviceRegistry interface {
	SeeDevices(ctx context.Context, seen []models.DeviceToken) error
}

// A deviceWriter writes to the registry which devices and tokens were in use, several
// at once. While the registry fails they wait and are tried again. What is lost when
// the process is killed is written with the device's next socket. Its methods may be
// called concurrently; add does not block.
type deviceWriter struct {
	registry deviceRegistry
	tasks    *taskGroup
	log      *slog.Logger
	soon     debounce

	writing sync.Mutex // held while devices are taken and written

	mu      sync.Mutex
	waiting map[models.DeviceToken]string // the newest Client, which the key does not have
}

func newDeviceWriter(registry deviceRegistry, tasks *taskGroup, log *slog.Logger) *deviceWriter {
	w := &deviceWriter{registry: registry, tasks: tasks, log: log, waiting: make(map[models.DeviceToken]string)}
	w.soon = debounce{waits: &debounceWaits{deviceQuiet, deviceMost}, do: w.writeWaiting}
	return w
}

// addSession adds the device of a session that has come or gone, or has another token.
func (w *deviceWriter) addSession(s *session) {
	token := s.token.Load()
	w.add(models.DeviceToken{
		UserID: s.userID, DeviceID: s.device, Key: token.credential.Key, ExpiresAt: token.credential.Until, Client: s.clientName,
		Generation: token.credential.Generation,
	})
}

func (w *deviceWriter) add(t models.DeviceToken) {
	w.wait(t)
	w.soon.trigger()
}

// wait adds devices to those that wait, as far as there is room.
func (w *deviceWriter) wait(tokens ...models.DeviceToken) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range tokens {
		client := t.Client
		t.Client = ""
		if len(w.waiting) < maxWaitingDevices {
			w.waiting[t] = client
		}
	}
}

func (w *deviceWriter) take() []models.DeviceToken {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := make([]models.DeviceToken, 0, len(w.waiting))
	for t, client := range w.waiting {
		t.Client = client
		waiting = append(waiting, t)
	}
	clear(w.waiting)
	return waiting
}

// flush writes at once what waits.
func (w *deviceWriter) flush() {
	if w.writeWaiting() > 0 {
		w.soon.trigger()
	}
}

func (w *deviceWriter) stop() { w.soon.stop() }

// writeWaiting writes what waits, and returns when to try again with what could not be
// written; 0 if nothing is left.
func (w *deviceWriter) writeWaiting() (retry time.Duration) {
	w.tasks.run(func(ctx context.Context) {
		w.writing.Lock()
		defer w.writing.Unlock()
		if left := w.write(ctx, w.take()); len(left) > 0 {
			w.wait(left...)
			retry = deviceRetry
		}
	})
	return retry
}

// write returns the devices that are to be tried again. One that the registry refuses
// for good does not keep the others from being written: they are written by halves.
func (w *deviceWriter) write(ctx context.Context, tokens []models.DeviceToken) (left []models.DeviceToken) {
	err := w.registry.SeeDevices(ctx, tokens)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return tokens
	case models.KindOf(err) == models.Unavailable:
		w.log.Warn("devices cannot be recorded now", slog.Int("devices", len(tokens)), slog.Any("error", err))
		return tokens
	case len(tokens) > 1:
		half := len(tokens) / 2
		return append(w.write(ctx, tokens[:half:half]), w.write(ctx, tokens[half:])...)
	}
	w.log.Error("a device cannot be recorded", slog.Any("error", err))
	return nil
}

// A token that is used again is recorded again after recordAgain, and maxRecentTokens
// tokens are remembered for that. So the list of a user's sessions costs no write per
// request.
const (
	recordAgain     = time.Hour
	maxRecentTokens = 100_000
)

// recentTokens remembers which tokens were recorded lately. The zero recentTokens is
// ready. It may be used concurrently.
type recentTokens struct {
	mu sync.Mutex
	at map[string]time.Time
}

// due reports whether a token is to be recorded now, and remembers it if so.
func (r *recentTokens) due(key string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, known := r.at[key]; known && now.Sub(at) < recordAgain {
		return false
	}
	if r.at == nil || len(r.at) >= maxRecentTokens {
		r.at = map[string]time.Time{}
	}
	r.at[key] = now
	return true
}
