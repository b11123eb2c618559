package changes

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// The pauses after the store failed: the first is doubled with every further failure, up
// to the longest.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// Run serves the subscribers until ctx ends. When it returns, every goroutine that it
// started has ended, and nothing is delivered any more. It is called once.
func (t *Tail[E]) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range t.opts.Workers {
		g.Go(func() error { return t.work(ctx) })
	}
	g.Go(func() error { return t.poll(ctx) })
	return g.Wait()
}

// work serves one feed after the other.
func (t *Tail[E]) work(ctx context.Context) error {
	for t.waitForFeed(ctx) {
		t.serveNext(ctx)
	}
	return nil
}

// waitForFeed waits until a feed is queued and no pause runs. It returns false if ctx has
// ended.
func (t *Tail[E]) waitForFeed(ctx context.Context) bool {
	select {
	case <-t.ready:
	case <-ctx.Done():
		return false
	}
	for d := t.remainingPause(); d > 0; d = t.remainingPause() {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (t *Tail[E]) remainingPause() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.pausedUntil)
}

// serveNext serves the feed that has waited longest, and reports whether there was one.
func (t *Tail[E]) serveNext(ctx context.Context) bool {
	f := t.next()
	if f == nil {
		return false
	}
	err := t.serve(ctx, f)
	t.finish(f, err)
	if ctx.Err() == nil {
		t.backOff(ctx, f, err)
	}
	return true
}

// finish gives a feed back. It is queued again if a subscriber still waits.
func (t *Tail[E]) finish(f *feed[E], err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, f)
	if models.KindOf(err) != models.Unavailable { // else it waits as long as before, and until now
		f.since = time.Time{}
	}
	if len(f.waiting()) > 0 {
		t.schedule(f)
	}
}

// backOff makes all workers pause if the store failed. Any other error concerns one user,
// whose subscribers wait for the next poll.
func (t *Tail[E]) backOff(ctx context.Context, f *feed[E], err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if models.KindOf(err) != models.Unavailable {
		t.pause = 0
		return
	}
	if time.Until(t.pausedUntil) > 0 {
		return // another worker met the same failure
	}
	t.pause = min(max(firstPause, 2*t.pause), longestPause)
	t.pausedUntil = time.Now().Add(t.pause)
	t.opts.Logger.WarnContext(ctx, "change log cannot be read",
		slog.String("user_id", f.userID), slog.Duration("pause", t.pause), slog.Any("error", err))
}

// serve reads one page for each position at which subscribers wait, and delivers it. It
// reads no more than a page, so that a user who is far behind does not delay others.
func (t *Tail[E]) serve(ctx context.Context, f *feed[E]) error {
	t.mu.Lock()
	if f.shortened {
		f.shortened = false
		all := slices.Clone(f.subscribers)
		t.mu.Unlock()
		t.drop(all)
		return nil
	}
	generation, waiting := f.generation, f.waiting()
	t.mu.Unlock()
	for _, group := range groupByPosition(waiting) {
		from, atOnce := group[0].Position(), t.pageSize(group)
		page, err := t.read(ctx, f.userID, from, atOnce)
		if err != nil {
			t.handleReadError(ctx, f, group, generation, from, err)
			return err
		}
		for _, s := range group {
			t.deliver(f, s, page, atOnce, generation)
		}
	}
	return nil
}

// leastAtOnce is the size of a page for a subscriber that has no room for more.
const leastAtOnce = 16

// pageSize is how many changes a group is offered at once: as many as the member with the
// most room takes.
func (t *Tail[E]) pageSize(group []*Subscription[E]) (most int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range group {
		most = max(most, s.atOnce)
	}
	return most
}

// read returns the page of at most limit changes after a position, encoded. It fails for a
// page with a gap.
func (t *Tail[E]) read(ctx context.Context, userID string, after int64, limit int) ([]Item[E], error) {
	changes, err := t.src.Changes(ctx, userID, after, limit)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		if want := after + int64(i) + 1; changes[i].Seq != want {
			return nil, fmt.Errorf("the log has a hole: change %d follows %d", changes[i].Seq, want-1)
		}
	}
	page := make([]Item[E], len(changes))
	for i, encoded := range t.encode(changes) {
		page[i] = Item[E]{Seq: changes[i].Seq, Change: &changes[i], Encoded: encoded}
	}
	return page, nil
}

// deliver delivers a page, of the most that were asked for, to one subscriber and advances
// its position by what it took. The next page of a subscriber that has no room for all of this
// one is small, so that most of what is read and encoded is also taken.
func (t *Tail[E]) deliver(f *feed[E], s *Subscription[E], page []Item[E], most int, generation int64) {
	t.mu.Lock()
	resumes, open := s.resumes, !s.ended
	t.mu.Unlock()
	taken := 0
	if open && len(page) > 0 {
		taken = min(max(s.deliver(page), 0), len(page))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.failedAt = 0
	s.position.Add(int64(taken))
	switch {
	case taken < len(page):
		s.full = s.resumes == resumes // else there is room again already
		s.atOnce = min(max(2*taken, leastAtOnce), t.opts.PageSize)
	case len(page) < most:
		s.served = generation
	default:
		s.atOnce = min(2*most, t.opts.PageSize)
	}
}

// handleReadError decides what becomes of a group whose page could not be read. If the
// store failed, the group keeps waiting and is tried again.
func (t *Tail[E]) handleReadError(ctx context.Context, f *feed[E], group []*Subscription[E], generation, at int64, err error) {
	switch {
	case ctx.Err() != nil || models.KindOf(err) == models.Unavailable:
	case models.KindOf(err) == models.NotFound:
		t.opts.Logger.WarnContext(ctx, "change log does not reach back to its subscribers, who begin anew",
			slog.String("user_id", f.userID), slog.Int64("position", at), slog.Int("subscribers", len(group)), slog.Any("error", err))
		t.drop(group)
	default:
		t.suspend(ctx, f, group, generation, at, err)
	}
}

// drop ends the subscriptions of a group whose next change cannot be had any more.
func (t *Tail[E]) drop(group []*Subscription[E]) {
	for _, s := range group {
		if t.unsubscribe(s) && s.lost != nil {
			s.lost()
		}
	}
}

// suspend has a group wait until the next poll: to read the same page of an unreadable log
// again at once is useless.
func (t *Tail[E]) suspend(ctx context.Context, f *feed[E], group []*Subscription[E], generation, at int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range group {
		s.served = generation
	}
	t.uncompared[f.userID] = true
	if f.failedAt != at+1 {
		f.failedAt = at + 1
		t.opts.Logger.ErrorContext(ctx, "change log cannot be followed, its subscribers wait",
			slog.String("user_id", f.userID), slog.Int64("position", at), slog.Any("error", err))
	}
}
