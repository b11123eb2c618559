package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/e2e/overlay"
	"expenseflow/internal/e2e/process"
)

// A campaign is one run of the program.
type campaign struct {
	o            options
	binary, root string
	skewed       func() (string, error) // builds the server whose clock can be set
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
	if c.root, err = process.ModuleRoot(); err != nil {
		return c.total, err
	}
	if err := c.build(ctx, dir); err != nil {
		return c.total, err
	}
	c.say("seeds from %d on", o.seed)
	if err = c.lanes(ctx); o.prove {
		return c.total, errors.Join(err, c.total.unproven())
	}
	err = errors.Join(err, c.total.quiet())
	if c.total.broken() {
		err = errors.Join(errBroken, err)
	}
	return c.total, err
}

// build builds the server, with the seeded bug that was asked for, and says how the one
// whose clock can be set is built if a class asks for it.
func (c *campaign) build(ctx context.Context, dir string) (err error) {
	var flags []string
	if c.o.race {
		flags = process.RaceFlags
	}
	if c.o.bug != "" || c.o.prove {
		list, err := overlay.Write(filepath.Join(dir, "overlay"))
		if err != nil {
			return err
		}
		flags = append(flags, "-overlay", list)
	}
	c.skewed = sync.OnceValues(func() (string, error) {
		list, err := overlay.WriteWithClock(ctx, filepath.Join(dir, "clock"))
		if err != nil {
			return "", err
		}
		return process.Build(ctx, dir, "expenseflow-clock", "-overlay", list)
	})
	if c.binary = c.o.server; c.binary == "" {
		c.binary, err = process.Build(ctx, dir, "expenseflow", flags...)
	}
	return err
}

// lanes runs the schedules, each set-up's on clusters of their own.
func (c *campaign) lanes(ctx context.Context) error {
	var running sync.WaitGroup
	setups := c.o.setups()
	errs := make([]error, len(setups)*c.o.lanes)
	for i, on := range setups {
		jobs := make(chan job)
		running.Go(func() { c.feed(ctx, on, jobs) })
		for lane := range c.o.lanes {
			running.Go(func() { errs[i*c.o.lanes+lane] = c.lane(ctx, jobs) })
		}
	}
	running.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// feed hands out one schedule of each class, then the next of each.
func (c *campaign) feed(ctx context.Context, on setup, jobs chan<- job) {
	defer close(jobs)
	for i := range c.o.schedules {
		for _, cl := range c.o.classes() {
			if !cl.fits(on) || c.over(i, on, cl) || c.o.prove && c.o.bugOf(cl) == "" {
				continue
			}
			j := job{on: on, class: cl, seed: c.o.seed + uint64(i), devices: c.o.devices, stuck: c.o.stuck}
			j.span, j.bug = max(c.o.duration, cl.span), c.o.bugOf(cl)
			select {
			case jobs <- j:
			case <-ctx.Done():
				return
			}
		}
	}
}

// over reports whether there is no more time for a class's i-th schedule. Its first
// always has, and a few more if nothing has hit so far.
func (c *campaign) over(i int, on setup, cl class) bool {
	if c.o.limit == 0 || i == 0 || time.Since(c.began) < c.o.limit {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return i >= hitWithin || len(c.total.row(on.String(), cl.name).hits) > 0
}

// tooMany errors of the harness end a lane.
const tooMany = 10

// lane runs schedules in one cluster, which is left for a new one after a failure.
func (c *campaign) lane(ctx context.Context, jobs <-chan job) error {
	var h *cluster
	var errs []error
	for j := range jobs {
		if len(errs) > tooMany || c.o.prove && c.proven(j) {
			continue // nobody else may take what is left
		}
		var err error
		if h, err = c.inCluster(ctx, h, j); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", j.again(), err))
		}
	}
	if h != nil {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}

// proven reports whether the job's class has found its bug.
func (c *campaign) proven(j job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.total.row(j.on.String(), j.class.name)
	r.bug = j.bug
	return len(r.wrong) > 0
}

// inCluster runs one schedule in h, or a new cluster if it is nil, and gives the cluster
// for the next; nil if this one has seen something go wrong.
func (c *campaign) inCluster(ctx context.Context, h *cluster, j job) (*cluster, error) {
	var err error
	binary := c.binary
	if j.class.skewed {
		if binary, err = c.skewed(); err != nil {
			return nil, err
		}
	}
	if h != nil && (h.binary != binary || h.bug != j.bug) { // a class that needs another server
		if err := h.close(); err != nil {
			return nil, err
		}
		h = nil
	}
	if h == nil {
		if h, err = openCluster(ctx, binary, c.root, j); err != nil {
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
func (c *campaign) one(ctx context.Context, h *cluster, j job) (broken bool, err error) {
	o, hist, err := runSchedule(ctx, h, j)
	if err != nil && ctx.Err() != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.add(o)
	c.say("%-8s %-8s seed %d: %s", j.on, j.class.name, j.seed, o.line())
	switch {
	case len(o.wrong) == 0:
		return false, err
	case c.o.prove:
		c.say("  %s is found: %s", j.bug, o.wrong[0])
		return true, err
	}
	path, failed := hist.write(c.o.histories, o)
	c.say("  BROKEN, seed %d, history in %s\n  %s\n  again: %s", j.seed, path, strings.Join(o.wrong[:min(len(o.wrong), 8)], "\n  "),
		j.again())
	return true, errors.Join(err, failed)
}

func (c *campaign) say(format string, args ...any) {
	fmt.Fprintf(c.progress, "%6.0fs  "+format+"\n", append([]any{time.Since(c.began).Seconds()}, args...)...)
}
