package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A campaign is one run of the program.
type campaign struct {
	o            options
	binary, root string
	progress     io.Writer
	began        time.Time

	mu    sync.Mutex
	total *totals
}

// errBroken is returned when a promise was broken.
var errBroken = errors.New("promises were broken; the lines above name seeds and histories")

// run runs every schedule that o names and gives the counts. The error says that
// a promise was broken, that a fault never hit, or that the harness failed.
func run(ctx context.Context, o options, progress io.Writer) (*totals, error) {
	c := &campaign{o: o, progress: progress, began: time.Now(), total: &totals{}}
	dir, err := os.MkdirTemp("", "expenseflow-chaos-")
	if err != nil {
		return c.total, err
	}
	defer os.RemoveAll(dir)
	if c.root, err = moduleRoot(ctx); err != nil {
		return c.total, err
	}
	if c.binary = o.server; c.binary == "" {
		if c.binary, err = build(ctx, dir, o.race); err != nil {
			return c.total, err
		}
	}
	c.say("seeds from %d on", o.seed)
	err = errors.Join(c.lanes(ctx), c.total.quiet())
	if c.total.broken() {
		err = errors.Join(errBroken, err)
	}
	return c.total, err
}

// lanes runs the schedules, each database's on houses of their own.
func (c *campaign) lanes(ctx context.Context) error {
	var running sync.WaitGroup
	errs := make([]error, len(c.o.databases())*c.o.lanes)
	for i, db := range c.o.databases() {
		jobs := make(chan job)
		running.Go(func() { c.feed(ctx, db, jobs) })
		for lane := range c.o.lanes {
			running.Go(func() { errs[i*c.o.lanes+lane] = c.lane(ctx, jobs) })
		}
	}
	running.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// feed gives out one schedule of each class, then the next of each.
func (c *campaign) feed(ctx context.Context, db string, jobs chan<- job) {
	defer close(jobs)
	for i := range c.o.schedules {
		for _, cl := range c.o.classes() {
			if cl.on != "" && cl.on != db || c.over(i, db, cl) {
				continue
			}
			select {
			case jobs <- job{db: db, class: cl, seed: c.o.seed + uint64(i), devices: c.o.devices, span: c.o.duration, stuck: c.o.stuck}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// over tells whether there is no more time for a class's i-th schedule. Its first
// always has, and a few more if nothing has hit so far.
func (c *campaign) over(i int, db string, cl class) bool {
	if c.o.limit == 0 || i == 0 || time.Since(c.began) < c.o.limit {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return i >= hitWithin || len(c.total.row(db, cl.name).hits) > 0
}

// tooMany errors of the harness end a lane.
const tooMany = 10

// lane runs schedules in one house, which is left for a new one after a failure.
func (c *campaign) lane(ctx context.Context, jobs <-chan job) error {
	var h *house
	var errs []error
	for j := range jobs {
		if len(errs) > tooMany {
			continue // nobody else may take what is left
		}
		var err error
		if h, err = c.inHouse(ctx, h, j); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", j.again(), err))
		}
	}
	if h != nil {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}

// inHouse runs one schedule in h, or a new house if it is nil, and gives the house
// for the next; nil if this one has seen something go wrong.
func (c *campaign) inHouse(ctx context.Context, h *house, j job) (*house, error) {
	var err error
	if h == nil {
		if h, err = openHouse(ctx, c.binary, c.root, j.db); err != nil {
			return nil, err
		}
	}
	broken, err := c.one(ctx, h, j)
	if broken || err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// one runs one schedule and tells whether it broke a promise.
func (c *campaign) one(ctx context.Context, h *house, j job) (broken bool, err error) {
	o, hist, err := runSchedule(ctx, h, j)
	if err != nil && ctx.Err() != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.add(o)
	c.say("%-8s %-8s seed %d: %s", j.db, j.class.name, j.seed, o.line())
	if len(o.wrong) == 0 {
		return false, err
	}
	path, failed := hist.write(c.o.histories, o)
	c.say("  BROKEN, seed %d, history in %s\n  %s\n  again: %s", j.seed, path, strings.Join(o.wrong[:min(len(o.wrong), 8)], "\n  "), j.again())
	return true, errors.Join(err, failed)
}

func (c *campaign) say(format string, args ...any) {
	fmt.Fprintf(c.progress, "%6.0fs  "+format+"\n", append([]any{time.Since(c.began).Seconds()}, args...)...)
}
