package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxRecentErrors is how many errors RecentErrors keeps.
const maxRecentErrors = 20

// A LoggedError is a record of the log of level Error.
type LoggedError struct {
	At      time.Time
	Message string
	Attrs   map[string]string
}

// RecentErrors keeps the last errors that were logged, for an operator who asks without
// the log at hand. Its methods may be called concurrently.
type RecentErrors struct {
	mu   sync.Mutex
	last []LoggedError // the newest last
}

// List returns the errors, the newest first.
func (r *RecentErrors) List() []LoggedError {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]LoggedError, 0, len(r.last))
	for i := len(r.last) - 1; i >= 0; i-- {
		list = append(list, r.last[i])
	}
	return list
}

func (r *RecentErrors) add(e LoggedError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == maxRecentErrors {
		r.last = append(r.last[:0], r.last[1:]...)
	}
	r.last = append(r.last, e)
}

// Watch returns a logger that writes as log does and has the errors kept.
func (r *RecentErrors) Watch(log *slog.Logger) *slog.Logger {
	return slog.New(&errorWatcher{next: log.Handler(), errors: r})
}

// An errorWatcher is the handler of RecentErrors.Watch.
type errorWatcher struct {
	next   slog.Handler
	errors *RecentErrors
	attrs  []slog.Attr // of WithAttrs
}

// Enabled implements slog.Handler.
func (h *errorWatcher) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *errorWatcher) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelError {
		h.errors.add(h.loggedError(record))
	}
	return h.next.Handle(ctx, record)
}

// loggedError returns the record as it is kept: without stacks, and texts shortened as in
// the log.
func (h *errorWatcher) loggedError(record slog.Record) LoggedError {
	e := LoggedError{At: record.Time, Message: record.Message, Attrs: map[string]string{}}
	keep := func(a slog.Attr) bool {
		if a.Key != "stack" {
			text := slog.String(a.Key, a.Value.Resolve().String())
			e.Attrs[a.Key] = truncate(nil, text).Value.String()
		}
		return true
	}
	for _, a := range h.attrs {
		keep(a)
	}
	record.Attrs(keep)
	return e
}

// WithAttrs implements slog.Handler.
func (h *errorWatcher) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &errorWatcher{h.next.WithAttrs(attrs), h.errors, all}
}

// WithGroup implements slog.Handler.
func (h *errorWatcher) WithGroup(name string) slog.Handler {
	return &errorWatcher{h.next.WithGroup(name), h.errors, h.attrs}
}
