package adminui

import (
	"testing"
	"time"
)

func TestASecondHasABudget(t *testing.T) {
	b, now := budget{most: 2}, time.Unix(1000, 0)
	for i, want := range []bool{true, true, false, false} {
		if got := b.take(now.Add(time.Duration(i) * time.Millisecond)); got != want {
			t.Errorf("record %d of the second is kept: %v", i+1, got)
		}
	}
	if !b.take(now.Add(time.Second)) || b.dropped != 2 {
		t.Errorf("in the next second %d are dropped", b.dropped)
	}
}

// The budget of a second bounds nothing while Run is late.
func TestWhatWaitsForALateRunIsBounded(t *testing.T) {
	f := newFeed("/admin", nil)
	f.events.most = 2 * maxRecords
	for range maxRecords + 5 {
		f.add(&f.events, record{event: "event_sent"})
	}
	if events, _ := f.takeDropped(); len(f.records) != maxRecords || events != 5 {
		t.Errorf("%d records wait, and %d were dropped", len(f.records), events)
	}
}
