package cluster

import "sync/atomic"

// Stats are counters of what a Cluster has done since it started, and of what is so now.
type Stats struct {
	Others      int64 // processes that live beside this one
	Unreachable int64 // of those
	Tunnels     int64 // open now, of which this process is not the owner

	Forwarded int64 // requests and tunnels that their owner answered
	Failed    int64 // that it did not
	Refused   int64 // that were over a bound
	Received  int64 // requests that other processes forwarded
	Forged    int64 // requests with a header of a forward that no process signed
}

type stats struct{ forwarded, failed, refused, received, forged atomic.Int64 }

// Stats returns the counters.
func (c *Cluster) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	s := &c.stats
	now := Stats{
		Forwarded: s.forwarded.Load(), Failed: s.failed.Load(), Refused: s.refused.Load(),
		Received: s.received.Load(), Forged: s.forged.Load(),
	}
	c.mu.Lock()
	now.Others = int64(len(c.peers))
	for _, p := range c.peers {
		if p.unreachable() {
			now.Unreachable++
		}
	}
	c.mu.Unlock()
	c.forward.mu.Lock()
	now.Tunnels = int64(len(c.forward.tunnels))
	c.forward.mu.Unlock()
	return now
}
