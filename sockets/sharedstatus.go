package sockets

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// statusRetry is when the operator's status is stored again after the store failed.
const statusRetry = time.Second

// storedStatus is how a status is stored.
type storedStatus struct {
	Status, Message string
	At              time.Time
}

// A sharedStatus has what the operator says sent by all processes, and by those that start
// later: it stores it, and takes over what another process stored. What was stored last
// counts everywhere. Its methods may be called concurrently; none blocks.
type sharedStatus struct {
	cluster *Cluster
	status  *serviceStatus
	tasks   *taskGroup
	log     *slog.Logger
	soon    debounce

	mu      sync.Mutex   // held while it is sent too, so that the newest arrives last
	unsaved *wire.Status // what was said here and is not stored yet
	version int64        // of the stored status that was taken over last
}

func newSharedStatus(c *Cluster, status *serviceStatus, tasks *taskGroup, log *slog.Logger) *sharedStatus {
	s := &sharedStatus{cluster: c, status: status, tasks: tasks, log: log}
	s.soon = debounce{waits: &debounceWaits{time.Millisecond, time.Millisecond}, do: s.save}
	return s
}

// set sends what the operator said here, and has the other processes send it.
func (s *sharedStatus) set(said wire.Status) {
	s.mu.Lock()
	s.unsaved = &said
	s.status.setOperator(said)
	s.mu.Unlock()
	s.soon.trigger()
}

// save stores what was said. While the store fails it is tried again.
func (s *sharedStatus) save() (retry time.Duration) {
	s.tasks.run(func(ctx context.Context) {
		s.mu.Lock()
		said := s.unsaved
		s.mu.Unlock()
		if said == nil {
			return
		}
		version, err := s.store(ctx, *said)
		if err != nil {
			s.log.Warn("status cannot be told to other processes now", slog.Any("error", err))
			retry = statusRetry
			return
		}
		s.saved(said, version)
	})
	return retry
}

func (s *sharedStatus) store(ctx context.Context, said wire.Status) (version int64, err error) {
	b, err := json.Marshal(storedStatus{said.Status, said.Message, time.Time(said.At)})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	return s.cluster.Store.SetStatus(ctx, string(b))
}

func (s *sharedStatus) saved(said *wire.Status, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsaved == said {
		s.unsaved = nil
	}
	s.version = max(s.version, version)
	s.cluster.Publish(statusHint, struct{}{})
}

// take takes over the stored status if it is newer than what is known, unless something
// was said here that is not stored yet: that will be the newest.
func (s *sharedStatus) take(version int64, stored string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version <= s.version || s.unsaved != nil {
		return
	}
	var said storedStatus
	if err := json.Unmarshal([]byte(stored), &said); err != nil {
		s.log.Warn("the stored status cannot be read", slog.Any("error", err))
		return
	}
	s.version = version
	s.status.setOperator(wire.Status{Status: said.Status, Message: said.Message, At: wire.Time(models.Millis(said.At))})
}

func (s *sharedStatus) stop() {
	if s != nil {
		s.soon.stop()
	}
}
