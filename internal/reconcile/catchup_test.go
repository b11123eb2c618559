package reconcile_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

func (h *fixture) changesSince(since *models.Cursor, limit int) models.LogPage {
	h.t.Helper()
	p, err := h.ChangesSince(h.t.Context(), h.user.ID, since, limit)
	if err != nil {
		h.t.Fatalf("missed: %v", err)
	}
	return p
}

// make makes n expenses, each at a moment of its own.
func (h *fixture) make(n int) (moments []time.Time) {
	h.t.Helper()
	for range n {
		h.setClock(h.clock().Add(time.Minute))
		moments = append(moments, h.clock())
		_, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft: models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return moments
}

// prune forgets the changes from before a moment.
func (h *fixture) prune(before time.Time) {
	h.t.Helper()
	if _, err := h.store.PruneLogs(h.t.Context(), before, 1000); err != nil {
		h.t.Fatal(err)
	}
}

func seqs(p models.LogPage) []int64 {
	out := []int64{}
	for _, c := range p.Changes {
		out = append(out, c.Seq)
	}
	return out
}

func TestMissedChangesComeInPages(t *testing.T) {
	each(t, func(h *fixture) {
		h.make(5)
		first := h.changesSince(&models.Cursor{}, 3)
		if diff := cmp.Diff([]int64{1, 2, 3}, seqs(first)); diff != "" || !first.More() || first.Head != 5 || first.NeedsSnapshot {
			h.t.Errorf("first page: %+v", first.LogState)
		}
		second := h.changesSince(&models.Cursor{Seq: first.Next(), Epoch: first.Epoch, UserID: h.user.ID}, 3)
		if diff := cmp.Diff([]int64{4, 5}, seqs(second)); diff != "" || second.More() || second.NeedsSnapshot {
			h.t.Errorf("second page: %+v", second.LogState)
		}
		third := h.changesSince(&models.Cursor{Seq: second.Next()}, 3)
		if len(third.Changes) != 0 || third.More() || third.Next() != 5 || third.NeedsSnapshot {
			h.t.Errorf("third page: %+v", third)
		}
	})
}

func TestMissedChangesSinceAMoment(t *testing.T) {
	each(t, func(h *fixture) {
		made := h.make(4)
		for at, want := range map[time.Time]int64{
			made[0].Add(-time.Millisecond): 0,
			made[0]:                        1,
			made[1].Add(30 * time.Second):  2,
			made[3]:                        4,
			time.UnixMilli(0):              0,
			made[2].Add(-time.Millisecond): 2,
			made[2].Add(2 * time.Second):   3,
		} {
			if p := h.changesSince(&models.Cursor{At: at}, 10); p.Since != want || p.NeedsSnapshot {
				h.t.Errorf("since %s: from %d, want %d", at, p.Since, want)
			}
		}
		for _, at := range []time.Time{noon.Add(-time.Hour), made[3].Add(24 * time.Hour)} {
			if p := h.changesSince(&models.Cursor{At: at}, 10); !p.NeedsSnapshot {
				h.t.Errorf("since %s, before the epoch or to come: %+v", at, p)
			}
		}
		h.prune(made[2])
		if p := h.changesSince(&models.Cursor{At: made[2]}, 10); p.Since != 3 || p.NeedsSnapshot {
			h.t.Errorf("since a moment that is kept: %+v", p.LogState)
		}
		if p := h.changesSince(&models.Cursor{At: made[1]}, 10); !p.NeedsSnapshot || p.Changes != nil {
			h.t.Errorf("since a moment that was pruned: %+v", p)
		}
	})
}

func TestWhereTheLogCannotTellEverythingIsNeededAnew(t *testing.T) {
	each(t, func(h *fixture) {
		made := h.make(5)
		here := h.changesSince(&models.Cursor{}, 10)
		h.prune(made[3]) // 1 to 3
		tests := map[string]*models.Cursor{
			"nothing known":   nil,
			"pruned":          {Seq: 2},
			"the beginning":   {},
			"beyond the head": {Seq: 6},
			"another epoch":   {Seq: 4, Epoch: "elsewhere", UserID: h.user.ID},
			"another user":    {Seq: 4, Epoch: here.Epoch, UserID: storetest.ID()},
		}
		for name, since := range tests {
			if p := h.changesSince(since, 10); !p.NeedsSnapshot || p.Changes != nil {
				h.t.Errorf("%s: %+v", name, p)
			}
		}
		if p := h.changesSince(&models.Cursor{Seq: 3}, 10); p.NeedsSnapshot || len(p.Changes) != 2 {
			h.t.Errorf("what is kept: %+v", p)
		}
		if _, err := h.store.NewEpoch(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
		cursor := models.Cursor{Seq: 4, Epoch: here.Epoch, UserID: h.user.ID}
		if p := h.changesSince(&cursor, 10); !p.NeedsSnapshot || p.Epoch == here.Epoch {
			h.t.Errorf("after a backup was restored: %+v", p)
		}
	})
}

func TestAUserWhoIsGoneMissesNothing(t *testing.T) {
	each(t, func(h *fixture) {
		if _, err := h.ChangesSince(h.t.Context(), storetest.ID(), nil, 1); models.KindOf(err) != models.NotFound {
			h.t.Errorf("missed: %v", err)
		}
		_, err := h.Snapshot(h.t.Context(), storetest.ID(), func(int64, models.Expense) error { return nil })
		if models.KindOf(err) != models.NotFound {
			h.t.Errorf("snapshot: %v", err)
		}
	})
}

// A follower is a client that keeps a copy by asking for pages.
type follower struct {
	copy  map[string]models.Expense
	since *models.Cursor
}

// ask takes one page, or everything, and reports whether there is more.
func (f *follower) ask(h *fixture, limit int) (more bool) {
	h.t.Helper()
	p := h.changesSince(f.since, limit)
	next := p.Next()
	if p.NeedsSnapshot {
		f.copy = map[string]models.Expense{}
		seq, err := h.Snapshot(h.t.Context(), h.user.ID, func(_ int64, e models.Expense) error {
			f.copy[e.ID] = e
			return nil
		})
		if err != nil {
			h.t.Fatalf("snapshot: %v", err)
		}
		next, more = seq, true
	}
	for _, c := range p.Changes {
		if c.Kind == models.ExpenseDeleted {
			delete(f.copy, c.EntityID)
		} else {
			f.copy[c.EntityID] = c.Expense
		}
	}
	f.since = &models.Cursor{Epoch: p.Epoch, UserID: h.user.ID, Seq: next}
	return more || p.More()
}

// A client that combines pages and snapshots, with changes, pruning and new epochs in
// between, ends up with the stored expenses.
func TestWhoAsksEndsUpEqual(t *testing.T) {
	each(t, func(h *fixture) {
		rapid.Check(h.t.(*testing.T), func(t *rapid.T) {
			h.user = storetest.User(h.t, h.store)
			f := &follower{}
			for step := range rapid.IntRange(1, 8).Draw(t, "steps") {
				h.setClock(h.clock().Add(time.Minute))
				switch rapid.IntRange(0, 5).Draw(t, "step") {
				case 0:
					f.ask(h, rapid.IntRange(1, 4).Draw(t, "limit"))
				case 1:
					h.prune(h.clock().Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "age")) * time.Minute))
				case 2:
					if _, err := h.store.NewEpoch(h.t.Context()); err != nil {
						t.Fatal(err)
					}
				default:
					h.someBatch(t, step)
				}
			}
			for f.ask(h, rapid.IntRange(1, 4).Draw(t, "last limit")) {
			}
			want := map[string]models.Expense{}
			for _, e := range h.list() {
				want[e.ID] = e
			}
			if diff := cmp.Diff(want, f.copy); diff != "" {
				t.Fatalf("the copy (-SELECT +copy):\n%s", diff)
			}
		})
	})
}

