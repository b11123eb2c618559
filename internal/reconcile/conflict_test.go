package reconcile_test

import (
	"testing"

	"expenseflow/models"
)

// The rules of docs/sync.md that no test of the contract's rows holds.

func TestUpdatesWithoutAVersionKeepWhatTheyDoNotName(t *testing.T) {
	each(t, func(h *fixture) {
		id := h.apply(create(0, lunch))[0].Expense.ID
		rs := h.apply(of("device_1", update(3, id, `{"amount":7,"notes":"first"}`)),
			of("device_2", update(1, id, `{"category":"shopping","notes":"second"}`)))
		h.wantStatuses(rs, models.StatusUpdated, models.StatusUpdated)
		got := h.list()[0]
		if got.Amount.String() != "7" || got.Category != "shopping" || got.Notes != "second" || got.Description != "Lunch" ||
			got.Version != 3 {
			h.t.Errorf("stored %+v", got) // the order is that of arrival, whatever the devices' clocks say
		}
		if before := h.log()[1].Expense; before.Notes != "first" {
			h.t.Errorf("the log has forgotten the edit that was overwritten: %+v", before)
		}
		h.checkLog()
	})
}

func TestADeletionTakesAnEditThatItHasNotSeen(t *testing.T) {
	each(t, func(h *fixture) {
		id := h.apply(create(0, lunch))[0].Expense.ID
		rs := h.apply(of("device_1", update(1, id, `{"notes":"unseen"}`)), of("device_2", del(0, id)))
		h.wantStatuses(rs, models.StatusUpdated, models.StatusDeleted)
		if len(h.list()) != 0 || rs[1].Expense.Notes != "unseen" || h.log()[2].Expense.Notes != "unseen" {
			h.t.Errorf("the answer and the log keep the last state: %+v", rs[1].Expense)
		}
		h.checkLog()
	})
}

func TestAnUpdateOfADeletedExpenseIsParkedAndRevivesNothing(t *testing.T) {
	each(t, func(h *fixture) {
		first := create(0, lunch)
		id := h.apply(first)[0].Expense.ID
		edit := of("device_2", update(1, id, `{"notes":"late"}`))
		rs := h.apply(del(2, id), edit, of("device_2", update(3, id, `{"notes":"late","version":1}`)), first,
			update(4, first.ResourceID, `{"notes":"late"}`))
		h.wantStatuses(rs, models.StatusDeleted, models.StatusNotFound, models.StatusNotFound, models.StatusCreated,
			models.StatusNotFound)
		for _, op := range h.pending() {
			if r, err := h.Retry(h.t.Context(), h.user.ID, models.Author{}, op.ID, nil); err != nil || r.Status != models.StatusNotFound {
				h.t.Errorf("retried: %+v, %v", r, err)
			}
		}
		if n := len(h.pending()); n != 3 || len(h.list()) != 0 {
			h.t.Errorf("%d edits are kept, %d expenses", n, len(h.list()))
		}
		h.checkLog()
	})
}

func TestDeletingTwiceIsOneDeletion(t *testing.T) {
	each(t, func(h *fixture) {
		id := h.apply(create(0, lunch))[0].Expense.ID
		h.wantStatuses(h.apply(of("device_1", del(1, id)), of("device_2", del(1, id)), of("device_1", del(2, id))),
			models.StatusDeleted, models.StatusNotFound, models.StatusNotFound)
		h.wantStatuses(h.apply(of("device_1", del(1, id))), models.StatusDeleted) // a replay
		if len(h.pending()) != 0 || len(h.log()) != 2 {
			h.t.Errorf("%d are parked, %d changes", len(h.pending()), len(h.log()))
		}
		if _, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, id, models.Author{}); models.KindOf(err) != models.NotFound {
			h.t.Errorf("by DELETE: %v", err)
		}
		h.checkLog()
	})
}
