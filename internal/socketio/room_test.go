package socketio

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A room has those who joined and did not leave, whether it needs an index or not, and a list
// of members does not change afterwards.
func TestARoomHasItsMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]*Socket, 2*fewMembers)
		for i := range all {
			all[i] = &Socket{}
		}
		var r room
		want := map[*Socket]bool{}
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			s := rapid.SampledFrom(all).Draw(t, "socket")
			before := r.membersLocked()
			kept := slices.Clone(before)
			if want[s] {
				r.remove(s)
			} else {
				r.add(s)
			}
			want[s] = !want[s]
			if !slices.Equal(before, kept) {
				t.Fatal("a list of members changed")
			}
		}
		n := 0
		for _, s := range all {
			if r.has(s) != want[s] || slices.Contains(r.membersLocked(), s) != want[s] {
				t.Errorf("member %t, listed %t, want %t", r.has(s), slices.Contains(r.membersLocked(), s), want[s])
			}
			if want[s] {
				n++
			}
		}
		if r.size() != n || len(r.membersLocked()) != n {
			t.Errorf("%d members, %d listed, want %d", r.size(), len(r.membersLocked()), n)
		}
	})
}
