// Command chaos drives real server processes with real clients while things
// break, and looks whether anything was lost, doubled or left apart.
//
//	go run ./internal/e2e/chaos                                  ten schedules of each fault on both databases
//	go run ./internal/e2e/chaos -schedules 240 -lanes 2          the campaign of docs/reliability.md
//	go run ./internal/e2e/chaos -fault kill -db sqlite -seed 7 -schedules 1
//	go run ./internal/e2e/chaos -processes 3 -redis              several processes behind a random balancer
//	go run ./internal/e2e/chaos -processes 2 -prove              each class with a bug that it has to find
//
// A schedule has two or three users with five to ten devices between them: npm's
// socket.io-client in Node processes, which does nothing but listen, and a client
// of this package's own. Devices create, change and delete, online and from
// offline queues as docs/contract.md#clients lists it, and meanwhile one class of faults, or
// all of them, hits the server, the database, the lines and the clients. Then the
// faults end, everybody comes back, and these must hold
// (docs/reliability.md):
//
//   - a user's log has no gap, and folds to what GET /api/expenses lists;
//   - an acknowledged operation is in it exactly once, one that was refused not at
//     all, and nothing is in it that nobody sent;
//   - a device heard every change at most once and in order, misses none while its
//     connections are recovered ones, and what it heard, with what it asked for
//     after a connection that was not, folds to the same;
//   - nobody heard of another user's change;
//   - with several processes, each device was told which devices of its user are there
//     within twelve seconds, and not of one that went while things broke;
//   - devices are equal soon after the last of them is connected again: later than
//     a second is counted, ten seconds after the faults is stuck.
//
// What breaks when, and who does what, comes from the seed. The machine's own
// timing does not, so a seed that failed may have to be run more than once. A
// failure names its seed and a file with the whole story. A class whose fault
// never hit fails the run: silence proves nothing.
//
// Needs Node, the modules of internal/e2e/npm (npm ci --prefix internal/e2e/npm)
// and, for -db postgres, a PostgreSQL server's programs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"expenseflow/internal/e2e/overlay"
)

// Options say what to run.
type options struct {
	seed      uint64        // of the first schedule; the next has the next
	schedules int           // of each class, on each database
	fault     string        // a class, or "all" of them
	db        string        // "sqlite", "postgres" or "both"
	processes int           // servers on one database, behind a balancer; 0 and 1 are one
	redis     bool          // several processes tell each other by Redis
	bug       string        // a seeded bug of package overlay that the servers have
	prove     bool          // the servers have the bug of each class, until it is found
	devices   int           // of a schedule; 0 leaves it to the seed
	duration  time.Duration // of a schedule's faults
	lanes     int           // servers beside each other, on each database
	limit     time.Duration // after it only what must be run begins; 0 is no limit
	histories string        // folder for what failed
	server    string        // binary to run; "" builds it
	race      bool          // build it with the race detector
	stuck     time.Duration // how long after the faults a device may be unequal
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t, err := run(ctx, o, os.Stderr)
	if o.prove {
		t.printProofs(os.Stdout)
	} else {
		t.print(os.Stdout)
	}
	if err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

const help = `Breaks real servers under real clients and looks whether anything was lost,
doubled or left apart. Exit code 1 if so, or if a fault never hit.

  go run ./internal/e2e/chaos                       ten schedules of each fault, both databases
  go run ./internal/e2e/chaos -schedules 240        the campaign; -lanes 2 if there are cores for it
  go run ./internal/e2e/chaos -fault kill -db sqlite -seed 7 -schedules 1
                                                    one schedule again, as a failure names it
  go run ./internal/e2e/chaos -processes 3 -redis   three processes on one PostgreSQL, each request to any
  go run ./internal/e2e/chaos -processes 2 -prove   each class on servers with a bug that it has to find

Faults:
`

func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(out)
	f.Uint64Var(&o.seed, "seed", 1+rand.Uint64N(1_000_000), "`seed` of the first schedule of each class; the next has the next")
	f.IntVar(&o.schedules, "schedules", 10, "schedules of each class on each database")
	f.StringVar(&o.fault, "fault", "all", "`class` of faults, or all of them")
	f.StringVar(&o.db, "db", "both", "sqlite, postgres or both")
	f.IntVar(&o.processes, "processes", 1, "processes on one PostgreSQL, behind a balancer that sends each request to any")
	f.BoolVar(&o.redis, "redis", false, "several processes tell each other by Redis, not by LISTEN and NOTIFY")
	f.StringVar(&o.bug, "bug", "", "`name` of a seeded bug that the servers are to have (internal/e2e/overlay); a -server has to be built with the overlay")
	f.BoolVar(&o.prove, "prove", false,
		"give the servers the seeded bug of each class, until a schedule finds it; exit code 1 if none does")
	f.IntVar(&o.devices, "devices", 0, "devices of a schedule (0: five to ten, as the seed says)")
	f.DurationVar(&o.duration, "duration", 1500*time.Millisecond, "how long a schedule's faults last")
	f.IntVar(&o.lanes, "lanes", 1, "servers beside each other on each database")
	f.DurationVar(&o.limit, "time", 0, "after this time begin only what must be run (0: no limit)")
	f.StringVar(&o.histories, "histories", os.TempDir(), "`folder` for the histories of what failed")
	f.StringVar(&o.server, "server", "", "`binary` to run instead of building the module's")
	f.BoolVar(&o.race, "race", false, "build the server with the race detector")
	f.DurationVar(&o.stuck, "stuck", 10*time.Second, "how long after the faults a device may be unequal")
	f.Usage = func() { usage(f) }
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.check(out)
}

func usage(f *flag.FlagSet) {
	fmt.Fprint(f.Output(), help)
	for _, c := range classes {
		fmt.Fprintf(f.Output(), "  %-14s %s\n", c.name, c.help)
	}
	fmt.Fprintln(f.Output(), "\nFlags:")
	f.PrintDefaults()
}

// check refuses what cannot be run, in one sentence.
func (o options) check(out io.Writer) error {
	var err error
	switch {
	case len(o.classes()) == 0:
		err = fmt.Errorf("-fault %s: want all or one of %s", o.fault, strings.Join(classNames(), ", "))
	case len(o.databases()) == 0:
		err = fmt.Errorf("-db %s: want sqlite, postgres or both", o.db)
	case o.redis && o.processes < 2:
		err = errors.New("-redis needs -processes above one")
	case len(o.setups()) == 0:
		err = errors.New("-processes above one needs postgres")
	case o.prove && o.bug != "":
		err = errors.New("-prove chooses the bugs: leave out -bug")
	case o.unfit() != "":
		err = errors.New(o.unfit())
	case o.schedules < 1 || o.lanes < 1 || o.devices < 0 || o.duration <= 0 || o.stuck <= 0:
		err = errors.New("-schedules, -lanes, -duration and -stuck must be above zero, -devices not below")
	}
	if err != nil {
		fmt.Fprintln(out, "chaos:", err)
	}
	return err
}

// The databases of a run.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

func (o options) databases() []string {
	return slices.DeleteFunc([]string{sqlite, postgres}, func(db string) bool { return o.db != "both" && o.db != db })
}

// classes are those to run; a class's own name runs it alone.
func (o options) classes() []class {
	return slices.DeleteFunc(slices.Clone(classes), func(c class) bool { return o.fault != "all" && o.fault != c.name })
}

// bugOf returns the seeded bug that the servers of a class have; "" is none.
func (o options) bugOf(c class) string {
	if o.prove {
		return overlay.OfClass(c.name)
	}
	return o.bug
}
