// Command bench measures expenseflow beside the servers it wants to replace, on
// the same work, in one run.
//
//	go run ./internal/bench            the whole table (under 15 minutes)
//	go run ./internal/bench -quick     smaller counts, one round (under 4 minutes)
//	go run ./internal/bench -only echo,batch
//	go run ./internal/bench -only cluster      two processes on one database; -quick takes under 3 minutes
//	go run ./internal/bench -only metrics -rounds 10    what the metrics cost, in 4 minutes
//	go run ./internal/bench -only signedin -sockets 15000    what idle users cost, in 5 minutes
//	go run ./internal/bench -only crowd -sockets 200000 -processes 11    as many sockets as there are descriptors
//	go run ./internal/bench -plot docs/benchmarks.svg
//
// Each server runs alone, pinned to one core with GOMAXPROCS=1; the load
// generator has the other core. Rounds are interleaved: every peer is measured
// once before any is measured again, so that a slow minute of the machine hurts
// all alike. The table holds medians with least and greatest; a ratio is the
// median of ours over the median of Node's, of the same run. The last lines are
// for machines: "ratio <name> <value>" and "value <name> <value>".
//
// Needs taskset, Node with npm (dependencies are installed on the first run),
// and for the application's measurements a PostgreSQL server.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	only := flag.String("only", "", "comma-separated `works` to measure: "+strings.Join(workNames(), ", ")+" (empty: all)")
	servers := flag.String("servers", "", "comma-separated `servers` to measure (empty: all)")
	quick := flag.Bool("quick", false, "smaller counts and one round")
	rounds := flag.Int("rounds", 2, "how often each server is measured")
	plot := flag.String("plot", "", "`file` for a plot (SVG) of the ratios to Node")
	flag.Parse()

	if os.Getenv(crowdVariable) != "" {
		_ = runCrowdSockets(os.Stdin, os.Stdout) // until the bench that started it ends
		return
	}
	runtime.GOMAXPROCS(1)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{scale: 1, rounds: *rounds, only: list(*only), servers: list(*servers), plot: *plot}
	if *quick {
		b.scale, b.rounds = 0.25, 1
	}
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// A bench is one run.
type bench struct {
	scale         float64
	rounds        int
	only, servers []string
	plot          string

	figures table
	began   time.Time
}

func (b *bench) run(ctx context.Context) error {
	if err := pinSelf(); err != nil {
		return err
	}
	b.began = time.Now()
	h, err := prepare(ctx, b.needsDatabase(), chosen(b.only, "cluster"))
	if err != nil {
		return err
	}
	defer h.close()
	for round := range b.rounds {
		for _, w := range works {
			if !b.wants(w) || (w.once && round > 0) {
				continue
			}
			if err := b.measure(ctx, h, w, round); err != nil {
				return err
			}
		}
	}
	b.figures.print(os.Stdout)
	if b.plot == "" {
		return nil
	}
	return b.figures.writePlot(b.plot)
}

// wants tells whether a work is to be done.
func (b *bench) wants(w work) bool {
	return chosen(b.only, w.name) && (len(b.only) > 0 || !w.apart)
}

// chosen tells whether name is among those asked for; an empty list asks for all.
func chosen(list []string, name string) bool {
	return len(list) == 0 || slices.Contains(list, name)
}

// needsDatabase tells whether a server is to be measured that uses PostgreSQL.
func (b *bench) needsDatabase() bool {
	server := chosen(b.servers, oursPostgres) || chosen(b.servers, nodeApp)
	return slices.ContainsFunc(works, func(w work) bool {
		return ((w.application || w.signedIn) && server || w.pair != nil || w.crowd) && b.wants(w)
	})
}

// measure runs one work on every peer that does it.
func (b *bench) measure(ctx context.Context, h *harness, w work, round int) error {
	if w.inTurns != nil {
		return b.measureInTurns(ctx, h, w, round)
	}
	for _, p := range w.peers(h) {
		if !chosen(b.servers, p.name) {
			continue
		}
		b.progress("round %d of %d: %s, %s", round+1, b.rounds, w.name, p.name)
		r, err := b.once(ctx, h, w, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.progress("  failed: %v", err)
			b.figures.fail(w.name, p.name, err)
			continue
		}
		b.figures.add(p.name, round, r)
	}
	return nil
}

// measureInTurns runs one work on all its peers at the same time.
func (b *bench) measureInTurns(ctx context.Context, h *harness, w work, round int) error {
	b.progress("round %d of %d: %s", round+1, b.rounds, w.name)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	peers := w.peers(h)
	var started []*process
	for _, p := range peers {
		if err := h.make(ctx, p.build); err != nil {
			return err
		}
		proc, err := p.start(ctx)
		if err != nil {
			return err
		}
		defer proc.stop()
		started = append(started, proc)
	}
	results, err := w.inTurns(ctx, started, b.scale)
	if err != nil {
		return err
	}
	for i, p := range peers {
		b.figures.add(p.name, round, results[i])
	}
	return nil
}

func (b *bench) once(ctx context.Context, h *harness, w work, p peer) (result, error) {
	if err := h.make(ctx, p.build); err != nil {
		return nil, err
	}
	if w.crowd {
		return b.measureCrowd(ctx, h, p)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	proc, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer proc.stop()
	if w.pair == nil {
		return w.run(ctx, proc, b.scale)
	}
	other, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer other.stop()
	return w.pair(ctx, &pair{name: p.name, here: proc, there: other, harness: h}, b.scale)
}

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.0fs  "+format+"\n", append([]any{time.Since(b.began).Seconds()}, args...)...)
}
