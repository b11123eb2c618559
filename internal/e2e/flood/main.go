// Command flood attacks the program with one kind of excess at a time while other
// people use it, and says what they felt.
//
//	go run ./internal/e2e/flood                      every flood, three rounds of 60 s
//	go run ./internal/e2e/flood -only deep-pages,acks -seconds 20 -rounds 1
//	go run ./internal/e2e/flood -list
//
// Each round starts a fresh server with the default settings on an empty database.
// The others (see others.go) work from 127.0.0.1: first alone, then while a second
// process floods the server from 127.0.0.66. A row of the table tells
//
//   - the others' 99th percentile before and during the flood, for the kind of work
//     that suffered most, and their failed requests,
//   - how much memory the server grew by at its peak and how much of it is left
//     60 s after the flood, and its open descriptors at the peak,
//   - what the flood was told, most frequent first.
//
// A round breaks the promise, and the program ends with 1, if the median ratio of
// the percentiles exceeds 2 (sign-in: 3), if memory grows by more than 256 MiB or
// stays up, or if the server does not survive. All traffic stays on loopback.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"expenseflow/internal/e2e/process"
)

func main() {
	var c campaign
	binary, only := process.BinaryFlag(), process.OnlyFlag("floods")
	flag.DurationVar(&c.length, "length", time.Minute, "how long each half of a round lasts")
	flag.IntVar(&c.rounds, "rounds", 3, "rounds of each flood; the table holds medians")
	flag.StringVar(&c.database, "database", "", "DATABASE_URL of the server (empty: a fresh SQLite file each round)")
	list := flag.Bool("list", false, "list the floods")
	attack := flag.String("attack", "", "run one `flood` as the attacking process (used by flood itself)")
	target := flag.String("target", "", "`address` that -attack floods")
	process.Main(func(ctx context.Context) (err error) {
		if *list {
			listFloods()
			return nil
		}
		if *attack != "" {
			return runAttack(ctx, *attack, *target, c.length)
		}
		var remove func()
		if c.binary, remove, err = binary(ctx); err != nil {
			return err
		}
		defer remove()
		return c.run(ctx, only())
	})
}

func listFloods() {
	for _, f := range floods {
		fmt.Printf("%-22s %s\n", f.name, f.about)
	}
}

// A campaign is one run of the program.
type campaign struct {
	length           time.Duration
	rounds           int
	binary, database string
}

func (c *campaign) run(ctx context.Context, only []string) error {
	for _, name := range only {
		if _, ok := floodNamed(name); !ok {
			return fmt.Errorf("no flood is called %s: see -list", name)
		}
	}
	broken := 0
	fmt.Println(header)
	for _, f := range floods {
		if len(only) > 0 && !slices.Contains(only, f.name) {
			continue
		}
		row, err := c.measure(ctx, &f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Println(row)
		if row.broken() {
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d floods broke the promise", broken)
	}
	return nil
}

// measure runs a flood's rounds.
func (c *campaign) measure(ctx context.Context, f *flood) (*row, error) {
	r := &row{flood: f}
	for range c.rounds {
		one, err := c.round(ctx, f)
		if err != nil {
			return nil, err
		}
		r.rounds = append(r.rounds, *one)
		fmt.Fprintf(os.Stderr, "%s: %s\n", f.name, one)
	}
	return r, nil
}

// round is one server's life.
func (c *campaign) round(ctx context.Context, f *flood) (one *round, err error) {
	s, err := start(ctx, c.binary, c.database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	o, err := newOthers(ctx, s.Addr, f.probesSignIn)
	if err != nil {
		return nil, err
	}
	defer o.leave()
	if err := o.work(ctx, 3*time.Second); err != nil { // warm
		return nil, err
	}
	o.reset()
	if err := o.work(ctx, c.length); err != nil {
		return nil, err
	}
	one = &round{before: o.reset(), rssBefore: s.RSS()}
	if err := c.under(ctx, f, s, o, one); err != nil {
		return nil, err
	}
	return one, s.rest(ctx, one)
}

// under has the others work while the flood goes on.
func (c *campaign) under(ctx context.Context, f *flood, s *server, o *others, one *round) error {
	watch, unwatch := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() { defer close(watched); s.watch(watch, one) }()
	told := make(chan answers, 1)
	failed := make(chan error, 1)
	go func() {
		a, err := s.attack(ctx, f.name, c.length+f.preparation)
		told <- a
		failed <- err
	}()
	err := pause(ctx, f.preparation)
	o.reset()
	if err == nil {
		err = o.work(ctx, c.length)
	}
	one.during = o.reset()
	one.told = <-told
	unwatch()
	<-watched
	return errors.Join(err, <-failed)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
