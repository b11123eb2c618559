package e2e

import "testing"

// A page whose engine closes, before the other one goes on and the server is
// killed, shows in the end what the other shows and what is stored, though it never
// asks for a list: it hears what it missed, and sends what it queued.
func TestOldPagesShowTheSameAfterAClosedEngineAndARestart(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			p := start(t)
			x, a, n := startProxy(t, p), register(t, p), startNode(t)
			page := n.openPage(t, x.URL(), a, a.device("away"), tr, seconds30)
			other := n.openPage(t, p.url(), a, a.device("home"), tr, seconds30)
			kept, gone := page.add(t, "kept"), page.add(t, "gone")
			other.hear(t, 2, "expense_created")

			page.do(t, "breakOff")
			x.goDown()
			for _, text := range []string{"missed one", "missed two", "missed three"} {
				other.add(t, text)
			}
			other.do(t, "remove", gone.ID)
			other.do(t, "drop", gone.ID) // as the page does when the answer is there
			page.add(t, "queued")
			p.crash(t)
			x.goUp()
			page.awaitSynced(t, 1)
			a.settle(t, page.device, other.device)

			list := make(map[string]string)
			for _, e := range a.expenses(t) {
				list[e.ID] = e.Description
			}
			same(t, "stored", []any{6, "kept"}, []any{len(list), list[kept.ID]})
			same(t, "rows of the page that was away", list, page.state(t).texts())
			same(t, "rows of the other page", list, other.state(t).texts())
			for _, r := range x.seen() {
				if r.Method == "GET" {
					t.Errorf("the page asked: %s %s", r.Method, r.Path)
				}
			}
		})
	}
}
