package reconcile_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// change is a queue entry as the frontend's last version makes it.
func change(ms int64, action models.Action, localID, id, data string, version int64) models.DeltaChange {
	at := nine.UnixMilli() + ms
	c := models.DeltaChange{Action: action, ID: id, LocalID: json.RawMessage(localID), Version: &version, Timestamp: &at}
	if data != "" {
		c.Data = json.RawMessage(data)
	}
	return c
}

func (h *fixture) delta(cs ...models.DeltaChange) []models.DeltaResult {
	h.t.Helper()
	rs, err := h.Delta(h.t.Context(), h.user.ID, models.Author{}, cs)
	if err != nil || len(rs) != len(cs) {
		h.t.Fatalf("delta: %d results, %v", len(rs), err)
	}
	for i := range rs {
		if diff := cmp.Diff(cs[i], rs[i].Change); diff != "" {
			h.t.Fatalf("result %d is not in its place:\n%s", i, diff)
		}
	}
	return rs
}

// outcome is what became of a change, in short.
func outcome(r models.DeltaResult) string {
	switch {
	case r.Error != "":
		return r.Error
	case r.Current != nil:
		return "conflict"
	}
	return "ok"
}

func (h *fixture) wantOutcomes(rs []models.DeltaResult, want ...string) {
	h.t.Helper()
	var got []string
	for _, r := range rs {
		got = append(got, outcome(r))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestDeltaAppliesTheLastVersionsQueue(t *testing.T) {
	each(t, func(h *fixture) {
		create := change(0, models.Create, `"local_1"`, "", lunch, 0)
		rs := h.delta(create, change(1, models.Create, `"local_2"`, "", `{"amount":0}`, 0),
			models.DeltaChange{LocalID: json.RawMessage("3")})
		h.wantOutcomes(rs, "ok", rs[1].Error, "Invalid action")
		made := rs[0].Expense
		if made.Version != 1 || !made.Date.Equal(nine) {
			h.t.Errorf("made %+v", made)
		}
		rs = h.delta(
			change(2, models.Update, "2", made.ID, `{"notes":"a"}`, 1),
			change(3, models.Update, "3", made.ID, `{"notes":"b"}`, 1),
			change(4, models.Update, "4", storetest.ID(), `{"notes":"b"}`, 1),
			change(5, models.Update, "5", "local_1", `{"notes":"c"}`, 2),
			change(6, models.Delete, "6", made.ID, "", 1),
			change(7, models.Delete, "7", storetest.ID(), "", 1),
			change(8, models.Delete, "8", made.ID, "", 3),
		)
		h.wantOutcomes(rs, "ok", "conflict", "Expense not found", "ok", "conflict", "ok", "ok")
		if rs[0].Expense.Version != 2 || rs[1].Current.Version != 2 || rs[3].Expense.Version != 3 {
			h.t.Errorf("versions %d, %d, %d", rs[0].Expense.Version, rs[1].Current.Version, rs[3].Expense.Version)
		}
		if len(h.list()) != 0 || len(h.pending()) != 0 || len(h.parked) != 0 {
			h.t.Error("something was left over")
		}
		h.checkLog()
	})
}

func TestDeltaSuccessesAreReplayedAndRefusalsTriedAgain(t *testing.T) {
	each(t, func(h *fixture) {
		queue := []models.DeltaChange{
			change(0, models.Create, `"local_1"`, "", lunch, 0),
			change(1, models.Create, `"local_2"`, "", `{"amount":0}`, 0),
		}
		first := h.delta(queue...)
		id := first[0].Expense.ID
		h.delta(change(2, models.Update, "1", id, `{"notes":"a"}`, 1))
		if diff := cmp.Diff(first, h.delta(queue...)); diff != "" {
			h.t.Errorf("replay (-first +second):\n%s", diff)
		}
		late := change(3, models.Update, "2", id, `{"notes":"mine"}`, 1)
		h.wantOutcomes(h.delta(late), "conflict")
		late.Version = ptr(int64(999999)) // "Keep Mine"
		h.wantOutcomes(h.delta(late), "ok")
		h.wantOutcomes(h.delta(late), "ok")
		if got := h.list(); len(got) != 1 || got[0].Notes != "mine" || got[0].Version != 3 {
			h.t.Errorf("stored %+v", got)
		}
		h.checkLog()
	})
}

// The last frontend names its queue's entries by the millisecond. The second
// device's expense was taken for the first one's, acknowledged and never stored.
func TestTwoDevicesCreatingInOneMillisecondMakeTwoExpenses(t *testing.T) {
	each(t, func(h *fixture) {
		one := change(0, models.Create, `"local_1768813200000"`, "", lunch, 0)
		other := change(0, models.Create, `"local_1768813200000"`, "",
			`{"description":"Dinner","amount":20,"category":"food","type":"expense"}`, 0)
		h.wantOutcomes(h.delta(one), "ok")
		h.wantOutcomes(h.delta(other), "ok")
		h.wantOutcomes(h.delta(other, one), "ok", "ok")
		if got := h.list(); len(got) != 2 {
			h.t.Errorf("%d expenses were stored, not 2", len(got))
		}
		h.checkLog()
	})
}

func TestDeltaOfAnotherAccountIsRefused(t *testing.T) {
	each(t, func(h *fixture) {
		h.apply(create(0, lunch))
		bob := storetest.User(h.t, h.store).ID
		h.setClock(noon.Add(time.Hour))
		rs, err := h.Delta(h.t.Context(), bob, models.Author{Browser: browser},
			[]models.DeltaChange{change(0, models.Create, "1", "", lunch, 0)})
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantOutcomes(rs, "Queued by another account")
	})
}

func TestDecision10PullMissesNothing(t *testing.T) {
	each(t, func(h *fixture) {
		pull := func(since time.Time) (ids []string, next time.Time) {
			h.t.Helper()
			next, err := h.Pull(h.t.Context(), h.user.ID, since, func(e models.Expense) error {
				ids = append(ids, e.ID)
				return nil
			})
			if err != nil {
				h.t.Fatalf("pull: %v", err)
			}
			return ids, next
		}
		if ids, next := pull(time.Time{}); len(ids) != 0 || next.After(noon) {
			h.t.Errorf("before anything: %v, %v", ids, next)
		}
		// The clock stands still, and is set back: the cursor still tells all apart.
		cursor := time.Time{}
		for i := range int64(5) {
			want := h.apply(create(i, lunch))[0].Expense.ID
			ids, next := pull(cursor)
			if len(ids) != 1 || ids[0] != want || !next.After(cursor) {
				h.t.Errorf("pull %d: %v, want %s; next %v", i, ids, want, next)
			}
			cursor = next
			h.setClock(h.clock().Add(-time.Hour))
		}
		if ids, next := pull(cursor); len(ids) != 0 || !next.Equal(cursor) {
			h.t.Errorf("nothing new: %v, %v", ids, next)
		}
		if ids, _ := pull(time.Time{}); len(ids) != 5 {
			h.t.Errorf("all: %v", ids)
		}
	})
}
