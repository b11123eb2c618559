package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The tests of this file are rows of the contract's section 3, as the whole
// program keeps them. docs/compatibility.md names the test of every row.

func TestD2ATimestampMayBeANumberATextOrAbsent(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		var ops []string
		for i, timestamp := range []string{
			`,"timestamp":1795288041641`, `,"timestamp":"1795288041641"`, ``,
			`,"timestamp":1795288041641,"tries":2`,
		} {
			ops = append(ops, fmt.Sprintf(
				`{"action":"CREATE","resourceType":"expense","resourceId":"temp_%d","data":{"description":"item %d",`+
					`"amount":1,"category":"food","type":"expense"},"deviceId":%q%s}`,
				i, i, a.phone(), timestamp))
		}
		for _, r := range a.rawBatch(t, ops...) {
			same(t, "status", "created", r.Status)
		}
		same(t, "stored expenses", len(ops), len(a.expenses(t)))
	})
}

// rawBatch sends operations that are already JSON.
func (a *account) rawBatch(t *testing.T, ops ...string) []result {
	t.Helper()
	body := `{"operations":[` + strings.Join(ops, ",") + `]}`
	return resultsOf(t, a.call(t, http.MethodPost, "/api/sync/batch", body))
}

func TestD3DataOfADeletionMayBeNullAbsentOrAnObject(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		var ops []string
		for _, data := range []string{`,"data":null`, ``, `,"data":{}`} {
			e := a.create(t, "to be deleted", a.phone())
			ops = append(ops, fmt.Sprintf(`{"action":"DELETE","resourceType":"expense","resourceId":%q,"deviceId":%q,"timestamp":%d%s}`,
				e.ID, a.phone(), time.Now().UnixMilli(), data))
		}
		for _, r := range a.rawBatch(t, ops...) {
			same(t, "status", "deleted", r.Status)
		}
		same(t, "stored expenses", 0, len(a.expenses(t)))
	})
}

func TestD5AQueueOfMoreThanAHundredKilobytesDrains(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		ops := a.creates(1000)
		for _, r := range a.batch(t, ops...) {
			if !r.Success {
				t.Fatalf("an operation failed: %+v", r)
			}
		}
		same(t, "stored expenses", len(ops), len(a.expenses(t)))
	})
}

func TestD8NobodyIsServedWithoutAToken(t *testing.T) {
	p := sqliteRaced(t)
	e := register(t, p).create(t, "private", "")
	for _, r := range []answer{
		call(t, http.MethodGet, p.url()+"/api/expenses", "", nil),
		call(t, http.MethodPost, p.url()+"/api/expenses", "", draft("anonymous")),
		call(t, http.MethodPut, p.url()+"/api/expenses/"+e.ID, "", draft("anonymous")),
		call(t, http.MethodDelete, p.url()+"/api/expenses/"+e.ID, "", nil),
	} {
		var refusal struct{ Error string }
		r.want(t, http.StatusUnauthorized).into(t, &refusal)
		same(t, "refusal", "Access denied. No token provided.", refusal.Error)
	}
}

func TestD9ATokenOpensTheProtectedRoutes(t *testing.T) {
	a := register(t, sqliteRaced(t)).login(t)
	for _, path := range []string{
		"/api/user/profile", "/api/expenses", "/api/sync/status", "/api/sync/pending",
		"/api/sync/pull?lastSyncTime=",
	} {
		a.call(t, http.MethodGet, path, nil).want(t, http.StatusOK)
	}
}

func TestD10NoDoorAsksForAnOriginalAmount(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		a.create(t, "by a plain request", "")
		same(t, "status in a batch", "created", a.batch(t, a.creates(1)...)[0].Status)
		change := map[string]any{
			"localId": "local_1", "action": "create", "data": draft("by a delta"), "version": 0,
			"timestamp": time.Now().UnixMilli(),
		}
		var delta struct{ Success, Errors []any }
		a.call(t, http.MethodPost, "/api/sync/delta", map[string]any{"changes": []any{change}}).want(t, http.StatusOK).into(t, &delta)
		same(t, "delta's successes and errors", []int{1, 0}, []int{len(delta.Success), len(delta.Errors)})
		same(t, "stored expenses", 3, len(a.expenses(t)))
	})
}

// Each refusal makes the page queue the expense once more, and a queue that
// grows while it is sent loses what was added.
func TestD12NobodyTypesFastEnoughToBeRefused(t *testing.T) {
	a := register(t, sqliteRaced(t))
	for i := range 100 {
		e := a.create(t, fmt.Sprint("quick ", i), a.phone())
		a.call(t, http.MethodDelete, "/api/expenses/"+e.ID, map[string]any{"deviceId": a.phone()}).want(t, http.StatusOK)
	}
}

// What happened while a device was away reaches it when it comes back, once,
// and is in the list and in a pull whether it comes back or not.
func TestD20WhoWasAwayCatchesUp(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		x := startProxy(t, p)
		d := startNode(t).connectAt(t, x.URL(), a, transports[1])
		before := a.create(t, "before", "")
		d.hear(t, 1, "expense_created")
		x.goDown()
		d.await(t, "disconnect", 1)
		missed := a.create(t, "missed", "")
		x.goUp()
		d.await(t, "connect", 2)

		last := a.settle(t, d)
		want := prefixed("expense_created ", []string{before.ID, missed.ID, last.ID})
		same(t, "events", want, d.changes())
		var pull struct{ Changes []expense }
		a.call(t, http.MethodGet, "/api/sync/pull?lastSyncTime=", nil).want(t, http.StatusOK).into(t, &pull)
		same(t, "pulled expenses", len(want), len(pull.Changes))
		same(t, "listed expenses", len(want), len(a.expenses(t)))
	})
}

