package sockets

import (
	"context"
	"sync"
)

// A taskGroup runs the background tasks of a Hub, so that the Hub can wait for them
// when it shuts down. Its methods may be called concurrently.
type taskGroup struct {
	ctx    context.Context // ends with stop
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

func newTaskGroup() *taskGroup {
	g := &taskGroup{}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// run runs task and waits for it. It does nothing after stop.
func (g *taskGroup) run(task func(context.Context)) {
	g.mu.Lock()
	if g.stopped {
		g.mu.Unlock()
		return
	}
	g.running.Add(1)
	g.mu.Unlock()
	defer g.running.Done()
	task(g.ctx)
}

// stop lets no further task begin, ends the context of those that run and waits for
// them.
func (g *taskGroup) stop() {
	g.mu.Lock()
	g.stopped = true
	g.mu.Unlock()
	g.cancel()
	g.running.Wait()
}