// A listener is a client of sync_request that goes on by serverTime, and begins
// anew from the list.
type listener struct {
	copy map[string]int64 // versions
	time *string
}

func (l *listener) ask(h *fixture, limit int) (more bool) {
	h.t.Helper()
	arg, _ := json.Marshal(map[string]any{"lastSyncedAt": l.time})
	since, asked, err := wire.ParseSyncRequest(arg)
	if !asked || err != nil {
		h.t.Fatalf("%s: %v", arg, err)
	}
	p := h.changesSince(&since, limit)
	var heard struct {
		Snapshot, More bool
		ServerTime     *string
		Changes        []struct {
			ID      string `json:"_id"`
			Version int64
		}
		Deleted []struct{ ID string }
	}
	if err := json.Unmarshal(wire.SyncChanges(h.user.ID, &p), &heard); err != nil {
		h.t.Fatal(err)
	}
	l.time = heard.ServerTime
	if heard.Snapshot {
		l.copy = map[string]int64{}
		at, err := h.Pull(h.t.Context(), h.user.ID, time.Time{}, func(e models.Expense) error {
			l.copy[e.ID] = e.Version
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
		text := at.Format(time.RFC3339Nano)
		l.time = &text
		return false
	}
	for _, e := range heard.Changes {
		l.copy[e.ID] = e.Version
	}
	for _, e := range heard.Deleted {
		delete(l.copy, e.ID)
	}
	return heard.More
}

// By moments too, although several changes share one and a page may end between
// them: it need only hold more than one transaction appends, here three.
func TestWhoAsksByMomentsEndsUpEqual(t *testing.T) {
	each(t, func(h *fixture) {
		rapid.Check(h.t.(*testing.T), func(t *rapid.T) {
			h.user = storetest.User(h.t, h.store)
			l := &listener{copy: map[string]int64{}}
			for step := range rapid.IntRange(1, 8).Draw(t, "steps") {
				switch rapid.IntRange(0, 4).Draw(t, "step") {
				case 0, 1:
					l.ask(h, rapid.IntRange(4, 6).Draw(t, "limit"))
				case 2:
					h.setClock(h.clock().Add(time.Minute)) // else the clock stands still
				default:
					h.someBatch(t, step)
				}
			}
			for l.ask(h, 4) {
			}
			want := map[string]int64{}
			for _, e := range h.list() {
				want[e.ID] = e.Version
			}
			if diff := cmp.Diff(want, l.copy); diff != "" {
				t.Fatalf("the copy's versions (-SELECT +copy):\n%s", diff)
			}
		})
	})
}

// someBatch applies a few operations on few temporary ids.
func (h *fixture) someBatch(t *rapid.T, step int) {
	ops := h.operations(t)
	for i := range ops {
		*ops[i].Timestamp += int64(step) * 1000 // none is another's repetition
	}
	h.apply(ops...)
}

// The sequence of a snapshot is exact also with concurrent writers.
func TestASnapshotIsOfItsSequence(t *testing.T) {
	each(t, func(h *fixture) {
		writing := make(chan error, 1)
		go func() {
			for i := range int64(20) {
				_, err := h.Apply(h.t.Context(), h.user.ID, models.Author{}, []models.Operation{
					create(i, lunch), create(1000+i, lunch), del(2000+i, fmt.Sprintf("temp_%d", nine.UnixMilli()+i)),
				})
				if err != nil {
					writing <- err
					return
				}
			}
			writing <- nil
		}()
		for running := true; running; {
			select {
			case err := <-writing:
				if err != nil {
					h.t.Fatal(err)
				}
				running = false
			default:
			}
			h.checkSnapshot()
		}
	})
}

// The only expense comes and goes: a snapshot without rows is of a sequence at
// which there was none, and nobody is told of the end of what it does not know.
func TestASnapshotOfNothingIsOfASequenceWithNothing(t *testing.T) {
	each(t, func(h *fixture) {
		writing := make(chan error, 1)
		go func() {
			var err error
			for i := int64(0); i < 40 && err == nil; i++ {
				_, err = h.Apply(h.t.Context(), h.user.ID, models.Author{}, []models.Operation{create(i, lunch)})
				if err == nil {
					_, err = h.Apply(h.t.Context(), h.user.ID, models.Author{},
						[]models.Operation{del(2000+i, fmt.Sprintf("temp_%d", nine.UnixMilli()+i))})
				}
			}
			writing <- err
		}()
		for {
			select {
			case err := <-writing:
				if err != nil {
					h.t.Fatal(err)
				}
				return
			default:
				h.checkSnapshot()
			}
		}
	})
}

// checkSnapshot holds a snapshot against the log up to its sequence.
func (h *fixture) checkSnapshot() {
	h.t.Helper()
	got := map[string]models.Expense{}
	seq, err := h.Snapshot(h.t.Context(), h.user.ID, func(_ int64, e models.Expense) error {
		got[e.ID] = e
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	want := map[string]models.Expense{}
	for _, c := range h.log() {
		switch {
		case c.Seq > seq:
		case c.Kind == models.ExpenseDeleted:
			delete(want, c.EntityID)
		default:
			want[c.EntityID] = c.Expense
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Fatalf("snapshot at %d (-log +snapshot):\n%s", seq, diff)
	}
}
