package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// An oldPage is a page of January 2026 in a Node process (npm/oldpage.js).
type oldPage struct{ *device }

// pageState is what the page holds.
type pageState struct {
	Queue     []operation
	Rows      []pageRow
	DeviceID  string `json:"deviceId"`
	Connected bool
}

// A pageRow is a line of the page's list.
type pageRow struct {
	ID     string
	Text   string
	Amount float64
}

// openPage loads a page of the account's that finds the server at url, and
// waits until it is connected. Its timer looks at the queue every everyMs.
func (n *node) openPage(t *testing.T, url string, a *account, deviceID string, tr transport, everyMs int) *oldPage {
	t.Helper()
	d := n.device(t)
	user, err := json.Marshal(map[string]any{"id": a.ID, "name": a.Name, "email": a.Email})
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]any{
		"base": url + "/api", "socketUrl": url, "socketOptions": tr.options(), "everyMs": everyMs,
		"storage": map[string]any{"authToken": a.Token, "currentUser": string(user), "deviceId": deviceID},
	}
	n.do(t, map[string]any{"do": "openPage", "device": d.name, "page": page})
	p := &oldPage{d}
	p.await(t, "connect", 1)
	t.Cleanup(func() { _, _ = p.try("unload") })
	return p
}

func (p *oldPage) try(method string, args ...any) (json.RawMessage, error) {
	return p.node.try(map[string]any{"do": "page", "device": p.name, "method": method, "args": args})
}

// do calls one of the page's methods, which must not fail.
func (p *oldPage) do(t *testing.T, method string, args ...any) json.RawMessage {
	t.Helper()
	result, err := p.try(method, args...)
	if err != nil {
		t.Fatalf("%s of the page: %v", method, err)
	}
	return result
}

// add fills in the page's form.
func (p *oldPage) add(t *testing.T, description string) expense {
	t.Helper()
	var e expense
	if err := json.Unmarshal(p.do(t, "add", json.RawMessage(lunch(description))), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// lunch is what a form gives, in the form's order of keys.
func lunch(description string) string {
	return fmt.Sprintf(`{"description":%q,"amount":12.5,"category":"food","type":"expense"}`, description)
}

func (p *oldPage) state(t *testing.T) pageState {
	t.Helper()
	var s pageState
	if err := json.Unmarshal(p.do(t, "state"), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// awaitSynced waits for the page's message that n operations were taken.
func (p *oldPage) awaitSynced(t *testing.T, n int) {
	t.Helper()
	text := fmt.Sprintf(`"Synced %d operations"`, n)
	p.awaitThat(t, text, func(notes []note) bool {
		for _, n := range named(notes, "page") {
			if join(n.Args) == text {
				return true
			}
		}
		return false
	})
}

// seconds30 is the real page's period: longer than these tests, so that only
// connecting sends the queue.
const seconds30 = 30000

func (s pageState) texts() map[string]string {
	out := make(map[string]string)
	for _, r := range s.Rows {
		out[r.ID] = r.Text
	}
	return out
}

// What the page puts on the wire is what docs/contract.md#clients lists, to the byte.
func TestOldPageSendsWhatTheContractLists(t *testing.T) {
	x := startProxy(t, sqlite(t))
	a := register(t, sqlite(t))
	page := startNode(t).openPage(t, x.URL(), a, "device_abc123xyz", transports[2], seconds30)

	id := page.add(t, "Lunch").ID
	page.do(t, "setOnLine", false)
	page.add(t, "Lunch")
	if _, err := page.try("remove", id); err == nil {
		t.Error("deleting offline did not rethrow")
	}
	page.do(t, "setOnLine", true)
	page.do(t, "sync")
	page.awaitSynced(t, 2)
	online := page.add(t, "Dinner").ID
	page.do(t, "remove", online)

	create := `{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`
	want := []string{
		`POST /api/expenses ` + with(create, `"deviceId":"device_abc123xyz"`),
		`POST /api/sync/batch {"operations":[` +
			`{"action":"CREATE","resourceType":"expense","resourceId":"temp_MS","data":` + create +
			`,"deviceId":"device_abc123xyz","timestamp":MS},` +
			`{"action":"DELETE","resourceType":"expense","resourceId":"` + id +
			`","data":null,"deviceId":"device_abc123xyz","timestamp":MS}]}`,
		`POST /api/expenses ` + with(strings.Replace(create, "Lunch", "Dinner", 1), `"deviceId":"device_abc123xyz"`),
		`DELETE /api/expenses/` + online + ` {"deviceId":"device_abc123xyz"}`,
	}
	var got []string
	for _, r := range x.seen() {
		got = append(got, r.Method+" "+r.Path+" "+masked(r.Body))
		same(t, "Content-Type", "application/json", r.Header.Get("Content-Type"))
		same(t, "Authorization", "Bearer "+a.Token, r.Header.Get("Authorization"))
	}
	same(t, "requests", want, got)
}

// with adds a member at the end of an object's text.
func with(object, member string) string { return strings.TrimSuffix(object, "}") + "," + member + "}" }

var milliseconds = regexp.MustCompile(`1[0-9]{12}`)

// masked hides what the clock put into a text.
func masked(s string) string { return milliseconds.ReplaceAllString(s, "MS") }

func TestOldPagesShareALifeOnAndOffline(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, p *program) { onAndOffline(t, p, tr) })
		})
	}
}

