package hints

import "sync/atomic"

// A dropReason says why a hint was dropped.
type dropReason int

const (
	notDropped     dropReason = iota
	droppedInvalid            // to be sent: too large, or no JSON
	droppedFull               // to be sent: too much waited
	droppedUnsent             // to be sent: there was no connection, or it broke
	droppedGarbage            // received: no hint at all
	droppedForged             // received: not signed by this installation
	droppedReplay             // received: has been received before
	droppedUnknown            // received: its sender has not answered a challenge yet
	dropReasons               // how many there are
)

// DropReasons are the keys of Stats.Dropped.
var DropReasons = []string{"invalid", "queue_full", "unsent", "garbage", "forged", "replayed", "unknown_sender"}

// Stats count hints since the start of the process.
type Stats struct {
	Sent, Received int64            // hints, without words of the protocol
	Gaps           int64            // how often a number of a sender was missing
	Dropped        map[string]int64 // by reason
	Senders        int              // other processes that were heard lately
	Up             bool             // whether this process hears its own messages
}

// counters are what Stats are made of.
type counters struct {
	sent, received, gaps atomic.Int64
	dropped              [dropReasons]atomic.Int64
}

func (c *counters) drop(why dropReason, n int) {
	if why != notDropped {
		c.dropped[why].Add(int64(n))
	}
}

func (c *counters) stats() Stats {
	s := Stats{Sent: c.sent.Load(), Received: c.received.Load(), Gaps: c.gaps.Load(), Dropped: map[string]int64{}}
	for i, name := range DropReasons {
		s.Dropped[name] = c.dropped[i+1].Load()
	}
	return s
}
