package app

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// drainStep is how often a drain closes those whose moment has come.
	drainStep = 50 * time.Millisecond
	// announceTimeout bounds how long a shutdown waits until the other processes know of it.
	announceTimeout = time.Second
)

// drain closes the sockets and tunnels, each at a random moment of DRAIN_SPREAD, if there
// is another process to which their clients can go. A client whose socket is closed comes
// back at once, so closing all of them together would have the other processes admit all
// of them together.
func (a *App) drain(ctx context.Context) {
	if a.cfg.DrainSpread == 0 || !a.cluster.Replaced() {
		return
	}
	closers := append(a.hub.Closers(), a.cluster.Tunnels()...)
	if len(closers) == 0 {
		return
	}
	a.log.InfoContext(ctx, "draining: the sockets are closed one by one, and their clients come back to other processes",
		slog.Int("sockets", len(closers)), slog.Duration("within", a.cfg.DrainSpread))
	closeOverTime(ctx, closers, a.cfg.DrainSpread, func() bool { return a.hub.Len() == 0 && a.cluster.Stats().Tunnels == 0 })
}

// closeOverTime calls each closer at a random moment within spread. It ends early when
// nothing is left, or ctx ends.
func closeOverTime(ctx context.Context, closers []func(), spread time.Duration, nothingLeft func() bool) {
	moments := make([]time.Duration, len(closers))
	for i := range moments {
		moments[i] = rand.N(spread)
	}
	slices.Sort(moments)
	rand.Shuffle(len(closers), func(i, j int) { closers[i], closers[j] = closers[j], closers[i] })
	began, tick := time.Now(), time.NewTicker(drainStep)
	defer tick.Stop()
	for i := 0; i < len(moments) && !nothingLeft(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for elapsed := time.Since(began); i < len(moments) && moments[i] <= elapsed; i++ {
			closers[i]()
		}
	}
}
