package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A history to be played in a harness; its error has the history in it, and says how
// to play it again.
type job func(ctx context.Context, l *harness) error

// A campaign plays many histories, one on each core at a time. What comes of one
// does not depend on the harness or on what else is played there.
type campaign struct {
	what  string // what is counted
	total int64
	log   io.Writer

	began           time.Time
	done            atomic.Int64
	mu              sync.Mutex // guards what follows
	tally, outcomes tally
}

func newCampaign(what string, total int64, log io.Writer) *campaign {
	return &campaign{what: what, total: total, log: log, began: time.Now(), tally: tally{}, outcomes: tally{}}
}

const (
	// freshAfter is how many histories are played in one database, which grows.
	freshAfter = 500
	// reportEvery is how often a campaign says how far it is.
	reportEvery = 5 * time.Second
)

// run plays until one fails or ctx ends; those that have begun are played to their
// end. When it returns, nothing of it goes on.
func (c *campaign) run(ctx context.Context, jobs iter.Seq[job]) error {
	g, ctx := errgroup.WithContext(ctx)
	queue, over := make(chan job), make(chan struct{})
	g.Go(func() error {
		defer close(queue)
		return hand(ctx, jobs, queue)
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error { return c.work(ctx, queue) })
	}
	var reporter sync.WaitGroup
	reporter.Go(func() { c.report(over) })
	err := g.Wait()
	close(over)
	reporter.Wait()
	return err
}

// hand gives jobs to whoever takes them.
func hand(ctx context.Context, jobs iter.Seq[job], to chan<- job) error {
	for j := range jobs {
		select {
		case to <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// work plays one history after the other, in one harness after the other.
func (c *campaign) work(ctx context.Context, queue <-chan job) error {
	for {
		n, err := c.inOneHarness(ctx, queue)
		if err != nil || n < freshAfter {
			return err
		}
	}
}

func (c *campaign) inOneHarness(ctx context.Context, queue <-chan job) (n int, err error) {
	ctx = context.WithoutCancel(ctx)
	l, err := newHarness(ctx)
	if err != nil {
		return 0, err
	}
	defer func() {
		c.add(l)
		err = errors.Join(err, l.close())
	}()
	for j := range queue {
		if err := j(ctx, l); err != nil {
			return n, err
		}
		c.done.Add(1)
		if n++; n == freshAfter {
			break
		}
	}
	return n, nil
}

// add counts what happened in a harness.
func (c *campaign) add(l *harness) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.add(l.tally)
	c.outcomes.add(l.outcomes)
}

// report says now and then how far the campaign is, and how long the rest takes if
// it goes on like this.
func (c *campaign) report(over <-chan struct{}) {
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	for {
		select {
		case <-over:
			return
		case <-t.C:
			fmt.Fprintln(c.log, c.progress(time.Since(c.began)))
		}
	}
}

func (c *campaign) progress(gone time.Duration) string {
	done := c.done.Load()
	s := fmt.Sprintf("%d of %d %s in %s", done, c.total, c.what, gone.Round(time.Second))
	if done == 0 {
		return s
	}
	each := float64(gone) / float64(done)
	left := time.Duration(each * float64(c.total-done))
	return fmt.Sprintf("%s, %.0f a second, %s left", s, float64(time.Second)/each, left.Round(time.Second))
}

// String is what was played.
func (c *campaign) String() string {
	return fmt.Sprintf("%d %s in %s\n%s%s", c.done.Load(), c.what, time.Since(c.began).Round(time.Second), c.tally, c.outcomes)
}
