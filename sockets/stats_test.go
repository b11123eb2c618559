package sockets

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/socketio"
	"expenseflow/models"
)

// An event of docs/events.md that was counted as other would be missing on every board.
func TestEventsPageSaysWhatIsCounted(t *testing.T) {
	text, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, chapter := range strings.Split(string(text), "\n## ")[1:] {
		if strings.HasPrefix(chapter, "Commands\n") {
			continue
		}
		for _, heading := range regexp.MustCompile("(?m)^### (.+)$").FindAllStringSubmatch(chapter, -1) {
			for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(heading[1], -1) {
				want = append(want, name[1])
			}
		}
	}
	got := slices.Clone(sentEvents)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("counted by name: %q\nof the page:     %q", got, want)
	}
}

func TestConnectsAreCountedByWhatBecameOfThem(t *testing.T) {
	c := newCounters()
	c.connected(&session{}, false)
	c.connected(&session{returning: true}, false)
	c.connected(&session{returning: true}, true)
	refuse := func(code string) { c.refused(&socketio.ConnectError{Data: connectErrorData{Code: code}}) }
	refuse(auth.CodeTokenExpired)
	refuse("INVENTED")
	c.refused(socketio.ErrCloseTransport)
	c.disconnects.add("slow")
	c.disconnects.add("no reason that there is")

	h := &Hub{counts: c, sessions: newSessionRegistry(0)}
	got := map[string]int64{}
	for _, n := range h.Stats().Connects {
		if n.N > 0 {
			got[n.Result+"/"+n.Reason] = n.N
		}
	}
	for reason, n := range h.Stats().Disconnects {
		if n > 0 {
			got[reason] = n
		}
	}
	want := map[string]int64{
		"fresh/new": 1, "fresh/lost": 1, "recovered/": 1, "refused/token_expired": 1, "refused/other": 1, "refused/unavailable": 1,
		"slow": 1, "other": 1,
	}
	if len(got) != len(want) {
		t.Errorf("counted %v", got)
	}
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: %d, want %d", key, got[key], n)
		}
	}
}

// What a device missed while it was away, or while it read nothing, says nothing about how fast
// the server is.
func TestOnlyLiveChangesCountAsDelivered(t *testing.T) {
	var took []time.Duration
	s := &session{sessionDeps: &sessionDeps{
		counts: newCounters(), delivery: func(d time.Duration) { took = append(took, d) },
	}}
	now := time.Now()
	item := func(at time.Time, events int) changes.Item[EncodedChange] {
		return changes.Item[EncodedChange]{
			Change: &models.Change{At: at}, Encoded: EncodedChange{variants: make([]eventVariant, events)},
		}
	}
	live := now.Add(-time.Second)
	s.measure([]changes.Item[EncodedChange]{
		item(now.Add(-time.Hour), 2), item(now.Add(-2*time.Second), 1), // missed
		item(now.Add(-500*time.Millisecond), 2), item(now.Add(time.Second), 1), // live; the second by a clock that is ahead
		item(now, 0), // silent
	}, live.UnixMilli())
	if len(took) != 2 || took[0] < 500*time.Millisecond || took[0] > time.Minute || took[1] != 0 {
		t.Errorf("took %v", took)
	}
	if n := s.counts.catchUp.Load(); n != 2 {
		t.Errorf("%d changes caught up", n)
	}
}
