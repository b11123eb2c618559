// Package hintstest is a network of hint buses in memory, for tests of what publishes and
// receives hints.
package hintstest

import (
	"context"
	"slices"
	"sync"

	"expenseflow/internal/hints"
)

// A Network connects buses. Every hint arrives once at each other bus that runs, in the
// order in which its sender published it, unless the network is cut. Its methods may be
// called concurrently.
type Network struct {
	mu    sync.Mutex
	buses []*Bus
	cut   bool
}

// Join adds the bus of a process.
func (n *Network) Join(process string) *Bus {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := &Bus{network: n, process: process, ready: make(chan struct{}, 1)}
	n.buses = append(n.buses, b)
	return b
}

// Cut loses all hints until Heal.
func (n *Network) Cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = true
}

// Heal delivers hints again, and tells everybody that they have missed some.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = false
	for _, b := range n.buses {
		b.push(arrival{missed: true})
	}
}

// A Bus is the bus of one process. It implements hints.Bus.
type Bus struct {
	network *Network
	process string
	ready   chan struct{} // has a token while something has arrived

	mu      sync.Mutex
	running bool
	arrived []arrival
}

type arrival struct {
	missed bool
	from   string
	hint   hints.Hint
}

// Publish implements hints.Bus.
func (b *Bus) Publish(h hints.Hint) {
	b.network.mu.Lock()
	defer b.network.mu.Unlock()
	if b.network.cut {
		return
	}
	for _, other := range b.network.buses {
		if other != b {
			other.push(arrival{from: b.process, hint: hints.Hint{Kind: h.Kind, Data: slices.Clone(h.Data)}})
		}
	}
}

// push adds an arrival, if the bus runs.
func (b *Bus) push(a arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running {
		return
	}
	b.arrived = append(b.arrived, a)
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// Run implements hints.Bus.
func (b *Bus) Run(ctx context.Context, received func(from string, h hints.Hint), missed func()) error {
	b.setRunning(true)
	defer b.setRunning(false)
	missed()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.ready:
		}
		for _, a := range b.takeAll() {
			if a.missed {
				missed()
			} else {
				received(a.from, a.hint)
			}
		}
	}
}

func (b *Bus) setRunning(is bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running, b.arrived = is, nil
}

func (b *Bus) takeAll() []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.arrived
	b.arrived = nil
	return all
}
