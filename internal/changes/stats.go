package changes

import "time"

// A wakeSource is by what the Tail learnt that a log has grown.
type wakeSource uint8

const (
	wokenByCommit wakeSource = iota // of this process
	wokenByHint                     // of another process
	wokenByPoll                     // which found what no hint had told
	wakeSources                     // how many there are
)

// Stats count since the Tail was made what it learnt of logs with subscribers, and say how far
// it is behind now.
type Stats struct {
	WokenByCommit, WokenByHint, WokenByPoll int64 // logs that have grown, by how that was noticed

	// Comparisons is how often all logs were compared, because the store could not tell
	// which had moved or because hints were missed, and Found in how many logs that found
	// changes that nothing else had told of.
	Comparisons, Found int64

	// Lag is for how long the log that has waited longest has waited to be read, or for how
	// long the store has not answered a poll that was due. It is 0 while all is well.
	Lag time.Duration
}

// Stats returns the counters.
func (t *Tail[E]) Stats() Stats {
	return Stats{
		WokenByCommit: t.wakes[wokenByCommit].Load(), WokenByHint: t.wakes[wokenByHint].Load(),
		WokenByPoll: t.wakes[wokenByPoll].Load(),
		Comparisons: t.comparisons.Load(), Found: t.found.Load(), Lag: t.lag(time.Now()),
	}
}

// lag looks at each feed that waits.
func (t *Tail[E]) lag(now time.Time) (lag time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.polled.IsZero() {
		lag = max(0, now.Sub(t.polled)-2*t.opts.Poll)
	}
	for _, f := range t.queue {
		lag = max(lag, now.Sub(f.since))
	}
	for f := range t.busy {
		lag = max(lag, now.Sub(f.since))
	}
	return lag
}
