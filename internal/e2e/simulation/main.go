// Command simulation plays devices, networks and processes against the code that
// keeps devices equal, and holds what comes of it against what was promised
// (GOALS, "Nothing lost, nothing twice").
//
//	go run ./internal/e2e/simulation -seeds 100000      a campaign
//	go run ./internal/e2e/simulation -seed 4711         one history, printed
//	go run ./internal/e2e/simulation -scope             the small scope, all of it
//
// What is real: the offline queue's reconcile, the ledger, the store with SQLite
// on a memory file system, changes.Tail, sockets.Trail, and wire's documents in
// both directions. What is played: the clock, the devices, the network between,
// the bounded queue of a connection, and the death of a process, after which
// nothing is left but the store.
//
// # One number, one history
//
// Everything that happens is chosen by one random source, and happens on one
// goroutine: a Tail is not run but stepped (changes.Tail.Step and Poll), so a seed
// gives the same history each time, which its hash shows. testing/synctest is not
// used, for it runs inside tests alone and leaves the order of goroutines to
// chance. Ids that the server makes up are written as the operations that made
// them.
//
// # What goes wrong
//
// A request is lost; its answer is; the network repeats it, at once or much later,
// and overtakes one with another; the store fails before a commit, for a moment or
// for good; a process dies before a commit, or between commit and wake; a
// connection is cut with events under way, is full, comes back to another process
// with the private session id and the offset of its page, or with those of another
// user; hints between processes are lost, and one process may get none; pages are
// loaded anew; clocks of devices are hours off.
//
// # What must hold
//
// At every moment a connection hears its user's log without gap or repetition, and
// nothing else, and every answer is the reference's, a few lines that apply each
// operation once in the order of commits. At the end, when the network is well,
// nothing is stuck: every queue becomes empty; the log has no gap, and its entries
// are the reference's; what was acknowledged is in it exactly once; every device
// equals the fold of the log equals SELECT; versions and moments grow; what is
// parked is what has to be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	seeds := flag.Int64("seeds", 1000, "how many seeds to play")
	from := flag.Int64("from", 1, "the first of them")
	seed := flag.Int64("seed", 0, "play this seed alone and print its history")
	scope := flag.Bool("scope", false, "play the small scope, every case of it")
	every := flag.Int("every", 1, "of the small scope, play one case of so many")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *seeds, *from, *seed, *scope, *every); err != nil {
		fmt.Fprintln(os.Stderr, "simulation:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, seeds, from, seed int64, scope bool, every int) error {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	switch {
	case seed != 0:
		h, err := l.play(ctx, seed)
		fmt.Printf("%s\nseed %d: history %s\n", h.text(), seed, h.hash())
		return err
	case scope:
		return l.wholeScope(ctx, every)
	}
	return l.campaign(ctx, from, seeds)
}

// campaign plays seeds one after the other until one fails.
func (l *lab) campaign(ctx context.Context, from, seeds int64) error {
	start := time.Now()
	for seed := from; seed < from+seeds && ctx.Err() == nil; seed++ {
		if h, err := l.play(context.WithoutCancel(ctx), seed); err != nil {
			return fmt.Errorf("%s\nseed %d: %w", h.text(), seed, err)
		}
		if done := seed - from + 1; done%5000 == 0 || done == seeds {
			fmt.Printf("%d seeds in %s\n", done, time.Since(start).Round(time.Second))
		}
	}
	fmt.Print(l.tally, l.outcomes)
	return ctx.Err()
}

// wholeScope plays the small scope and prints how much it was.
func (l *lab) wholeScope(ctx context.Context, every int) error {
	start := time.Now()
	n, err := l.smallScope(ctx, every)
	fmt.Printf("%d cases in %s\n%s", n, time.Since(start).Round(time.Second), l.outcomes)
	return err
}
