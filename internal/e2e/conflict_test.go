package e2e

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

// Devices that have all seen the first version edit it at the same moment: one
// edit is stored and told, the others are answered with what it made.
func TestEditsAtOnceThatNameAVersionHaveOneWinner(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		e := a.create(t, "seen by all", "")
		var turn atomic.Int64
		answers := atOnce(6, func() (answer, error) {
			body := draft(fmt.Sprint("edit ", turn.Add(1)))
			body["version"] = 1
			return try(http.MethodPut, p.url()+"/api/expenses/"+e.ID, a.Token, body)
		})

		stored := a.expenses(t)[0].Description
		statuses := make(map[int]int)
		for _, r := range answers {
			if r.err != nil {
				t.Fatal(r.err)
			}
			statuses[r.status]++
			var body struct {
				Description, Code string
				Current           expense
			}
			r.into(t, &body)
			same(t, fmt.Sprint("what ", r.status, " tells"), stored, body.Description+body.Current.Description)
		}
		same(t, "answers by status", map[int]int{http.StatusOK: 1, http.StatusConflict: 5}, statuses)
		last := a.settle(t, d)
		same(t, "events", []string{"expense_created " + e.ID, "expense_updated " + e.ID, "expense_created " + last.ID}, d.changes())
	})
}

// One device deletes while others edit, with and without the version they saw: the
// deletion is the last that anybody hears of the expense, and it stays away.
func TestADeletionAmongEditsIsTheLastWord(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		for range 5 {
			e := a.create(t, "edited and deleted", "")
			var turn atomic.Int64
			answers := atOnce(5, func() (answer, error) {
				body := draft("edited")
				switch turn.Add(1) {
				case 1:
					return try(http.MethodDelete, p.url()+"/api/expenses/"+e.ID, a.Token, nil)
				case 2:
					body["version"] = 1
				case 3:
					return try(http.MethodPost, p.url()+"/api/sync/batch", a.Token, batchOf([]operation{a.queued("UPDATE", e.ID, body)}))
				}
				return try(http.MethodPut, p.url()+"/api/expenses/"+e.ID, a.Token, body)
			})
			for _, r := range answers {
				if r.err != nil || r.status >= http.StatusInternalServerError {
					t.Errorf("answered %d %s, %v", r.status, r.body, r.err)
				}
			}
			same(t, "stored expenses", 0, len(a.expenses(t)))
		}

		a.settle(t, d)
		last := make(map[string]string)
		for _, heard := range d.events(changeEvents...) {
			last[idOf(heard)] = heard.Name
		}
		named := make(map[string]int)
		for _, name := range last {
			named[name]++
		}
		same(t, "last words", map[string]int{"expense_deleted": 5, "expense_created": 1}, named)
	})
}
