package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An operation is one entry of an offline queue, in the old page's order of
// keys (docs/contract.md#clients).
type operation struct {
	Action       string `json:"action"`
	ResourceType string `json:"resourceType"`
	ResourceID   string `json:"resourceId"`
	Data         any    `json:"data"`
	DeviceID     string `json:"deviceId"`
	Timestamp    int64  `json:"timestamp"` // milliseconds since 1970
}

// queued is an operation that the account's phone queues now.
func (a *account) queued(action, id string, data any) operation {
	return operation{action, "expense", id, data, a.phone(), time.Now().UnixMilli()}
}

func draft(description string) map[string]any {
	return map[string]any{"description": description, "amount": 12.5, "category": "food", "type": "expense"}
}

// A result answers one operation.
type result struct {
	ResourceID string   `json:"resourceId"`
	Success    bool     `json:"success"`
	Data       *expense `json:"data"`
	Error      string   `json:"error"`
	Status     string   `json:"status"`
}

func (r result) id() string {
	if r.Data == nil {
		return ""
	}
	return r.Data.ID
}

func batchOf(ops []operation) map[string]any { return map[string]any{"operations": ops} }

func resultsOf(t *testing.T, r answer) []result {
	t.Helper()
	var got struct{ Results []result }
	r.want(t, http.StatusOK).into(t, &got)
	return got.Results
}

// batch sends one batch and gives its results, one per operation.
func (a *account) batch(t *testing.T, ops ...operation) []result {
	t.Helper()
	results := resultsOf(t, a.call(t, http.MethodPost, "/api/sync/batch", batchOf(ops)))
	if len(results) != len(ops) {
		t.Fatalf("%d results for %d operations", len(results), len(ops))
	}
	return results
}

// settle makes one more change and waits until each device has heard it: what
// lastChange is what an account spends to see that nothing comes before it.
const lastChange = "the last change"

// came before it in the user's log has then arrived too, or never will.
func (a *account) settle(t *testing.T, devices ...*device) expense {
	t.Helper()
	last := a.create(t, lastChange, "")
	for _, d := range devices {
		d.awaitThat(t, "event of the last change", func(notes []note) bool {
			for _, e := range eventsIn(notes, []string{"expense_created"}) {
				if idOf(e) == last.ID {
					return true
				}
			}
			return false
		})
	}
	return last
}

func idOf(e event) string {
	var doc struct {
		ID string `json:"_id"`
	}
	if len(e.Args) == 0 || json.Unmarshal(e.Args[0], &doc) != nil {
		return ""
	}
	return doc.ID
}

var changeEvents = []string{"expense_created", "expense_updated", "expense_deleted"}

// changes returns what a device heard of expenses as "expense_created <id>".
func (d *device) changes() []string {
	var out []string
	for _, e := range d.events(changeEvents...) {
		out = append(out, e.Name+" "+idOf(e))
	}
	return out
}

func ids(results []result) []string {
	out := make([]string, len(results))
	for i, r := range results {
		out[i] = r.id()
	}
	return out
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// creates returns n different creates.
func (a *account) creates(n int) []operation {
	ops := make([]operation, n)
	for i := range ops {
		ops[i] = a.queued("CREATE", fmt.Sprintf("temp_%d", i), draft(fmt.Sprintf("item %d", i)))
	}
	return ops
}

func TestSameBatchTwiceCreatesOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		ops := a.creates(3)

		first := a.batch(t, ops...)
		second := a.batch(t, ops...)

		same(t, "ids of the second answer", ids(first), ids(second))
		last := a.settle(t, d)
		same(t, "events", prefixed("expense_created ", append(ids(first), last.ID)), d.changes())
		same(t, "stored expenses", 4, len(a.expenses(t)))
	})
}

func TestReplayDoesNotResurrect(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		op := a.creates(1)[0]
		id := a.batch(t, op)[0].id()
		a.call(t, http.MethodDelete, "/api/expenses/"+id, nil).want(t, http.StatusOK)

		again := a.batch(t, op)

		same(t, "id of the replay", id, again[0].id())
		same(t, "stored expenses", 0, len(a.expenses(t)))
	})
}

func TestSameBatchTwiceAtOnceCreatesOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		ops := a.creates(50)

		answers := atOnce(6, func() (answer, error) {
			return try(http.MethodPost, p.url()+"/api/sync/batch", a.Token, batchOf(ops))
		})

		var first []string
		for i, r := range answers {
			if r.err != nil {
				t.Fatal(r.err)
			}
			got := ids(resultsOf(t, r.answer))
			if i == 0 {
				first = got
			}
			same(t, "ids of one answer", first, got)
		}
		last := a.settle(t, d)
		same(t, "events", prefixed("expense_created ", append(first, last.ID)), d.changes())
		same(t, "stored expenses", len(ops)+1, len(a.expenses(t)))
	})
}

