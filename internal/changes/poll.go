package changes

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Hinted says that another process has changed these users' logs. It never blocks.
func (t *Tail[E]) Hinted(userIDs []string) {
	for _, id := range userIDs {
		t.wake(id, wokenByHint)
	}
}

// Missed says that hints may have been lost: all logs with subscribers are compared soon. It
// never blocks.
func (t *Tail[E]) Missed() {
	t.mu.Lock()
	t.missed = true
	t.mu.Unlock()
	t.pollSoon()
}

// pollSoon has the next poll begin without waiting for its time.
func (t *Tail[E]) pollSoon() {
	select {
	case t.pollNow <- struct{}{}:
	default:
	}
}

// pollPause is how long a poll keeps off the next one, or a twentieth of Options.Poll if that is
// shorter: so that whoever makes hints go missing makes the store no work without end.
const pollPause = 50 * time.Millisecond

// comparisonRest is for how many times as long as all logs were compared they are not compared
// again for hints that were missed: for the same reason, where many users are online. What the
// hints told of is in the moves, which are read meanwhile.
const comparisonRest = 9

// warnInterval is how often it is logged that the store cannot be asked.
const warnInterval = time.Minute

// poll notices changes without a wake, again and again.
func (t *Tail[E]) poll(ctx context.Context) error {
	tick := time.NewTicker(t.opts.Poll)
	defer tick.Stop()
	for warned := (time.Time{}); ; {
		switch err := t.pollOnce(ctx); {
		case err == nil:
			warned = time.Time{}
		case ctx.Err() == nil && time.Since(warned) >= warnInterval:
			warned = time.Now()
			t.opts.Logger.WarnContext(ctx, "the database cannot be asked for changes: until it can, "+
				"devices here hear of none", slog.Any("error", err))
		}
		sleep(ctx, min(t.opts.Poll/20, pollPause))
		select {
		case <-tick.C:
		case <-t.pollNow:
		case <-ctx.Done():
			return nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// pollOnce asks the store once whose logs have moved, and compares those of them that have
// subscribers. It goes on from where it was only when all of them were compared.
func (t *Tail[E]) pollOnce(ctx context.Context) error {
	asked := time.Now()
	moved, next, all, err := t.src.Moves(ctx, t.cursor)
	if err != nil {
		return err
	}
	c, began := t.beginComparison(moved, all), time.Now()
	err = t.compare(ctx, c)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		t.missed = t.missed || c.all
		return err
	case c.all:
		t.rested = time.Now().Add(comparisonRest * time.Since(began))
	}
	t.cursor, t.polled = next, asked
	return nil
}

// A comparison is of logs with what was read from them.
type comparison struct {
	all   bool // of all logs with subscribers
	users []string
	read  map[string]int64 // up to which sequence any subscriber has read
}

// beginComparison returns the comparison of the logs that moved, or of all, and of those that
// could not be read lately or have a new subscriber.
func (t *Tail[E]) beginComparison(moved []string, all bool) comparison {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.uncompared, func(userID string, _ bool) bool { return t.feeds[userID] == nil })
	c := comparison{all: all || t.missed && !time.Now().Before(t.rested), read: map[string]int64{}}
	t.missed = t.missed && !c.all
	if c.all {
		t.comparisons.Add(1)
		for userID := range t.feeds {
			t.include(&c, userID)
		}
		return c
	}
	for userID := range t.uncompared {
		t.include(&c, userID)
	}
	for _, userID := range moved {
		t.include(&c, userID)
	}
	return c
}

// include adds the log of a user who has subscribers. The caller must hold mu.
func (t *Tail[E]) include(c *comparison, userID string) {
	f := t.feeds[userID]
	if _, again := c.read[userID]; f == nil || again {
		return
	}
	c.users = append(c.users, userID)
	c.read[userID] = f.furthest()
}

// compare schedules the feeds with a subscriber that is behind, whose user was deleted, or
// whose log has become shorter.
func (t *Tail[E]) compare(ctx context.Context, c comparison) error {
	if len(c.users) == 0 {
		return nil
	}
	heads, err := t.src.Heads(ctx, c.users)
	if err != nil {
		return err
	}
	shortened := func(userID string) bool { head, exists := heads[userID]; return exists && head < c.read[userID] }
	if i := slices.IndexFunc(c.users, shortened); i >= 0 {
		t.opts.OnLogShortened(ctx, c.users[i], c.read[c.users[i]])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, userID := range c.users {
		delete(t.uncompared, userID)
		head, exists := heads[userID]
		f := t.feeds[userID]
		if f == nil || exists && !f.behind(head) && !shortened(userID) {
			continue
		}
		if !f.queued && !t.busy[f] {
			t.wakes[wokenByPoll].Add(1)
			if c.all {
				t.found.Add(1)
			}
		}
		f.shortened = shortened(userID)
		f.generation++
		t.schedule(f)
	}
	return nil
}
