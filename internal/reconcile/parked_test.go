package reconcile_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"expenseflow/internal/reconcile"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// bad is an operation of so many bytes that cannot be applied.
func bad(ms int64, bytes int) models.Operation {
	return create(ms, `{"description":"`+strings.Repeat("x", bytes)+`"}`)
}

func TestParkedOperationsGrowWithoutBound(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		var ops []models.Operation
		for i := range models.MaxParked + 50 {
			ops = append(ops, bad(int64(i), 10))
		}
		gone := update(5_000, strings.Repeat("a", 24), `{"amount":1}`) // parked if it can be, and else not a success
		rs := h.apply(append(ops, gone, create(9_000, lunch))...)
		parked, full := 0, 0
		for _, r := range rs {
			switch {
			case r.Status == models.StatusParked:
				parked++
			case r.Status == models.StatusRejected && r.Code == models.CodeParkedFull:
				full++
			}
		}
		if parked != models.MaxParked || full != 51 || rs[len(rs)-1].Status != models.StatusCreated {
			h.t.Errorf("%d parked, %d rejected, the last %s", parked, full, rs[len(rs)-1].Status)
		}
		told := 0
		for _, op := range h.parked {
			if op.Result.Code == models.CodeParkedFull {
				told++
			}
		}
		if told != 1 || len(h.parked) != models.MaxParked+1 {
			h.t.Errorf("told %d times, of %d", told, len(h.parked))
		}
		if err := h.Discard(h.t.Context(), h.user.ID, h.parked[0].ID); err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(h.apply(bad(99_000, 10), bad(99_001, 10)), models.StatusParked, models.StatusRejected)
	})
}

func TestParkedBytesHaveABoundToo(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		const each = 60_000
		var ops []models.Operation
		for i := range models.MaxParkedBytes/each + 5 {
			ops = append(ops, bad(int64(i), each))
		}
		parked, bytes := 0, int64(0)
		for _, r := range h.apply(ops...) {
			if r.Status == models.StatusParked {
				parked++
			}
		}
		if err := h.EachPending(h.t.Context(), h.user.ID, func(op models.QueuedOperation) error {
			parked--
			bytes += op.Size()
			return nil
		}); err != nil || parked != 0 {
			h.t.Errorf("%d more were said to be parked than are: %v", parked, err)
		}
		if bytes > models.MaxParkedBytes || bytes < models.MaxParkedBytes-2*each {
			h.t.Errorf("%d bytes are parked", bytes)
		}
		page, err := h.Pending(h.t.Context(), h.user.ID)
		if err != nil || len(page) == 0 || len(page) > 5 {
			h.t.Errorf("one message has %d of them, %v", len(page), err)
		}
	})
}

// A database from before there was a bound may hold any number of any size.
func TestReadingWhatIsParkedTakesAllMemory(t *testing.T) {
	s := storetest.New(t)
	u := storetest.User(t, s)
	const rows, size = 60, 1 << 20
	for i := range rows {
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			op := bad(int64(i), size)
			tx.InsertOperation(models.QueuedOperation{
				ID: storetest.ID(), UserID: u.ID, Key: fmt.Sprint(i), Operation: op, State: models.Parked, CreatedAt: noon, UpdatedAt: noon,
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var most uint64
	read := 0
	err := s.EachParked(t.Context(), u.ID, func(models.QueuedOperation) error {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		most, read = max(most, m.HeapAlloc), read+1
		return nil
	})
	if err != nil || read != rows || most > 20*size {
		t.Errorf("%d rows, %d MB in use at once, %v", read, most>>20, err)
	}
}
