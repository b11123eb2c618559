package changes

// Progress says how far a Tail has come with delivering.
type Progress struct {
	Logs   int // that are followed
	Queued int // logs that wait for a worker or have one
	Full   int // subscribers that have no room for their next change
}

// Progress counts logs and subscribers. It looks at each of them, so it is for an operator
// who asks, not for every second.
func (t *Tail[E]) Progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := Progress{Logs: len(t.feeds)}
	for _, f := range t.feeds {
		if f.queued || t.busy[f] {
			p.Queued++
		}
		for _, s := range f.subscribers {
			if s.full {
				p.Full++
			}
		}
	}
	return p
}
