package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// A missed is a page of GET /api/sync/changes, or a snapshot.
type missed struct {
	Snapshot bool
	Seq      int64
	Next     string
	More     bool
	Expenses []expense
	Changes  []struct {
		Seq     int64
		Event   string
		Expense expense
	}
}

func (a *account) missed(t *testing.T, since string, limit int) missed {
	t.Helper()
	var m missed
	path := fmt.Sprintf("/api/sync/changes?limit=%d&since=%s", limit, url.QueryEscape(since))
	a.call(t, http.MethodGet, path, nil).want(t, http.StatusOK).into(t, &m)
	return m
}

// A client that asks, by pages over HTTP or by npm's socket, has in the end what
// the list has.
func TestWhoAsksForWhatItMissedGetsAllOfIt(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		first := a.missed(t, "", 1)
		same(t, "a snapshot of nothing", []any{true, int64(0), 0}, []any{first.Snapshot, first.Seq, len(first.Expenses)})
		a.createMany(t, 7)
		gone := a.create(t, "gone", "")
		a.call(t, http.MethodDelete, "/api/expenses/"+gone.ID, nil).want(t, http.StatusOK)

		copied, next := map[string]bool{}, first.Next
		for more := true; more; {
			m := a.missed(t, next, 2)
			for _, c := range m.Changes {
				copied[c.Expense.ID] = c.Event != "expense_deleted"
			}
			next, more = m.Next, m.More
		}
		for _, e := range a.expenses(t) {
			same(t, "in the copy", true, copied[e.ID])
		}
		same(t, "expenses, and the deleted one", []any{8, false}, []any{len(copied), copied[gone.ID]})

		d.emit(t, "sync_request", map[string]any{"since": first.Next})
		d.hear(t, 1, "sync_data")
		var heard struct {
			Changes []expense
			Deleted []struct{ ID string }
			Next    string
			More    bool
		}
		d.hear(t, 1, "sync_changes")[0].into(t, &heard)
		same(t, "sync_changes", []any{7, 1, gone.ID, next, false},
			[]any{len(heard.Changes), len(heard.Deleted), heard.Deleted[0].ID, heard.Next, heard.More})
	})
}
