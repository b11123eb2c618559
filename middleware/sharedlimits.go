package middleware

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync"
	"time"
)

// SharedLimits has the Limiters of several processes count together: each tells what its
// busiest keys have used, and adds what the others tell. It is approximate. Other processes
// hear of a use within about a second, in an order of need, and only of keys that have used
// a twentieth of their limit; a message that is lost is not counted elsewhere; and windows
// begin where a process first hears of a key. So a key is never held back for what nobody
// used, and can use more than its limit: at worst, without any messages, its limit in each
// process. The methods may be called concurrently. A nil *SharedLimits shares nothing.
type SharedLimits struct {
	mu       sync.Mutex
	limiters map[string]*Limiter
}

// maxUses is how many Uses are told at once: about 4 KB of JSON.
const maxUses = 100

// toldFrom is the part of its limit that a key has used before others are told.
const toldFrom = 20 // a twentieth

// A Use is how much of a limit a key has used in one process since the last Use of it. The
// key is a hash: neither addresses nor accounts leave the process.
type Use struct {
	Limit string `json:"l"`
	Key   string `json:"k"`
	N     int    `json:"n"`
}

// NewSharedLimits returns SharedLimits without a Limiter.
func NewSharedLimits() *SharedLimits { return &SharedLimits{limiters: make(map[string]*Limiter)} }

// Share adds a Limiter, whose name is the same in every process, and returns it. Call it
// before the Limiter is used.
func (s *SharedLimits) Share(l *Limiter) *Limiter {
	if s == nil {
		return l
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.shared = &sharedLimiter{name: l.name, elsewhere: make(map[string]window), untold: make(map[string]int)}
	s.limiters[l.name] = l
	return l
}

// Collect returns what was used here since it was collected last, the greatest parts of
// limits first. What is left is collected later.
func (s *SharedLimits) Collect() []Use {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []collected
	for _, l := range s.limiters {
		all = l.collect(all, time.Now())
	}
	slices.SortFunc(all, func(a, b collected) int { return cmp.Compare(b.part, a.part) })
	all = all[:min(len(all), maxUses)]
	uses := make([]Use, len(all))
	for i, c := range all {
		uses[i] = c.from.told(c)
	}
	return uses
}

// Add counts what was used in another process.
func (s *SharedLimits) Add(uses []Use) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range uses {
		if l := s.limiters[u.Limit]; l != nil && u.N > 0 {
			l.add(u, time.Now())
		}
	}
}

// collected is what a key has used of the limit of from, n of it untold.
type collected struct {
	from *Limiter
	key  string
	n    int
	part float64
}

// A sharedLimiter is what a Limiter knows of other processes, and what they do not know of
// it. The caller of its methods must hold the Limiter's mu. A nil *sharedLimiter is that of
// a Limiter that is not shared.
type sharedLimiter struct {
	name      string
	elsewhere map[string]window // by hash of the key
	untold    map[string]int    // by key
}

// of returns the use of a key in other processes; a zero window if there is none.
func (s *sharedLimiter) of(key string, now time.Time) window {
	if s == nil || len(s.elsewhere) == 0 {
		return window{}
	}
	w := s.elsewhere[s.hash(key)]
	if !now.Before(w.ends) {
		return window{}
	}
	return w
}

func (s *sharedLimiter) used(key string, n int) {
	if s != nil {
		s.untold[key] += n
	}
}

// hash makes a name of a key of which nobody learns the key without guessing it.
func (s *sharedLimiter) hash(key string) string {
	sum := sha256.Sum256([]byte(s.name + "\x00" + key))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// collect appends what is to be told, and forgets what is over.
func (l *Limiter) collect(all []collected, now time.Time) []collected {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, n := range l.shared.untold {
		w := l.windows[key]
		if !now.Before(w.ends) {
			delete(l.shared.untold, key)
		} else if w.count*toldFrom >= l.n {
			all = append(all, collected{l, key, n, float64(n) / float64(l.n)})
		}
	}
	return all
}

// told returns the Use of what was collected, which is not untold any more.
func (l *Limiter) told(c collected) Use {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared.untold[c.key] -= c.n; l.shared.untold[c.key] <= 0 {
		delete(l.shared.untold, c.key)
	}
	return Use{l.shared.name, l.shared.hash(c.key), c.n}
}

func (l *Limiter) add(u Use, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.shared.elsewhere[u.Key]
	if !now.Before(w.ends) {
		w = window{ends: now.Add(l.per)}
	}
	w.count = min(w.count+u.N, l.n)
	storeWindow(l.shared.elsewhere, u.Key, w, now)
}
