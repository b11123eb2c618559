package fair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

func TestAHundredPeopleOfOneAddressAreNotHeldBackWhileThereIsRoom(t *testing.T) {
	p := New(Options{Capacity: 200})
	for i := range 100 {
		if !p.Try("proxy", 1) {
			t.Fatalf("person %d was refused", i)
		}
	}
	if p.Try("proxy", 1) {
		t.Error("one address took more than half")
	}
}

func TestOneAddressCannotKeepOthersOut(t *testing.T) {
	p := New(Options{Capacity: 64})
	for p.Try("greedy", 1) {
	}
	for i := range 10 {
		key := fmt.Sprint("other ", i)
		for range 2 {
			if !p.Try(key, 1) {
				t.Errorf("%s was refused", key)
			}
		}
	}
	if p.Try("greedy", 1) {
		t.Error("the greedy one took more meanwhile")
	}
}

func TestPerKeyHoldsEvenWhileThereIsRoom(t *testing.T) {
	p := New(Options{Capacity: 100, PerKey: 2})
	if !p.Try("a", 2) || p.Try("a", 1) || !p.Try("b", 1) {
		t.Error("want two for a, and room for b")
	}
	if err := p.Acquire(t.Context(), "c", 3); !errors.Is(err, ErrFull) {
		t.Errorf("more than it could ever get: %v", err)
	}
}

// waiters starts n calls of Acquire and appends key to served when one is granted.
func waiters(t *testing.T, p *Pool, key string, n int, served *[]string, mu *sync.Mutex) {
	for range n {
		go func() {
			if err := p.Acquire(t.Context(), key, 1); err != nil {
				return
			}
			mu.Lock()
			*served = append(*served, key)
			mu.Unlock()
		}()
		synctest.Wait()
	}
}

func TestWaitersAreServedInTurnsOfTheirKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Capacity: 1, Waiting: 100})
		p.Try("first", 1)
		var mu sync.Mutex
		var served []string
		waiters(t, p, "greedy", 20, &served, &mu)
		waiters(t, p, "victim", 2, &served, &mu)
		for last := "first"; len(served) < 22; last = served[len(served)-1] {
			p.Release(last, 1)
			synctest.Wait()
		}
		if want := []string{"greedy", "victim", "greedy", "victim", "greedy"}; !slices.Equal(served[:5], want) {
			t.Errorf("served %v, want %v first", served[:5], want)
		}
	})
}

func TestPlacesToWaitAreSharedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := New(Options{Capacity: 1, Waiting: 10})
		p.Try("first", 1)
		results := make(chan error, 30)
		for range 20 {
			go func() { results <- p.Acquire(ctx, "greedy", 1) }()
		}
		synctest.Wait()
		if len(results) != 15 {
			t.Errorf("%d of 20 were refused, want 15", len(results))
		}
		go func() { results <- p.Acquire(ctx, "victim", 1) }()
		synctest.Wait()
		if len(results) != 15 {
			t.Error("the victim found no place")
		}
		cancel()
		synctest.Wait()
		if mine, all := p.Use("first"); mine != 1 || all != 1 || len(p.order) != 0 {
			t.Errorf("left behind: %d, %d, %v", mine, all, p.order)
		}
	})
}

func TestALargeRequestIsNotStarvedBySmallOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Capacity: 10, Waiting: 10})
		p.Try("a", 5)
		p.Try("b", 3)
		got := make(chan string, 2)
		go func() { _ = p.Acquire(t.Context(), "large", 8); got <- "large" }()
		synctest.Wait()
		go func() { _ = p.Acquire(t.Context(), "small", 1); got <- "small" }()
		synctest.Wait()
		if len(got) != 0 || p.Try("c", 1) {
			t.Error("somebody overtook the large one")
		}
		p.Release("a", 5)
		p.Release("b", 3)
		if first := <-got; first != "large" && first != "small" {
			t.Error(first)
		}
		<-got
	})
}

// Whatever is taken and given back, neither bound is ever passed, and what nobody
// holds can be had.
func TestNoBoundIsEverPassed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.Int64Range(1, 50).Draw(t, "capacity")
		p := New(Options{Capacity: capacity, PerKey: rapid.Int64Range(0, 60).Draw(t, "per key")})
		held := map[string]int64{}
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			key := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key")
			if n := rapid.Int64Range(1, 10).Draw(t, "n"); p.Try(key, n) {
				held[key] += n
			} else if held[key] > 0 {
				p.Release(key, held[key])
				held[key] = 0
			}
			if mine, all := p.Use(key); mine != held[key] || all > capacity || mine > p.perKey {
				t.Fatalf("%s holds %d (want %d) of %d", key, mine, held[key], all)
			}
		}
		for key, n := range held {
			p.Release(key, n)
		}
		if !p.Try("newcomer", p.perKey) {
			t.Fatal("all was given back and yet not to be had")
		}
	})
}
