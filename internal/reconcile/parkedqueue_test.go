package reconcile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"expenseflow/internal/reconcile"
	"expenseflow/models"
)

// parkedPages returns all parked operations, read in pages, and the place behind the newest.
func (h *fixture) parkedPages(limit int) (ops []models.QueuedOperation, last models.ParkedPlace) {
	h.t.Helper()
	for after := (models.ParkedPlace{}); ; after = ops[len(ops)-1].Place() {
		p, err := h.ParkedPage(h.t.Context(), h.user.ID, after, limit)
		if err != nil {
			h.t.Fatal(err)
		}
		if ops = append(ops, p.Operations...); !p.More || len(p.Operations) == 0 {
			if p.Total != int64(len(ops)) {
				h.t.Errorf("%d in all pages, total %d", len(ops), p.Total)
			}
			return ops, p.Last
		}
	}
}

func TestManyParkedOperationsAreReadInPages(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		if ops, last := h.parkedPages(10); len(ops) != 0 || last != (models.ParkedPlace{}) {
			h.t.Errorf("of nothing: %v, %v", ops, last)
		}
		var queued []models.Operation
		for i := range 450 {
			queued = append(queued, bad(int64(i), 10))
		}
		h.apply(queued...)
		ops, last := h.parkedPages(1000)
		seen := map[string]bool{}
		for _, op := range ops {
			seen[op.ID] = true
		}
		if len(seen) != 450 || len(ops) != 450 || last != ops[449].Place() {
			h.t.Errorf("%d operations, %d different, the last %v", len(ops), len(seen), last)
		}
	})
}

// Discarding all takes only what the user has seen.
func TestDiscardingAllTakesAnOperationThatCameLater(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		var queued []models.Operation
		for i := range 600 {
			queued = append(queued, bad(int64(i), 10))
		}
		h.apply(queued...)
		_, last := h.parkedPages(200)
		h.setClock(noon.Add(1e9))
		h.apply(bad(9_000, 10))
		for _, want := range [][2]int64{{500, 100}, {100, 0}, {0, 0}} {
			discarded, left, err := h.DiscardAll(h.t.Context(), h.user.ID, last)
			if err != nil || [2]int64{discarded, left} != want {
				h.t.Fatalf("%d discarded, %d left, %v, want %v", discarded, left, err, want)
			}
		}
		if ops, _ := h.parkedPages(10); len(ops) != 1 || *ops[0].Timestamp != *bad(9_000, 10).Timestamp {
			h.t.Errorf("left: %+v", ops)
		}
		h.wantStatuses(h.apply(bad(0, 10)), models.StatusParked) // the stored answer
		if ops, _ := h.parkedPages(10); len(ops) != 1 {
			h.t.Errorf("the repetition of a discarded operation waits: %d", len(ops))
		}
	})
}

func TestRetryingAllOverwritesNothing(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		e := h.apply(create(1, lunch))[0].Expense
		stale := update(2, e.ID, `{"notes":"mine","version":1}`)
		h.wantStatuses(h.apply(update(3, e.ID, `{"notes":"theirs"}`), stale), models.StatusUpdated, models.StatusParked)
		for i := range 55 { // on expenses that arrive later
			early := update(int64(100+i), fmt.Sprint("temp_", i), `{"notes":"early"}`)
			h.wantStatuses(h.apply(early), models.StatusNotFound)
		}
		for i := range 55 {
			late := create(int64(300+i), fmt.Sprintf(`{"description":"Late %d","amount":1,"category":"food","type":"expense"}`, i))
			late.ResourceID = fmt.Sprint("temp_", i)
			h.wantStatuses(h.apply(late), models.StatusCreated)
		}
		_, last := h.parkedPages(200)
		by, sum, after := models.Author{TokenID: "jti"}, models.RetriedPage{More: true}, models.ParkedPlace{}
		for pages := 0; sum.More; pages++ {
			p, err := h.RetryAll(h.t.Context(), h.user.ID, by, after, last)
			if err != nil || pages > 1 {
				h.t.Fatalf("page %d: %v", pages, err)
			}
			sum.Applied, sum.Failed, sum.More, after = sum.Applied+p.Applied, sum.Failed+p.Failed, p.More, p.Next
		}
		if sum.Applied != 55 || sum.Failed != 1 {
			h.t.Errorf("%+v", sum)
		}
		ops, _ := h.parkedPages(200)
		if len(ops) != 1 || ops[0].ResourceID != e.ID || ops[0].Result.Current == nil || ops[0].Result.Current.Notes != "theirs" {
			h.t.Errorf("left: %+v", ops)
		}
		early := 0
		for _, e := range h.list() {
			if e.Notes == "early" {
				early++
			}
		}
		if early != 55 {
			h.t.Errorf("%d of 55 were applied", early)
		}
	})
}

// A decision on one device left the operation on the screens of the others.
func TestDecisionsAreToldToTheOtherDevices(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		ctx, by := h.t.Context(), models.Author{TokenID: "jti"}
		h.apply(bad(1, 10), bad(2, 10), bad(3, 10), bad(4, 10))
		ops, last := h.parkedPages(10)
		told := func(after string, want ...models.OperationState) {
			h.t.Helper()
			if !slices.Equal(h.settled, want) {
				h.t.Errorf("after %s the devices are told of %v, want %v", after, h.settled, want)
			}
			h.settled = nil
		}
		_, err := h.Retry(ctx, h.user.ID, by, ops[0].ID, nil)
		_, err2 := h.RetryAll(ctx, h.user.ID, by, models.ParkedPlace{}, last)
		told("retries that failed")
		_, err3 := h.Retry(ctx, h.user.ID, by, ops[0].ID, json.RawMessage(lunch))
		told("a retry", models.Applied)
		err4 := h.Discard(ctx, h.user.ID, ops[1].ID)
		told("discarding one", models.Discarded)
		_, _, err5 := h.DiscardAll(ctx, h.user.ID, last)
		told("discarding the rest", models.Discarded)
		_, _, err6 := h.DiscardAll(ctx, h.user.ID, last)
		told("discarding nothing")
		if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
			h.t.Error(err)
		}
	})
}
