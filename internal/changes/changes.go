// Package changes tails the users' change logs and hands each change to whoever
// listens, each from its own position (ARCHITECTURE.md, "The way of one change").
//
// What it promises:
//
//   - A subscriber gets every change after its position, once, in order. A hole
//     in the log's sequence is logged as an error and never stepped over.
//   - A subscriber whose next change is not to be had any more, because the log
//     was pruned or the account removed, is told so instead of being left waiting.
//   - A subscriber that is full costs a position, not memory: nothing is read
//     for it until it says Resume, and then it reads the log in pages.
//   - Subscribers at the same position share one read and the encoded form.
//   - A wake is a hint. Whoever missed it (another process wrote, the wake was
//     lost) hears of the change with the next poll.
//   - While the store is in trouble nothing is lost: it is asked again, with
//     growing pauses.
//
// A few workers serve all users; there is no goroutine per subscriber. One
// worker at a time serves a user, so all calls of a subscriber's function are
// one after the other.
package changes

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"expenseflow/models"
)

// A Source is where the logs are; *store.Store is one. Changes gives at most
// limit entries after a sequence, in order, and models.NotFound if the first of
// them is gone for good; Heads the newest sequence of each of these users that
// there are.
type Source interface {
	Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error)
	Heads(ctx context.Context, userIDs []string) (map[string]int64, error)
}

// An Item is one change and its encoded form. Subscribers share both and must
// not change them.
type Item[E any] struct {
	Seq     int64
	Change  *models.Change
	Encoded E
}

// Options are a Tail's settings; the zero value of each is its default.
type Options struct {
	PageSize int           // changes read at once; 256
	Workers  int           // users served at once; 4
	Poll     time.Duration // longest time until a change without a wake is noticed; 1 s
	Logger   *slog.Logger  // slog.Default
}

func (o Options) withDefaults() Options {
	if o.PageSize <= 0 {
		o.PageSize = 256
	}
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// A Tail follows the logs of all users that have subscribers. Its methods may
// be called concurrently.
type Tail[E any] struct {
	src    Source
	encode func([]models.Change) []E
	opts   Options

	mu    sync.Mutex
	feeds map[string]*feed[E]
	queue []*feed[E]    // feeds that want a worker, first come first served
	ready chan struct{} // holds a token while queue is not empty and a worker may sleep

	pause time.Duration // the last one after trouble
	until time.Time     // nothing is read before
}

// New makes a Tail; Run makes it work. encode gives the encoded form of each
// change of a page; it is called once per page, whoever and however many get it.
func New[E any](src Source, encode func(page []models.Change) []E, o Options) *Tail[E] {
	return &Tail[E]{
		src: src, encode: encode, opts: o.withDefaults(),
		feeds: map[string]*feed[E]{}, ready: make(chan struct{}, 1),
	}
}

// Wake says that this user's log has grown. It never blocks.
func (t *Tail[E]) Wake(userID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.feeds[userID]; f != nil {
		f.news++
		t.schedule(f)
	}
}

// Subscribe delivers the changes of a user's log after the sequence from.
//
// deliver gets the next changes in order, from one goroutine at a time, and
// tells how many of them it took. Fewer than all means that it is full: nothing
// more comes until Resume, which may be called at any time, also before deliver
// has returned. deliver must not block. The page is shared and valid as long as
// it is kept.
//
// lost is called, from the same goroutine as deliver, when what comes next is gone
// for good: the subscription has ended then, and its owner begins anew. It must not
// block, and may be nil.
func (t *Tail[E]) Subscribe(userID string, from int64, deliver func(page []Item[E]) (taken int), lost func()) *Subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.feeds[userID]
	if f == nil {
		f = &feed[E]{userID: userID, subscribers: map[*subscriber[E]]bool{}}
		t.feeds[userID] = f
	}
	f.arrivals++
	s := &subscriber[E]{deliver: deliver, lost: lost, arrival: f.arrivals, seen: f.news - 1}
	s.position.Store(from)
	f.subscribers[s] = true
	t.schedule(f)
	s.resume = func() { t.resume(f, s) }
	s.close = func() { t.unsubscribe(f, s) }
	return &s.Subscription
}

func (t *Tail[E]) resume(f *feed[E], s *subscriber[E]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.resumes++
	if s.full {
		s.full = false
		t.schedule(f)
	}
}

func (t *Tail[E]) unsubscribe(f *feed[E], s *subscriber[E]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(f.subscribers, s)
	if len(f.subscribers) == 0 && t.feeds[f.userID] == f {
		delete(t.feeds, f.userID)
	}
}

// schedule asks for a worker for f. The caller holds the lock.
func (t *Tail[E]) schedule(f *feed[E]) {
	if f.queued || f.running {
		return // a worker that is done looks again
	}
	f.queued = true
	t.queue = append(t.queue, f)
	t.signal()
}

func (t *Tail[E]) signal() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// next takes the first feed of the queue, nil if there is none.
func (t *Tail[E]) next() *feed[E] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		t.queue = nil
		return nil
	}
	f := t.queue[0]
	t.queue = t.queue[1:]
	f.queued, f.running = false, true
	if len(t.queue) > 0 {
		t.signal()
	}
	return f
}
