package reconcile

import (
	"context"
	"sync"

	"expenseflow/models"
)

var errInFlight = &models.Error{Kind: models.Conflict, Msg: "Sync already in progress", Code: "SYNC_IN_PROGRESS"}

// Lanes let the batches of one user pass one after the other, in order of
// arrival as far as the scheduler keeps it (docs/contract.md#results). They spare the
// database, and tell what is under way; that nothing is applied twice is the
// business of keys and of the user's row lock, in this process and in others.
type lanes struct {
	mu   sync.Mutex
	open map[string]*lane
}

// A lane is one user's; it exists while somebody is in it.
type lane struct {
	free   chan struct{}  // holds one token while nobody passes
	people int            // who passes or waits
	keys   map[string]int // of the operations of all of them
}

func newLanes() *lanes { return &lanes{open: map[string]*lane{}} }

func keysOf(items []*item) []string {
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.key
	}
	return keys
}

// enter waits until the lane is free; leave makes it so. With refuse it does
// not wait behind others if they bring every operation of keys already: the
// browser keeps its queue then and no answer is lost on it (docs/contract.md#d13). The
// other error is models.Unavailable, when ctx ends first.
func (ls *lanes) enter(ctx context.Context, name string, keys []string, refuse bool) (leave func(), err error) {
	l, known := ls.join(name, keys, refuse)
	if known {
		return nil, errInFlight
	}
	select {
	case <-l.free:
		return func() {
			l.free <- struct{}{}
			ls.part(name, l, keys)
		}, nil
	case <-ctx.Done():
		ls.part(name, l, keys)
		return nil, left(ctx)
	}
}

// join counts the caller into the lane, or tells that there is nothing new in
// keys.
func (ls *lanes) join(name string, keys []string, refuse bool) (l *lane, known bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l = ls.open[name]
	if l == nil {
		l = &lane{free: make(chan struct{}, 1), keys: map[string]int{}}
		l.free <- struct{}{}
		ls.open[name] = l
	}
	if refuse && l.people > 0 && l.brings(keys) {
		return nil, true
	}
	l.people++
	for _, k := range keys {
		l.keys[k]++
	}
	return l, false
}

// brings tells whether all of keys are under way. An operation without a key
// is always new.
func (l *lane) brings(keys []string) bool {
	for _, k := range keys {
		if k == "" || l.keys[k] == 0 {
			return false
		}
	}
	return true
}

// part counts the caller out and closes a lane that is empty.
func (ls *lanes) part(name string, l *lane, keys []string) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, k := range keys {
		if l.keys[k]--; l.keys[k] == 0 {
			delete(l.keys, k)
		}
	}
	if l.people--; l.people == 0 {
		delete(ls.open, name)
	}
}
