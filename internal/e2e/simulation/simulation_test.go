package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"expenseflow/internal/e2e/overlay"
	"expenseflow/internal/testneed"
)

func TestMain(m *testing.M) {
	if !overlay.Applied {
		os.Exit(overlay.Rerun(testneed.Race, "test", "-c", "expenseflow/internal/e2e/simulation"))
	}
	goleak.VerifyTestMain(m)
}

// How much is played in a test; the campaign's numbers are in docs/reliability.md.
const (
	seeds = 1200 // the rarest seeded bug shows at the 262nd
	every = 467  // cases of the small scope
)

// share is what the race detector, or somebody in a hurry, leaves of that.
func share(n int) int {
	if hurry() {
		return n / 4
	}
	return n
}

func hurry() bool { return testneed.Race || testing.Short() }

func open(t *testing.T) *harness {
	t.Helper()
	l, err := newHarness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestWhateverHappensDevicesEndUpEqual(t *testing.T) {
	t.Parallel()
	l := open(t)
	for seed := range int64(share(seeds)) {
		h, err := l.play(t.Context(), seed+1)
		if err := h.failed("seed", seed+1, err); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d seeds\n%s", share(seeds), l.tally)
	for _, what := range []string{
		"accounts changed", "answers lost", "batches that overtook another", "catch-ups asked for", "claims of another user",
		"connections begun",
		"connections cut", "connections full", "connections recovered",
		"connections that fell behind their logs", "events", "hints", "look-alikes that are one",
		"logs cut off", "look-alikes that are two", "operations of another account parked", "operations replayed",
		"operations undone that had written", "polls",
		"processes that died", "processes that died in a request", "refusals overtaken", "requests lost", "requests repeated",
		"snapshots",
	} {
		if l.tally[what] == 0 && !hurry() {
			t.Errorf("so quiet a play proves nothing: no %s", what)
		}
	}
}

func TestASeedIsOneHistory(t *testing.T) {
	t.Parallel()
	l, other := open(t), open(t)
	for seed := range int64(share(20)) {
		if _, err := other.play(t.Context(), 1000+seed); err != nil { // so that the databases differ
			t.Fatal(err)
		}
		first, err := l.play(t.Context(), seed+1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := other.play(t.Context(), seed+1)
		if err != nil || first.hash() != second.hash() {
			t.Fatalf("seed %d, %v:\n%s\nand then:\n%s", seed+1, err, first.text(), second.text())
		}
	}
}

// outcomes are all that an operation can come to, at any door, the first time and
// again: the branches of applying and merging.
var outcomes = []string{
	"batch CREATE created", "batch CREATE created, again", "batch CREATE duplicate", "batch CREATE duplicate, again",
	"batch CREATE parked", "batch CREATE parked, again",
	"batch UPDATE updated", "batch UPDATE updated, again", "batch UPDATE not_found", "batch UPDATE not_found, again",
	"batch UPDATE parked", "batch UPDATE parked, again",
	"batch DELETE deleted", "batch DELETE deleted, again", "batch DELETE not_found", "batch DELETE not_found, again",
	"delta CREATE created", "delta CREATE created, again", "delta CREATE invalid",
	"delta UPDATE updated", "delta UPDATE updated, again", "delta UPDATE conflict", "delta UPDATE invalid", "delta UPDATE not_found",
	"delta DELETE deleted", "delta DELETE deleted, again", "delta DELETE conflict", "delta DELETE not_found",
	"delta DELETE not_found, again",
	"discard CREATE parked", "discard UPDATE not_found", "discard UPDATE parked",
	"retry CREATE created", "retry CREATE parked", "retry UPDATE updated", "retry UPDATE not_found", "retry UPDATE parked",
}

// One case of so many of the small scope; "-scope" plays them all.
func TestTheSmallScopeHolds(t *testing.T) {
	t.Parallel()
	l, n := open(t), 0
	for i, s := range smallScope(every * every / share(every)) {
		h, err := l.perform(t.Context(), i, s)
		if err := h.failed("case", int64(i), err); err != nil {
			t.Fatal(err)
		}
		n++
	}
	t.Logf("%d cases\n%s", n, l.outcomes)
	for _, o := range outcomes {
		if l.outcomes[o] == 0 && !hurry() {
			t.Errorf("no operation came to this: %s", o)
		}
	}
}
