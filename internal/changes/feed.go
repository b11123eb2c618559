package changes

import (
	"cmp"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// A Subscription is one subscriber's position in a user's log. Its methods may be called
// concurrently, also from within deliver.
type Subscription struct {
	position      atomic.Int64
	resume, close func()
}

// Resume says that there is room again after deliver took fewer changes than all.
func (s *Subscription) Resume() { s.resume() }

// Close ends the subscription. A call of deliver that has begun may still run when Close
// returns; no other follows it.
func (s *Subscription) Close() { s.close() }

// Position returns the sequence of the last change that was taken.
func (s *Subscription) Position() int64 { return s.position.Load() }

// A subscriber is a Subscription with the functions that serve it.
type subscriber[E any] struct {
	Subscription
	deliver func([]Item[E]) int
	lost    func() // nil if nobody asks

	arrival int64 // in the order in which the feed's subscribers came

	// Guarded by the Tail's mu.
	full    bool  // deliver took fewer than all, and Resume was not called since
	resumes int   // how often Resume was called
	served  int64 // generation of the feed up to which this subscriber was served
	atOnce  int   // how many changes the next page has at most
}

// A feed is the log of one user with its subscribers. It is guarded by the Tail's mu.
type feed[E any] struct {
	userID      string
	subscribers map[*subscriber[E]]bool
	arrivals    int64 // subscribers so far
	generation  int64 // grows whenever the log may have grown
	queued      bool  // waits for a worker
	failedAt    int64 // position at which an unreadable log was logged, plus one; 0 for none
	shortened   bool  // the log ends before the position of a subscriber

	since time.Time // since when it waits to be read, also in vain; zero if it does not
}

// waiting returns the subscribers that are to be served: those nearest to the end of the
// log first, and of those the one that came first.
func (f *feed[E]) waiting() []*subscriber[E] {
	waiting := slices.Collect(maps.Keys(f.subscribers))
	waiting = slices.DeleteFunc(waiting, func(s *subscriber[E]) bool { return s.full || s.served >= f.generation })
	slices.SortFunc(waiting, func(a, b *subscriber[E]) int {
		return cmp.Or(cmp.Compare(b.Position(), a.Position()), cmp.Compare(a.arrival, b.arrival))
	})
	return waiting
}

// groupByPosition splits subscribers, which are sorted by position, into groups at the
// same position.
func groupByPosition[E any](subscribers []*subscriber[E]) (groups [][]*subscriber[E]) {
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

// furthest returns the position of the subscriber that is nearest to the end of the log.
func (f *feed[E]) furthest() (position int64) {
	for s := range f.subscribers {
		position = max(position, s.Position())
	}
	return position
}

// behind reports whether a subscriber that is not full lacks a change up to head.
func (f *feed[E]) behind(head int64) bool {
	for s := range f.subscribers {
		if !s.full && s.Position() < head {
			return true
		}
	}
	return false
}
