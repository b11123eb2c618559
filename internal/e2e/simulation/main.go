// Command simulation plays devices, networks and processes against the code that
// keeps devices equal, and holds what comes of it against what was promised
// (docs/reliability.md).
//
//	go run ./internal/e2e/simulation -seeds 100000      a campaign
//	go run ./internal/e2e/simulation -seed 4711         one history, printed
//	go run ./internal/e2e/simulation -scope             the small scope, all of it
//	go run ./internal/e2e/simulation -case 4711         one case of it, printed
//
// What is real: the offline queue's reconcile, the ledger, the store with SQLite
// on a memory file system, changes.Tail, sockets.Recoverer, and wire's documents in
// both directions. What is played: the clock, the devices, the network between,
// the bounded queue of a connection, and the death of a process, after which
// nothing is left but the store.
//
// # One number, one history
//
// Everything that happens is chosen by one random source, and happens on one
// goroutine, however many histories are played beside each other: a Tail is not run
// but stepped (Step and Poll of changes.Tail, which the program built with package
// overlay has, as this one builds itself), so a seed gives the same history each
// time, which its hash shows. testing/synctest is not used, for it runs inside tests
// alone and leaves the order of goroutines to chance. Ids that the server makes up
// are written as the changes that made them.
//
// # What goes wrong
//
// A request is lost; its answer is; the network repeats it, at once or much later,
// and overtakes one with another; the store fails before a commit, for a moment or
// for good; an operation that no rule forbids is refused when its expense is written
// and its log entry is not; people do the same thing twice, alike down to the
// millisecond, on one device or on two; a process dies before a commit, or between
// commit and wake; a connection is cut with events under way, is full, comes back to
// another process with the private session id and the offset of its page, or with
// those of another user; hints between processes are lost, and one process may get
// none; pages are loaded anew; another user signs in at a device whose queue is not
// empty; logs are cut off behind devices that have not read them; clocks of devices
// are hours off.
//
// # What must hold
//
// At every moment a connection hears its user's log without gap or repetition, and
// nothing else, and every answer is the reference's, which applies each operation
// once, in the order of commits, the obvious way. At the end, when the network is well,
// nothing is stuck: every queue becomes empty; the log has no gap, and its entries
// are the reference's; what was acknowledged is in it exactly once; every device
// equals the fold of the log equals SELECT; versions and moments grow; what is
// parked is what has to be.
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"expenseflow/internal/e2e/overlay"
)

// settings are what the command was told.
type settings struct {
	seeds, from, seed int64
	scope             bool
	every, one        int
}

func main() {
	if !overlay.Applied {
		os.Exit(overlay.Rerun(false, "build", "expenseflow/internal/e2e/simulation"))
	}
	var s settings
	flag.Int64Var(&s.seeds, "seeds", 1000, "how many seeds to play")
	flag.Int64Var(&s.from, "from", 1, "the first of them")
	flag.Int64Var(&s.seed, "seed", 0, "play this seed alone and print its history")
	flag.BoolVar(&s.scope, "scope", false, "play the small scope, every case of it")
	flag.IntVar(&s.every, "every", 1, "of the small scope, play one case of so many")
	flag.IntVar(&s.one, "case", 0, "play this case of the small scope alone and print its history")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	debug.SetGCPercent(400) // there is little to keep and much to throw away
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "simulation:", err)
		os.Exit(1)
	}
}

func (s *settings) run(ctx context.Context) error {
	c, jobs := newCampaign("seeds", s.seeds, os.Stderr), seedJobs(s.from, s.seeds)
	switch {
	case s.seed != 0:
		return alone(ctx, func(l *harness) (*history, error) { return l.play(ctx, s.seed) })
	case s.one != 0:
		return alone(ctx, func(l *harness) (*history, error) { return l.perform(ctx, s.one, caseOf(s.one)) })
	case s.scope:
		c, jobs = newCampaign("cases", int64(numberOfCases()/s.every), os.Stderr), caseJobs(s.every)
	}
	err := c.run(ctx, jobs)
	fmt.Print(c)
	return err
}

// alone plays one history and prints it.
func alone(ctx context.Context, play func(*harness) (*history, error)) error {
	l, err := newHarness(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	h, err := play(l)
	fmt.Printf("%s\nhistory %s\n", h.text(), h.hash())
	return err
}

// seedJobs are those of a campaign.
func seedJobs(from, n int64) iter.Seq[job] {
	return func(yield func(job) bool) {
		for seed := from; seed < from+n; seed++ {
			play := func(ctx context.Context, l *harness) error {
				h, err := l.play(ctx, seed)
				return h.failed("seed", seed, err)
			}
			if !yield(play) {
				return
			}
		}
	}
}

// caseJobs are those of the small scope.
func caseJobs(every int) iter.Seq[job] {
	return func(yield func(job) bool) {
		for n, s := range smallScope(every) {
			play := func(ctx context.Context, l *harness) error {
				h, err := l.perform(ctx, n, s)
				return h.failed("case", int64(n), err)
			}
			if !yield(play) {
				return
			}
		}
	}
}
