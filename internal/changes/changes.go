// Package changes follows the users' change logs and delivers each change to the
// subscribers of its user, each from its own position (ARCHITECTURE.md, "The way of one
// change").
//
// What it promises:
//
//   - A subscriber gets every change after its position, once, in order. A gap in the
//     sequence of a log is logged as an error and never skipped.
//   - A subscriber whose next change cannot be had any more, because the log was pruned,
//     the account deleted or the database replaced by an older one, is told so instead
//     of being left waiting.
//   - A subscriber that is full costs a position and no memory: nothing is read for it
//     until it calls Resume, and then the log is read in pages.
//   - Subscribers at the same position share one read and the encoded form.
//   - A wake is a hint. Without it (another process wrote, or the wake was lost) a change
//     is noticed by the next poll.
//   - A poll costs what has changed, not who subscribes: it asks the store once whose logs
//     have moved. All logs are compared only when the store cannot tell, or
//     hints were missed, which takes at most a tenth of the time.
//   - While the store fails nothing is lost: it is asked again, with growing pauses.
//
// A few workers serve all users, so there is no goroutine per subscriber. One worker at a
// time serves a user, so the functions of a subscriber are called one after the other.
package changes

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/models"
)

// A Source has the change logs; *store.Store is one. Changes returns at most limit
// entries after a sequence, in order, and models.NotFound if the first of them does not
// exist any more. Heads returns the newest sequence of each of these users that exist. Moves
// returns the users whose logs have moved, or who were deleted, after a position, and the next
// position; or all, that it cannot tell.
type Source interface {
	Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error)
	Heads(ctx context.Context, userIDs []string) (map[string]int64, error)
	Moves(ctx context.Context, from models.MoveCursor) (moved []string, next models.MoveCursor, all bool, err error)
}

// An Item is one change and its encoded form. Subscribers share both and must not modify
// them.
type Item[E any] struct {
	Seq     int64
	Change  *models.Change
	Encoded E
}

// Options are the settings of a Tail; the zero value of each is its default.
type Options struct {
	PageSize int           // changes read at once; 256
	Workers  int           // users served at once; 4
	Poll     time.Duration // time between polls: until a change without a wake is noticed; 1 s
	Logger   *slog.Logger  // slog.Default

	// OnLogShortened is called when a user's log ends before a sequence that was read
	// from it: the database was replaced by an older one, and will give these sequences
	// to other changes. It is called for one user of a poll; the subscribers of all such
	// users are told that their log is lost as soon as it returns. nil does nothing.
	OnLogShortened func(ctx context.Context, userID string, read int64)
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
	if o.OnLogShortened == nil {
		o.OnLogShortened = func(context.Context, string, int64) {}
	}
	return o
}

// A Tail follows the logs of all users with subscribers. Its methods may be called
// concurrently.
type Tail[E any] struct {
	src    Source
	encode func([]models.Change) []E
	opts   Options

	mu    sync.Mutex
	feeds map[string]*feed[E] // by user
	queue []*feed[E]          // feeds that wait for a worker (FIFO)
	busy  map[*feed[E]]bool   // feeds that a worker serves
	ready chan struct{}       // has a token while queue is not empty and a worker may sleep

	uncompared map[string]bool   // users whose logs the next poll compares, moved or not
	missed     bool              // the next poll compares all logs,
	rested     time.Time         // if it is not before this
	pollNow    chan struct{}     // has a token if the next poll shall not wait
	cursor     models.MoveCursor // of the polls alone

	comparisons, found atomic.Int64
	wakes              [wakeSources]atomic.Int64
	polled             time.Time // when the last poll that succeeded began; zero before

	pause       time.Duration // the last one after the store failed
	pausedUntil time.Time     // nothing is read before
}

// New makes a Tail, which begins to work with Run. encode returns the encoded form of
// each change of a page; it is called once per page, for however many subscribers.
func New[E any](src Source, encode func(page []models.Change) []E, o Options) *Tail[E] {
	return &Tail[E]{
		src: src, encode: encode, opts: o.withDefaults(),
		feeds: map[string]*feed[E]{}, busy: map[*feed[E]]bool{}, ready: make(chan struct{}, 1),
		uncompared: map[string]bool{}, pollNow: make(chan struct{}, 1),
	}
}

// PollEvery replaces Options.Poll. It is called before Run.
func (t *Tail[E]) PollEvery(d time.Duration) { t.opts.Poll = d }

// Wake says that this user's log has grown, by a commit of this process. It never blocks.
func (t *Tail[E]) Wake(userID string) { t.wake(userID, wokenByCommit) }

func (t *Tail[E]) wake(userID string, by wakeSource) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.feeds[userID]; f != nil {
		t.wakes[by].Add(1)
		f.generation++
		t.schedule(f)
	}
}

// Subscribe delivers the changes of a user's log after the sequence from. head is where the
// log ended when the subscriber looked last. If that is from, the log is not read for it: it
// is compared with a poll that begins soon, which many subscribers share.
//
// deliver gets the next changes in order, from one goroutine at a time, and returns how
// many of them it took. Fewer than all means that the subscriber is full: nothing more is
// delivered until Resume, which may be called at any time, also before deliver has
// returned. deliver must not block. It may keep the page, which is shared.
//
// lost is called from the same goroutine as deliver when the next change cannot be had
// any more. The subscription has ended then; its owner may begin a new one. lost must not
// block, and may be nil.
func (t *Tail[E]) Subscribe(
	userID string, from, head int64, deliver func(page []Item[E]) (taken int), lost func(),
) *Subscription[E] {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.feeds[userID]
	if f == nil {
		f = &feed[E]{tail: t, userID: userID}
		t.feeds[userID] = f
	}
	s := &Subscription[E]{feed: f, deliver: deliver, lost: lost, served: f.generation - 1, atOnce: t.opts.PageSize}
	s.position.Store(from)
	f.subscribers = append(f.subscribers, s)
	if from < head {
		t.schedule(f)
	} else {
		s.served = f.generation
		t.uncompared[userID] = true
		t.pollSoon()
	}
	return s
}

func (t *Tail[E]) resume(s *Subscription[E]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.resumes++
	if s.full {
		s.full = false
		t.schedule(s.feed)
	}
}

// unsubscribe ends a subscription, and reports false if it had ended before.
func (t *Tail[E]) unsubscribe(s *Subscription[E]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.ended {
		return false
	}
	s.ended = true
	f := s.feed
	i := slices.Index(f.subscribers, s)
	if f.subscribers = slices.Delete(f.subscribers, i, i+1); len(f.subscribers) == 0 {
		delete(t.feeds, f.userID)
	}
	return true
}

// schedule puts a feed into the queue, unless it is there already. A worker that is
// serving it looks again when it is done. The caller must hold mu.
func (t *Tail[E]) schedule(f *feed[E]) {
	if f.queued || t.busy[f] {
		return
	}
	f.queued = true
	if f.since.IsZero() {
		f.since = time.Now()
	}
	t.queue = append(t.queue, f)
	t.signal()
}

// signal wakes a worker, if one sleeps.
func (t *Tail[E]) signal() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// next takes the first feed from the queue; nil if there is none.
func (t *Tail[E]) next() *feed[E] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		t.queue = nil
		return nil
	}
	f := t.queue[0]
	t.queue = t.queue[1:]
	f.queued, t.busy[f] = false, true
	if len(t.queue) > 0 {
		t.signal()
	}
	return f
}
