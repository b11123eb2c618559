package store

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"expenseflow/internal/store/epoch"
	"expenseflow/models"
)

// How long the result of the last write is trusted: a success longer than a failure, which
// may be over.
const (
	trustSuccess = 5 * time.Second
	trustFailure = time.Second
)

// A writeHealth holds the result of the last write.
type writeHealth struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// Writable returns nil if changes can be stored now. It returns the result of the last write
// if that is fresh, else it writes a row of its own, so it may be called often. Only a real
// write detects a read-only server, a full disk, or a standby that does not confirm.
func (s *Store) Writable(ctx context.Context) error {
	if err := s.Intact(); err != nil {
		return err
	}
	s.health.mu.Lock()
	at, err := s.health.at, s.health.err
	s.health.mu.Unlock()
	age := time.Since(at)
	if err == nil && age < trustSuccess || err != nil && age < trustFailure {
		return err
	}
	return s.probe(ctx)
}

// probe writes the current time.
func (s *Store) probe(ctx context.Context) error {
	err := epoch.SetMeta(ctx, s.db, epoch.Meta{Key: "probed_at", Value: strconv.FormatInt(s.opts.Now().UnixMilli(), 10)})
	s.wrote(err)
	return err
}

// wrote records how a write ended. An error of the client, or a cancelled request, says
// nothing about the database.
func (s *Store) wrote(err error) {
	if err != nil && (models.KindOf(err) != models.Unavailable || errors.Is(err, context.Canceled)) {
		return
	}
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	s.health.at, s.health.err = time.Now(), err
}