// An outcome is what one of several simultaneous requests got.
type outcome struct {
	answer
	err error
}

// atOnce runs f n times at the same moment.
func atOnce(n int, f func() (answer, error)) []outcome {
	outcomes := make([]outcome, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range outcomes {
		done.Go(func() {
			start.Wait()
			r, err := f()
			outcomes[i] = outcome{r, err}
		})
	}
	start.Done()
	done.Wait()
	return outcomes
}

func TestOneBadOperationIsParkedAndItsNeighboursApply(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		bad := draft("bad")
		bad["amount"] = -5
		ops := []operation{
			a.queued("CREATE", "temp_1", draft("one")),
			a.queued("CREATE", "temp_2", bad),
			a.queued("CREATE", "temp_3", draft("three")),
		}

		got := a.batch(t, ops...)

		same(t, "successes", []bool{true, false, true}, []bool{got[0].Success, got[1].Success, got[2].Success})
		text := "Expense validation failed: amount: Path `amount` (-5) is less than minimum allowed value (0.01)."
		same(t, "error", text, got[1].Error)
		same(t, "status", "parked", got[1].Status)
		same(t, "stored expenses", 2, len(a.expenses(t)))
		checkParked(t, a, d, text)
		retryParked(t, a, d)
	})
}

// A parkedRow is a row of sync_data and of GET /api/sync/pending.
type parkedRow struct {
	ID         string `json:"_id"`
	Action     string `json:"action"`
	ResourceID string `json:"resourceId"`
	Processed  bool   `json:"processed"`
	DeviceID   string `json:"deviceId"`
}

// checkParked looks at the parked temp_2 from every side.
func checkParked(t *testing.T, a *account, d *device, text string) {
	t.Helper()
	same(t, "pending operations", 1, a.syncStatus(t).PendingOperations)
	var failure struct{ Error string }
	d.hear(t, 1, "sync_error")[0].into(t, &failure)
	same(t, "sync_error", text, failure.Error)

	d.emit(t, "sync_request")
	var rows []parkedRow
	d.hear(t, 1, "sync_data")[0].into(t, &rows)
	if len(rows) != 1 {
		t.Fatalf("sync_data holds %d rows, want the parked one", len(rows))
	}
	want := parkedRow{ID: rows[0].ID, Action: "CREATE", ResourceID: "temp_2", DeviceID: a.phone()}
	same(t, "sync_data", []parkedRow{want}, rows)
}

// retryParked mends the parked operation and applies it.
func retryParked(t *testing.T, a *account, d *device) {
	t.Helper()
	var rows []parkedRow
	d.events("sync_data")[0].into(t, &rows)
	mended := map[string]any{"data": draft("mended")}
	a.call(t, http.MethodPost, "/api/sync/pending/"+rows[0].ID+"/retry", mended).want(t, http.StatusOK)

	created := d.hear(t, 3, "expense_created")
	var e expense
	created[2].into(t, &e)
	same(t, "the retried expense", "mended", e.Description)
	same(t, "pending operations", 0, a.syncStatus(t).PendingOperations)
}

type syncStatus struct {
	LastSync          *time.Time
	PendingOperations int
}

func (a *account) syncStatus(t *testing.T) syncStatus {
	t.Helper()
	var s syncStatus
	a.call(t, http.MethodGet, "/api/sync/status", nil).want(t, http.StatusOK).into(t, &s)
	return s
}

func TestTwoCreatesWithOneTemporaryIDAreTwoExpenses(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		first, second := a.queued("CREATE", "temp_1", draft("tea")), a.queued("CREATE", "temp_1", draft("cake"))
		second.Timestamp = first.Timestamp

		got := a.batch(t, first, second)

		if got[0].id() == got[1].id() || got[0].id() == "" || got[1].id() == "" {
			t.Errorf("ids %q and %q, want two different ones", got[0].id(), got[1].id())
		}
		same(t, "stored expenses", 2, len(a.expenses(t)))
	})
}

