package sockets

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var allStates = []sessionState{admitted, following, current, lagging, ended, revoked}

// The table of the documentation: what each state may become.
func TestOnlyTheTransitionsOfTheTableHappen(t *testing.T) {
	allowed := map[[2]sessionState]bool{
		{admitted, following}: true,
		{following, current}:  true,
		{current, lagging}:    true,
		{lagging, current}:    true,
		{ended, revoked}:      true,
	}
	for _, live := range []sessionState{admitted, following, current, lagging} {
		allowed[[2]sessionState{live, ended}] = true
		allowed[[2]sessionState{live, revoked}] = true
	}
	for _, from := range allStates {
		for _, to := range allStates {
			var l lifecycle
			l.state.Store(uint32(from))
			want := allowed[[2]sessionState{from, to}]
			if got := l.move(from, to); got != want {
				t.Errorf("%d to %d: %v, want %v", from, to, got, want)
			}
			if after := l.get(); want && after != to || !want && after != from {
				t.Errorf("%d to %d ends in %d", from, to, after)
			}
		}
	}
}

// Whatever is tried in whatever order: a session that is over stays over, one that was
// revoked stays revoked, and none is current that did not follow its log first.
func TestASessionThatIsOverNeverLivesAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lifecycle
		path := []sessionState{admitted}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			to := rapid.SampledFrom(allStates).Draw(t, "to")
			before := l.get()
			var moved bool
			if rapid.Bool().Draw(t, "finish") && to >= ended {
				moved = l.finish(to)
			} else {
				moved = l.move(rapid.SampledFrom(allStates).Draw(t, "from"), to)
			}
			if moved {
				path = append(path, to)
			}
			if got := l.get(); before >= ended && got < before {
				t.Fatalf("%d became %d", before, got)
			}
		}
		if i := slices.Index(path, current); i >= 0 && path[i-1] != following {
			t.Fatalf("current without following: %v", path)
		}
	})
}