func onAndOffline(t *testing.T, p *program, tr transport) {
	x := startProxy(t, p)
	a := register(t, p)
	n := startNode(t)
	page := n.openPage(t, x.URL(), a, a.device("away"), tr, seconds30)
	other := n.openPage(t, p.url(), a, a.device("home"), tr, seconds30)

	first := page.add(t, "online")
	other.hear(t, 1, "expense_created")
	x.goDown()
	page.await(t, "disconnect", 1)
	page.do(t, "setOnLine", false)
	page.add(t, "offline one")
	page.add(t, "offline two")
	_, _ = page.try("remove", first.ID)
	same(t, "queued", 3, len(page.state(t).Queue))

	x.goUp()
	page.do(t, "setOnLine", true)
	page.awaitSynced(t, 3)

	other.hear(t, 1, "expense_deleted")
	list := make(map[string]string)
	for _, e := range a.expenses(t) {
		list[e.ID] = e.Description
	}
	same(t, "stored expenses", 2, len(list))
	same(t, "queue", 0, len(page.state(t).Queue))
	same(t, "rows of the other page", list, other.state(t).texts())
	delete(list, first.ID)
	rows := page.state(t).texts()
	delete(rows, first.ID) // a page that deleted offline drops the row itself
	same(t, "rows of the page that was away", list, rows)
	same(t, "created events of the other page", 3, len(other.events("expense_created")))
}

// The page that gets no answer sends its batch again every thirty seconds.
func TestOldPageRepeatsABatchWhoseAnswerWasLost(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		x := startProxy(t, p)
		a := register(t, p)
		n := startNode(t)
		page := n.openPage(t, x.URL(), a, a.phone(), transports[1], 200)
		other := n.connect(t, a, transports[1])
		page.do(t, "setOnLine", false)
		page.add(t, "one")
		page.add(t, "two")

		x.loseAnswers(http.MethodPost, "/api/sync/batch")
		page.do(t, "setOnLine", true)
		page.await(t, "page", 2) // "Sync failed - Will retry later", twice
		x.loseAnswers("", "")
		page.awaitSynced(t, 2)

		last := a.settle(t, other)
		checkSameIDs(t, page, last, a, other)
	})
}

// A POST whose answer is lost becomes a queued create; together they are one
// expense (docs/contract.md#d17).
func TestOldPageRepeatsAPostWhoseAnswerWasLost(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		x := startProxy(t, p)
		a := register(t, p)
		n := startNode(t)
		page := n.openPage(t, x.URL(), a, a.phone(), transports[1], 200)
		other := n.connect(t, a, transports[1])

		x.loseAnswers(http.MethodPost, "/api/expenses")
		saved := page.add(t, "one")
		x.loseAnswers("", "")
		if !strings.HasPrefix(saved.ID, "temp_") {
			t.Fatalf("the page believes in %s though the answer was lost", saved.ID)
		}
		page.awaitSynced(t, 1)

		last := a.settle(t, other)
		checkSameIDs(t, page, last, a, other)
	})
}

// checkSameIDs wants what the page shows, and the last change, stored once and
// announced once each.
func checkSameIDs(t *testing.T, page *oldPage, last expense, a *account, d *device) {
	t.Helper()
	want := map[string]int{last.ID: 1}
	for id := range page.state(t).texts() {
		want[id] = 1
	}
	var listed []string
	for _, e := range a.expenses(t) {
		listed = append(listed, e.ID)
	}
	same(t, "stored ids", want, counted(listed))
	same(t, "announced ids", want, counted(idsOf(d.events("expense_created"))))
}

func counted(list []string) map[string]int {
	out := make(map[string]int)
	for _, s := range list {
		out[s]++
	}
	return out
}

// A page that follows the old manual starts itself twice and so sends each
// batch twice at once (docs/contract.md#socketio, docs/contract.md#d13).
func TestOldPageStartedTwice(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		n := startNode(t)
		page := n.openPage(t, p.url(), a, a.phone(), transports[1], 200)
		other := n.connect(t, a, transports[1])
		page.do(t, "start")
		page.await(t, "connect", 2)
		page.do(t, "setOnLine", false)
		for i := range 5 {
			page.add(t, fmt.Sprint("item ", i))
		}
		page.do(t, "setOnLine", true)
		page.awaitSynced(t, 5)

		a.settle(t, other)
		same(t, "stored expenses", 6, len(a.expenses(t)))
		same(t, "created events", 6, len(other.events("expense_created")))
	})
}
