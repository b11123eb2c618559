package changes

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// A Subscription is one subscriber's position in a user's log. Its methods may be called
// concurrently, also from within deliver.
type Subscription[E any] struct {
	feed    *feed[E]
	deliver func([]Item[E]) int
	lost    func() // nil if nobody asks

	position atomic.Int64

	// Guarded by the Tail's mu.
	served  int64 // generation of the feed up to which this subscriber was served
	atOnce  int   // how many changes the next page has at most
	resumes int32 // how often Resume was called
	full    bool  // deliver took fewer than all, and Resume was not called since
	ended   bool  // nothing more is delivered
}

// Resume says that there is room again after deliver took fewer changes than all.
func (s *Subscription[E]) Resume() { s.feed.tail.resume(s) }

// Close ends the subscription. A call of deliver that has begun may still run when Close
// returns; no other follows it.
func (s *Subscription[E]) Close() { s.feed.tail.unsubscribe(s) }

// Position returns the sequence of the last change that was taken.
func (s *Subscription[E]) Position() int64 { return s.position.Load() }

// A feed is the log of one user with its subscribers. It is guarded by the Tail's mu.
type feed[E any] struct {
	tail        *Tail[E]
	userID      string
	subscribers []*Subscription[E] // in the order in which they came
	generation  int64              // grows whenever the log may have grown
	failedAt    int64              // position at which an unreadable log was logged, plus one; 0 for none
	queued      bool               // waits for a worker
	shortened   bool               // the log ends before the position of a subscriber

	since time.Time // since when it waits to be read, also in vain; zero if it does not
}

// waiting returns the subscribers that are to be served: those nearest to the end of the
// log first, and of those the one that came first.
func (f *feed[E]) waiting() []*Subscription[E] {
	waiting := slices.Clone(f.subscribers)
	waiting = slices.DeleteFunc(waiting, func(s *Subscription[E]) bool { return s.full || s.served >= f.generation })
	slices.SortStableFunc(waiting, func(a, b *Subscription[E]) int { return cmp.Compare(b.Position(), a.Position()) })
	return waiting
}

// groupByPosition splits subscribers, which are sorted by position, into groups at the
// same position.
func groupByPosition[E any](subscribers []*Subscription[E]) (groups [][]*Subscription[E]) {
	for len(subscribers) > 0 {
		n := slices.IndexFunc(subscribers, func(s *Subscription[E]) bool { return s.Position() != subscribers[0].Position() })
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
	for _, s := range f.subscribers {
		position = max(position, s.Position())
	}
	return position
}

// behind reports whether a subscriber that is not full lacks a change up to head.
func (f *feed[E]) behind(head int64) bool {
	for _, s := range f.subscribers {
		if !s.full && s.Position() < head {
			return true
		}
	}
	return false
}
