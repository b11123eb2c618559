package changes

import (
	"cmp"
	"maps"
	"slices"
	"sync/atomic"
)

// A Subscription is one listener's place in a user's log. Its methods may be
// called concurrently, also from inside deliver.
type Subscription struct {
	position      atomic.Int64
	resume, close func()
}

// Resume says that there is room again after deliver took fewer than all.
func (s *Subscription) Resume() { s.resume() }

// Close ends the subscription. A call of deliver that is under way may still be
// running when Close returns; no other follows it.
func (s *Subscription) Close() { s.close() }

// Position is the sequence of the last change that was taken.
func (s *Subscription) Position() int64 { return s.position.Load() }

type subscriber[E any] struct {
	Subscription
	deliver func([]Item[E]) int
	lost    func() // nil if nobody asks

	arrival int64 // in the feed's order of subscribing

	// under the tail's lock
	full    bool  // deliver took fewer than all and Resume has not been called
	resumes int   // how often Resume was called
	seen    int64 // news of the feed up to which this one is served
}

// A feed is one user's log as far as there are subscribers.
type feed[E any] struct {
	userID string

	// under the tail's lock
	subscribers     map[*subscriber[E]]bool
	arrivals        int64
	news            int64 // grows when the log may have grown
	queued, running bool
	stuck           int64 // position at which trouble was logged, plus one; 0 for none
}

// waiting are the subscribers that want to be served, those that are nearest to
// the head first, and of those the one that came first.
func (f *feed[E]) waiting() []*subscriber[E] {
	ready := slices.Collect(maps.Keys(f.subscribers))
	ready = slices.DeleteFunc(ready, func(s *subscriber[E]) bool { return s.full || s.seen >= f.news })
	slices.SortFunc(ready, func(a, b *subscriber[E]) int {
		return cmp.Or(cmp.Compare(b.Position(), a.Position()), cmp.Compare(a.arrival, b.arrival))
	})
	return ready
}

// samePosition cuts subscribers, in the order of waiting, into groups.
func samePosition[E any](subscribers []*subscriber[E]) (groups [][]*subscriber[E]) {
	for len(subscribers) > 0 {
		n := slices.IndexFunc(subscribers, func(s *subscriber[E]) bool { return s.Position() != subscribers[0].Position() })
		if n < 0 {
			n = len(subscribers)
		}
		groups = append(groups, subscribers[:n])
		subscribers = subscribers[n:]
	}
	return groups
}

// behind tells whether a subscriber that is not full misses something up to head.
func (f *feed[E]) behind(head int64) bool {
	for s := range f.subscribers {
		if !s.full && s.Position() < head {
			return true
		}
	}
	return false
}
