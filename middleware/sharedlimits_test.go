package middleware

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// sharing makes SharedLimits with one Limiter.
func sharing(n int, per time.Duration) (*SharedLimits, *Limiter) {
	s := NewSharedLimits()
	return s, s.Share(NewLimiter("tries", n, per))
}

func TestWhatWasUsedElsewhereCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, inA := sharing(10, time.Minute)
		b, inB := sharing(10, time.Minute)
		for range 7 {
			inA.Take("bob@example.org")
		}
		time.Sleep(time.Second)
		told := a.Collect()
		if text, _ := json.Marshal(told); strings.Contains(string(text), "bob") {
			t.Errorf("the key is told: %s", text)
		}
		b.Add(told)
		for range 3 {
			if _, ok := inB.Take("bob@example.org"); !ok {
				t.Error("refused before the limit")
			}
		}
		if _, ok := inB.Peek("bob@example.org"); ok {
			t.Error("allowed beyond the limit of all processes")
		}
		if _, ok := inB.Take("another"); !ok {
			t.Error("another key is refused")
		}
		if again := a.Collect(); len(again) != 0 {
			t.Errorf("told twice: %v", again)
		}
		time.Sleep(time.Minute)
		if _, ok := inB.Take("bob@example.org"); !ok {
			t.Error("refused after the window")
		}
	})
}

// A key that was used in other processes alone waits until its window there ends.
func TestAKeyThatIsFullElsewhereIsToldHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, inA := sharing(5, time.Minute)
		b, inB := sharing(5, time.Minute)
		for range 5 {
			inA.Take("key")
		}
		b.Add(a.Collect())
		time.Sleep(20 * time.Second)
		if wait, ok := inB.Take("key"); ok || wait != 40*time.Second {
			t.Errorf("wait %v, %v", wait, ok)
		}
	})
}

func TestTheNeediestKeysAreToldFirst(t *testing.T) {
	s := NewSharedLimits()
	wide, narrow := s.Share(NewLimiter("wide", 10_000, time.Minute)), s.Share(NewLimiter("narrow", 20, time.Minute))
	for i := range 2 * maxUses {
		key := fmt.Sprint(i)
		for range 500 + i {
			wide.Take(key)
		}
	}
	wide.Take("idle") // has not used a twentieth
	for range 2 {
		narrow.Take("guess")
	}
	seen, keys := 0, map[string]bool{}
	for round := range 4 {
		told := s.Collect()
		if round == 0 && told[0].Limit != "narrow" {
			t.Errorf("told first: %v", told[0])
		}
		for _, u := range told {
			keys[u.Limit+u.Key] = true
		}
		seen += len(told)
	}
	if seen != 2*maxUses+1 || len(keys) != seen {
		t.Errorf("%d uses of %d keys were told", seen, len(keys))
	}
}

func TestWhatIsToldOfLimitsIsBounded(t *testing.T) {
	s, l := sharing(1, time.Minute)
	other, inOther := sharing(1, time.Minute)
	for i := range maxWindows + 5000 {
		l.Take(fmt.Sprint(i))
	}
	for range 5 {
		uses := s.Collect()
		if text, _ := json.Marshal(uses); len(text) > 7000 {
			t.Errorf("%d bytes of hint", len(text))
		}
		other.Add(uses)
	}
	if n := len(inOther.shared.elsewhere); n > maxWindows {
		t.Errorf("%d keys are kept", n)
	}
	other.Add([]Use{{"tries", "x", -5}, {"unknown", "x", 1}, {"tries", "y", 1 << 60}, {"tries", "y", 1 << 60}})
	if w := inOther.shared.elsewhere["y"]; w.count != 1 {
		t.Errorf("counted %d", w.count)
	}
}

// However processes use a key and tell each other, none is refused before the limit was
// used, and in the end, with everything told, none is allowed after it was.
func TestSharedLimitsAreNeverStricterThanOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const n = 40
		processes := rapid.IntRange(1, 3).Draw(rt, "processes")
		var shared []*SharedLimits
		var limiters []*Limiter
		for range processes {
			s, l := sharing(n, time.Hour)
			shared, limiters = append(shared, s), append(limiters, l)
		}
		tell := func(from int) {
			uses := shared[from].Collect()
			for to := range shared {
				if to != from {
					shared[to].Add(uses)
				}
			}
		}
		used := 0
		for range rapid.IntRange(0, 150).Draw(rt, "steps") {
			i := rapid.IntRange(0, processes-1).Draw(rt, "process")
			if rapid.IntRange(0, 4).Draw(rt, "tell") == 0 {
				tell(i)
			} else if _, ok := limiters[i].Take("key"); ok {
				used++
			} else if used < n {
				rt.Fatalf("refused after %d of %d", used, n)
			}
		}
		for i := range shared {
			tell(i)
			tell(i)
		}
		for _, l := range limiters {
			if _, ok := l.Peek("key"); ok && used >= n+n/toldFrom*processes {
				rt.Fatalf("allowed after %d of %d", used, n)
			}
		}
	})
}
