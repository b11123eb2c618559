package changes

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"expenseflow/internal/failpoint"
	"expenseflow/internal/seededbug"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// Pauses after the store was found in trouble: the first, doubled with every
// further failure up to the longest.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// Run serves the subscribers until ctx ends. When it returns, every goroutine
// that it started has ended, and nothing is delivered any more. It is called
// once.
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
	for t.await(ctx) {
		t.Step(ctx)
	}
	return nil
}

// await sleeps until there is work and the store is not being spared; false if
// ctx ended.
func (t *Tail[E]) await(ctx context.Context) bool {
	select {
	case <-t.ready:
	case <-ctx.Done():
		return false
	}
	for d := t.spared(); d > 0; d = t.spared() {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (t *Tail[E]) spared() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.until)
}

// note spares the store for a while if it is in trouble; then all workers wait.
// Whatever else went wrong is one user's and waits for the next poll.
func (t *Tail[E]) note(ctx context.Context, f *feed[E], err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if models.KindOf(err) != models.Unavailable {
		t.pause = 0
		return
	}
	if time.Until(t.until) > 0 {
		return // another worker met the same trouble
	}
	t.pause = min(max(firstPause, 2*t.pause), longestPause)
	t.until = time.Now().Add(t.pause)
	t.opts.Logger.WarnContext(ctx, "change log cannot be read",
		slog.String("user_id", f.userID), slog.Duration("pause", t.pause), slog.Any("error", err))
}

// serve reads one page for each position at which subscribers wait and hands it
// out. One page, so that a user who is far behind does not hold up the others.
func (t *Tail[E]) serve(ctx context.Context, f *feed[E]) error {
	t.mu.Lock()
	news, waiting := f.news, f.waiting()
	t.mu.Unlock()
	failpoint.If(len(waiting) > 0, failpoint.AfterWake)
	for _, group := range samePosition(waiting) {
		from := group[0].Position()
		if seededbug.Built && seededbug.Enabled(seededbug.GlobalCursor) {
			from = seededbug.Highest(from)
		}
		page, err := t.read(ctx, f.userID, from)
		if err != nil {
			t.trouble(ctx, f, group, news, from, err)
			return err
		}
		failpoint.If(len(page) > 0, failpoint.BeforeEmit)
		for _, s := range group {
			t.hand(f, s, page, news)
		}
	}
	return nil
}

// read gives the page after a position, encoded and without a hole.
func (t *Tail[E]) read(ctx context.Context, userID string, after int64) ([]Item[E], error) {
	changes, err := t.src.Changes(ctx, userID, after, t.opts.PageSize)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		if want := after + int64(i) + 1; changes[i].Seq != want && !(seededbug.Built && seededbug.Enabled(seededbug.NoGapCheck)) {
			return nil, fmt.Errorf("the log has a hole: change %d follows %d", changes[i].Seq, want-1)
		}
	}
	if seededbug.Built && seededbug.Enabled(seededbug.RelayTrusted) {
		for i := range changes {
			changes[i].Expense = seededbug.Recall(changes[i].EntityID, changes[i].Expense)
		}
	}
	page := make([]Item[E], len(changes))
	for i, encoded := range t.encode(changes) {
		page[i] = Item[E]{Seq: changes[i].Seq, Change: &changes[i], Encoded: encoded}
	}
	return page, nil
}

// hand gives a page to one subscriber and notes how it stands.
func (t *Tail[E]) hand(f *feed[E], s *subscriber[E], page []Item[E], news int64) {
	t.mu.Lock()
	resumes, open := s.resumes, f.subscribers[s]
	t.mu.Unlock()
	taken := 0
	if open && len(page) > 0 {
		taken = min(max(s.deliver(page), 0), len(page))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.stuck = 0
	s.position.Add(int64(taken))
	switch {
	case taken < len(page):
		s.full = s.resumes == resumes // else there is room again already
		if seededbug.Built && seededbug.Enabled(seededbug.LostResume) {
			s.full = true
		}
	case len(page) < t.opts.PageSize:
		s.seen = news
	}
}

// trouble notes that a group could not be served. If the store is in trouble,
// it stays waiting; if the log itself is, trying again at once is useless.
func (t *Tail[E]) trouble(ctx context.Context, f *feed[E], group []*subscriber[E], news, at int64, err error) {
	switch {
	case ctx.Err() != nil || models.KindOf(err) == models.Unavailable:
	case models.KindOf(err) == models.NotFound:
		t.opts.Logger.WarnContext(ctx, "change log does not reach back to its subscribers, who begin anew",
			slog.String("user_id", f.userID), slog.Int64("position", at), slog.Int("subscribers", len(group)), slog.Any("error", err))
		t.lose(f, group)
	default:
		t.hold(ctx, f, group, news, at, err)
	}
}

// lose ends the subscriptions of a group that can never go on.
func (t *Tail[E]) lose(f *feed[E], group []*subscriber[E]) {
	for _, s := range group {
		t.mu.Lock()
		open := f.subscribers[s]
		t.mu.Unlock()
		t.unsubscribe(f, s)
		if open && s.lost != nil {
			s.lost()
		}
	}
}

// hold has a group wait until the log has grown.
func (t *Tail[E]) hold(ctx context.Context, f *feed[E], group []*subscriber[E], news, at int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range group {
		s.seen = news
	}
	if f.stuck != at+1 {
		f.stuck = at + 1
		t.opts.Logger.ErrorContext(ctx, "change log cannot be followed, its subscribers wait",
			slog.String("user_id", f.userID), slog.Int64("position", at), slog.Any("error", err))
	}
}

// done gives the feed back; it is queued again if somebody still waits.
func (t *Tail[E]) done(f *feed[E]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.running = false
	if len(f.waiting()) > 0 {
		t.schedule(f)
	}
}

// poll looks at the heads of all logs that have subscribers, so that a change
// is noticed without a wake.
func (t *Tail[E]) poll(ctx context.Context) error {
	tick := time.NewTicker(t.opts.Poll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := t.compare(ctx); err != nil && ctx.Err() == nil {
			t.opts.Logger.WarnContext(ctx, "heads of change logs cannot be read", slog.Any("error", err))
		}
	}
}

// compare wakes the feeds whose subscribers are served but not at the head, or
// whose user is gone.
func (t *Tail[E]) compare(ctx context.Context) error {
	users := t.users()
	if len(users) == 0 {
		return nil
	}
	heads, err := t.src.Heads(ctx, users)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, userID := range users {
		head, there := heads[userID]
		if f := t.feeds[userID]; f != nil && (!there || f.behind(head)) {
			f.news++
			t.schedule(f)
		}
	}
	return nil
}

func (t *Tail[E]) users() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	users := make([]string, 0, len(t.feeds))
	for userID := range t.feeds {
		users = append(users, userID)
	}
	return users
}
