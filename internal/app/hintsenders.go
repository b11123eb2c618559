package app

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// sendersInterval is how often the senders of hints are compared with the members.
	sendersInterval = 5 * time.Second
	// sendersTimeout is for how long a process may live without a hint of it having arrived.
	// It is longer than a process that was killed counts as living.
	sendersTimeout = 30 * time.Second
)

// A senderWatch finds out that processes live whose hints do not arrive, although hints flow
// here: they use another Redis, another REDIS_PREFIX, or PostgreSQL. A nil *senderWatch is
// that of a process without hints.
type senderWatch struct {
	log *slog.Logger
	// count returns how many other processes live, how many of them are heard, and whether
	// hints flow at all.
	count func() (living, heard int, up bool)

	since  time.Time // since when one is not heard; zero while all are. Used by note alone.
	silent atomic.Bool
}

// run compares until ctx ends.
func (w *senderWatch) run(ctx context.Context) error {
	if w == nil {
		return nil
	}
	tick := time.NewTicker(sendersInterval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			w.note(ctx, now)
		case <-ctx.Done():
			return nil
		}
	}
}

// note compares once, and logs when processes begin to be silent and when all are heard.
func (w *senderWatch) note(ctx context.Context, now time.Time) {
	living, heard, up := w.count()
	switch missing := up && heard < living; {
	case !missing:
		w.since = time.Time{}
		if w.silent.Swap(false) && up {
			w.log.InfoContext(ctx, "hints of all other processes arrive again")
		}
	case w.since.IsZero():
		w.since = now
	case now.Sub(w.since) >= sendersTimeout && !w.silent.Swap(true):
		w.log.WarnContext(ctx, "hints of other processes do not arrive, so their changes are about a second late here: "+
			"give all processes the same REDIS_URL and REDIS_PREFIX, or none and the same DATABASE_LISTEN_URL, and look at the "+
			"hints in /readyz of each", slog.Int("processes", living), slog.Int("heard", heard))
	}
}

var errSilentProcesses = errors.New("hints of other processes do not arrive")

// check returns an error while processes live whose hints do not arrive.
func (w *senderWatch) check() error {
	if w != nil && w.silent.Load() {
		return errSilentProcesses
	}
	return nil
}
