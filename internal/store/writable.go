package store

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"expenseflow/models"
)

// How long the outcome of a write speaks for the next ones: a success longer than a
// failure, which may be over.
const (
	trustSuccess = 5 * time.Second
	trustFailure = time.Second
)

// A writes remembers whether changes could be stored lately.
type writes struct {
	mu  sync.Mutex
	at  time.Time // of the last outcome
	err error
}

// Writable tells whether changes can be stored now. It remembers how the last ones went,
// and stores something of its own if there were none for a while or the last one
// failed; so it may be asked often. Nothing but the answer of a real write tells of a
// server that only reads, a full disk, or a standby that does not confirm.
func (s *Store) Writable(ctx context.Context) error {
	if err := s.Intact(); err != nil {
		return err
	}
	s.writes.mu.Lock()
	at, err := s.writes.at, s.writes.err
	s.writes.mu.Unlock()
	age := time.Since(at)
	if err == nil && age < trustSuccess || err != nil && age < trustFailure {
		return err
	}
	return s.probe(ctx)
}

// probe stores a moment.
func (s *Store) probe(ctx context.Context) error {
	_, err := s.exec(ctx, "INSERT INTO meta (key, value) VALUES ('probed_at', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		strconv.FormatInt(s.opts.Now().UnixMilli(), 10))
	s.wrote(err)
	return err
}

// wrote remembers how a write ended. What is the client's trouble, or ended with the
// client's patience, says nothing.
func (s *Store) wrote(err error) {
	if err != nil && (models.KindOf(err) != models.Unavailable || errors.Is(err, context.Canceled)) {
		return
	}
	s.writes.mu.Lock()
	defer s.writes.mu.Unlock()
	s.writes.at, s.writes.err = time.Now(), err
}