func TestTemporaryIDLivesInOneBatch(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])

		got := a.batch(t,
			a.queued("CREATE", "temp_1", draft("lunch")),
			a.queued("UPDATE", "temp_1", map[string]any{"amount": 20}),
			a.queued("DELETE", "temp_1", nil))

		id := got[0].id()
		same(t, "ids", []string{id, id, id}, ids(got))
		same(t, "updated amount", json.Number("20"), got[1].Data.Amount)
		last := a.settle(t, d)
		want := []string{"expense_created " + id, "expense_updated " + id, "expense_deleted " + id, "expense_created " + last.ID}
		same(t, "events", want, d.changes())
		same(t, "stored expenses", 1, len(a.expenses(t)))
	})
}

// The old page keeps the temporary id on its screen after the sync (docs/contract.md#d14), so a person deletes and edits by it.
func TestTemporaryIDStaysAnAddressAfterTheSync(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		d := startNode(t).connect(t, a, transports[1])
		id := a.batch(t, a.queued("CREATE", "temp_77", draft("lunch")))[0].id()

		full := draft("late lunch")
		full["deviceId"] = a.phone()
		var updated expense
		a.call(t, http.MethodPut, "/api/expenses/temp_77", full).want(t, http.StatusOK).into(t, &updated)
		a.call(t, http.MethodDelete, "/api/expenses/temp_77", map[string]any{"deviceId": a.phone()}).want(t, http.StatusOK)

		same(t, "id of the updated expense", id, updated.ID)
		d.hear(t, 3, changeEvents...)
		same(t, "events", []string{"expense_created " + id, "expense_updated " + id, "expense_deleted " + id}, d.changes())
	})
}

// A page that got no answer to its POST queues a create of the same data
// (docs/contract.md#d17): that is one expense. The same data a minute earlier is another.
func TestLostPostIsTheQueuedCreate(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		began := time.Now().UnixMilli() // the page names the expense before it tries
		posted := a.create(t, "coffee", a.phone())
		again := a.queued("CREATE", fmt.Sprintf("temp_%d", began), draft("coffee"))
		minuteAgo := time.Now().Add(-time.Minute).UnixMilli()
		earlier := a.queued("CREATE", fmt.Sprintf("temp_%d", minuteAgo), draft("coffee"))
		earlier.Timestamp = minuteAgo

		got := a.batch(t, again, earlier)

		same(t, "id of the queued create", posted.ID, got[0].id())
		if got[1].id() == posted.ID {
			t.Error("an equal expense of a minute before was taken for the same one")
		}
		same(t, "stored expenses", 2, len(a.expenses(t)))
	})
}

// cookieOf is what the program gives a new browser.
func cookieOf(t *testing.T, p *program) string {
	t.Helper()
	res, err := client.Get(p.url() + "/api/sync/status")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	c := res.Cookies()
	if len(c) != 1 {
		t.Fatalf("cookies %v", c)
	}
	return c[0].Name + "=" + c[0].Value
}

// A browser's queue outlives its account: what A queued must not become B's
// because B signed in on the same browser (docs/contract.md#accounts-on-one-device).
func TestQueueOfAnotherAccountIsParked(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a, b := register(t, p), register(t, p)
		browser := a.device("browser")
		a.cookie = cookieOf(t, p)
		b.cookie = a.cookie
		op := a.queued("CREATE", "temp_1", draft("of the first account"))
		op.DeviceID, op.Timestamp = browser, time.Now().Add(-time.Hour).UnixMilli()
		a.create(t, "the last thing before signing out", browser)

		got := b.batch(t, op)

		same(t, "result", result{ResourceID: "temp_1", Error: "Queued by another account", Status: "parked"}, got[0])
		same(t, "expenses of the second account", 0, len(b.expenses(t)))
		same(t, "what waits for the user", 1, b.syncStatus(t).PendingOperations)
	})
}

// An operation cannot move an expense to another account or run the old
// database's operators (docs/contract.md#d30).
func TestOperationCannotReachBeyondItsFields(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a, b := register(t, p), register(t, p)
		mine := a.create(t, "mine", a.phone())
		evil := map[string]any{
			"user": b.ID, "_id": strings.Repeat("b", 24), "$set": map[string]any{"amount": 1},
			"description": "still mine",
		}

		got := a.batch(t, a.queued("UPDATE", mine.ID, evil))
		foreign := b.batch(t, b.queued("UPDATE", mine.ID, map[string]any{"description": "stolen"}), b.queued("DELETE", mine.ID, nil))

		same(t, "updated id", mine.ID, got[0].id())
		same(t, "foreign data", []string{"", ""}, ids(foreign))
		list := a.expenses(t)
		if len(list) != 1 || list[0].Description != "still mine" || list[0].Amount != "12.5" || list[0].User != a.ID {
			t.Errorf("the expense became %+v", list)
		}
		same(t, "expenses of the other account", 0, len(b.expenses(t)))
	})
}
