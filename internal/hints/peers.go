package hints

import (
	"crypto/rand"
	"time"
)

const (
	// maxPeers bounds the processes that are known, and forgetAfter is when one that is
	// silent is forgotten.
	maxPeers    = 1024
	forgetAfter = 5 * time.Minute

	// livingFor is how long a process counts among Stats.Senders after it was heard.
	livingFor = 3 * helloInterval

	// askInterval is the least time between two challenges to one process.
	askInterval = time.Second
)

// A peer is another process.
type peer struct {
	last      uint64 // number
	trusted   bool   // it has answered the challenge
	skipped   bool   // hints of it were dropped or lost before it was trusted
	answered  bool   // this process has answered its challenge
	challenge string
	asked     time.Time // when the challenge was sent
	heard     time.Time
}

// peers are the processes that have been heard. They are used by one goroutine.
type peers map[identity]*peer

// of returns the peer of a sender, a new one if it has not been heard before; nil if there
// is no room.
func (ps peers) of(id identity, now time.Time) *peer {
	p := ps[id]
	if p == nil {
		if len(ps) >= maxPeers && !ps.evict(now) {
			return nil
		}
		p = &peer{challenge: rand.Text()}
		ps[id] = p
	}
	return p
}

// evict forgets the process that has been silent longest among those that are not trusted, or
// have ended, as commands soon do. It reports whether there was one.
func (ps peers) evict(now time.Time) bool {
	var oldest identity
	var found *peer
	for id, p := range ps {
		if (!p.trusted || now.Sub(p.heard) > livingFor) && (found == nil || p.heard.Before(found.heard)) {
			oldest, found = id, p
		}
	}
	delete(ps, oldest)
	return found != nil
}

// living forgets who has been silent for long, and returns how many trusted processes have
// been heard lately.
func (ps peers) living(now time.Time) (n int) {
	for id, p := range ps {
		switch silent := now.Sub(p.heard); {
		case silent > forgetAfter:
			delete(ps, id)
		case silent < livingFor && p.trusted:
			n++
		}
	}
	return n
}

// A sequel is how a frame follows the one before of its sender.
type sequel int

const (
	nextOne  sequel = iota
	afterGap        // frames are missing between them
	replayed        // it has been received before
)

// follow notes the number of a frame. The first that is heard of a process follows
// nothing.
func (p *peer) follow(number uint64, now time.Time) sequel {
	first, last := p.heard.IsZero(), p.last
	if !first && number <= last {
		return replayed
	}
	p.last, p.heard = number, now
	if first || number == last+1 {
		return nextOne
	}
	return afterGap
}

// askNow reports whether the challenge is to be sent now.
func (p *peer) askNow(now time.Time) bool {
	if p.trusted || now.Sub(p.asked) < askInterval {
		return false
	}
	p.asked = now
	return true
}