// Pages of three generations ask for three spellings of the user's room. They
// are in the one there is, and asking changes nothing.
func TestD25AUserHasOneRoomWhateverItIsCalled(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	d := startNode(t).connect(t, a, transports[1])
	for _, room := range []string{"user_" + a.ID, "user:" + a.ID, a.ID} {
		d.emit(t, "join", room)
		d.emit(t, "room:join", map[string]any{"room": room})
	}
	made := a.create(t, "heard once", "")
	last := a.settle(t, d)
	same(t, "events", prefixed("expense_created ", []string{made.ID, last.ID}), d.changes())
}

// A service worker that caches whatever it may would show one user's list to
// the next.
func TestD27NoCacheMayKeepTheAPIOrPolling(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	for what, r := range map[string]answer{
		"list":    a.call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusOK),
		"refusal": call(t, http.MethodGet, p.url()+"/api/expenses", "", nil).want(t, http.StatusUnauthorized),
		"polling": call(t, http.MethodGet, p.url()+"/socket.io/?EIO=4&transport=polling", "", nil).want(t, http.StatusOK),
	} {
		if vary := strings.Join(r.header.Values("Vary"), ", "); !strings.Contains(vary, "*") {
			t.Errorf("%s has Vary %q", what, vary)
		}
		if cache := r.header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
			t.Errorf("%s has Cache-Control %q", what, cache)
		}
	}
}

func TestD28TheInstalledAppsStartPageIsThere(t *testing.T) {
	p := sqliteRaced(t)
	page := call(t, http.MethodGet, p.url()+"/", "", nil).want(t, http.StatusOK)
	alias := call(t, http.MethodGet, p.url()+"/expensetracker.html", "", nil).want(t, http.StatusOK)
	same(t, "page", string(page.body), string(alias.body))
}

func TestD29NothingButThePageIsPublished(t *testing.T) {
	p := sqliteRaced(t)
	for _, path := range []string{
		"/main.go", "/go.mod", "/package.json", "/.env", "/data/expenseflow.db", "/data/jwt_secret",
		"/static/index.html", "/../go.mod", "/%2e%2e/go.mod",
	} {
		call(t, http.MethodGet, p.url()+path, "", nil).want(t, http.StatusNotFound)
	}
}

func TestD31EveryErrorIsJSON(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	for want, requests := range map[int][]answer{
		http.StatusNotFound: {
			a.call(t, http.MethodGet, "/api/nothing/here", nil),
			a.call(t, http.MethodDelete, "/api/expenses/not-an-id", nil),
			a.call(t, http.MethodPut, "/api/expenses/"+strings.Repeat("0", 24), draft("nobody's")),
		},
		http.StatusBadRequest:            {a.call(t, http.MethodPost, "/api/expenses", `{"description":`)},
		http.StatusRequestEntityTooLarge: {a.call(t, http.MethodPost, "/api/expenses", `{"notes":"`+strings.Repeat("x", 2<<20)+`"}`)},
		http.StatusUnauthorized:          {a.with("garbage").call(t, http.MethodGet, "/api/expenses", nil)},
	} {
		for _, r := range requests {
			var body struct{ Error, Message string }
			r.want(t, want).into(t, &body)
			if body.Error == "" || body.Message == "" {
				t.Errorf("%d says %s", want, r.body)
			}
		}
	}
}

func TestD32JWTExpireHasADefaultAndCountsInSeconds(t *testing.T) {
	for name, tt := range map[string]struct {
		settings []string
		want     time.Duration
	}{
		"unset":  {nil, 7 * 24 * time.Hour},
		"number": {[]string{"JWT_EXPIRE=3600"}, time.Hour},
		"days":   {[]string{"JWT_EXPIRE=2d"}, 48 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := register(t, start(t, tt.settings...))
			var claims jwt.RegisteredClaims
			if _, _, err := jwt.NewParser().ParseUnverified(a.Token, &claims); err != nil {
				t.Fatal(err)
			}
			same(t, "life of a token", tt.want, claims.ExpiresAt.Sub(claims.IssuedAt.Time))
		})
	}
}

// A limit that counts pages and batches together empties nobody's queue.
func TestD34PagesAndBatchesAreNotRationed(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	op := a.queued("CREATE", "temp_1", draft("sent again and again"))
	for range 70 {
		call(t, http.MethodGet, p.url()+"/", "", nil).want(t, http.StatusOK)
		a.batch(t, op)
	}
	same(t, "stored expenses", 1, len(a.expenses(t)))
}

// Documents that a client sends as events are nobody else's to hear.
func TestD36WhatClientsSayIsNeverRelayed(t *testing.T) {
	p := sqliteRaced(t)
	n := startNode(t)
	a, b := register(t, p), register(t, p)
	own, sibling, stranger := n.connect(t, a, transports[1]), n.connect(t, a, transports[0]), n.connect(t, b, transports[1])
	forged := map[string]any{"_id": strings.Repeat("f", 24), "description": "forged", "amount": 1, "type": "expense", "user": b.ID}
	for _, name := range changeEvents {
		own.emit(t, name, forged)
	}
	last, other := a.settle(t, own, sibling), b.settle(t, stranger)
	for _, d := range []*device{own, sibling} {
		same(t, "events of the sender's devices", []string{"expense_created " + last.ID}, d.changes())
	}
	same(t, "events of the other user", []string{"expense_created " + other.ID}, stranger.changes())
	same(t, "stored expenses", 1, len(a.expenses(t)))
}
