// Command roll restarts every process of a cluster, one after the other, under thousands
// of sockets, and tells what their users notice.
//
//	go run ./internal/e2e/roll -sockets 10000 -spread 30s -plot roll.svg
//	go run ./internal/e2e/roll -quick                       1,000 sockets, two seconds of spread
//
// Servers run on one PostgreSQL of the program's own (and on Redis with -redis). Each
// socket belongs to one of some hundred users, follows that user's log, and comes back as
// npm's client does: after a second or so, at a process that is ready, with the position
// that it has. Meanwhile changes are made, and other users, without sockets, list and
// create. A row per quarter second goes to -csv; the table at the end says how many
// sockets came back how fast, the 99th percentile of the others' requests before the
// roll and during it, and how many events were missed or doubled, which has to be none:
// exit code 1 if there was one.
//
// All traffic stays on loopback. Clients and servers share the machine, so the figures
// are for comparison; nothing else may run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"expenseflow/internal/e2e/process"
)

// options say what to run.
type options struct {
	sockets, users, processes int
	redis                     bool
	spread                    time.Duration // DRAIN_SPREAD
	before                    time.Duration // watched before the roll, and after each process
	changes, requests         float64       // a second
	csv, plot                 string
}

func main() {
	var o options
	binary := process.BinaryFlag()
	flag.IntVar(&o.sockets, "sockets", 10_000, "sockets that are connected")
	flag.IntVar(&o.users, "users", 200, "users that they belong to")
	flag.IntVar(&o.processes, "processes", 3, "processes that serve them")
	flag.BoolVar(&o.redis, "redis", false, "processes tell each other by Redis, not by LISTEN and NOTIFY")
	flag.DurationVar(&o.spread, "spread", 30*time.Second, "DRAIN_SPREAD of the processes")
	flag.DurationVar(&o.before, "before", 15*time.Second, "how long is watched before the roll and after each process")
	flag.Float64Var(&o.changes, "changes", 10, "changes a second, by users who have sockets")
	flag.Float64Var(&o.requests, "requests", 20, "requests a second of others")
	flag.StringVar(&o.csv, "csv", "", "`file` for a row per quarter second")
	flag.StringVar(&o.plot, "plot", "", "`file` for a plot (SVG)")
	quick := flag.Bool("quick", false, "1,000 sockets, two processes, two seconds of spread")
	process.Main(func(ctx context.Context) error {
		if *quick {
			o.sockets, o.users, o.processes, o.spread, o.before = 1000, 50, 2, 2*time.Second, 4*time.Second
		}
		path, remove, err := binary(ctx)
		if err != nil {
			return err
		}
		defer remove()
		return run(ctx, o, path)
	})
}

var errMissed = errors.New("events were missed or doubled")

func run(ctx context.Context, o options, binary string) error {
	c, err := openCluster(ctx, o, binary)
	if err != nil {
		return err
	}
	defer c.close()
	w, err := newWorld(ctx, o, c)
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.connectAll(ctx); err != nil {
		return err
	}
	say("%d sockets are connected", o.sockets)
	w.begin(ctx)
	if err := w.roll(ctx); err != nil {
		return err
	}
	report, err := w.end(ctx)
	if err != nil {
		return err
	}
	report.print(os.Stdout)
	if err := report.write(o); err != nil {
		return err
	}
	if report.missed+report.doubled > 0 {
		return errMissed
	}
	return nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
