package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A household is two users: the one has three devices, each by another transport,
// the other one and hears nothing of the first.
type household struct {
	*account
	node    *node
	devices []*device // deviceId device_0, device_1 and device_2 of the account
	other   *account
	foreign *device
}

func newHousehold(t *testing.T, p *program) *household {
	t.Helper()
	h := &household{account: register(t, p), other: register(t, p), node: startNode(t)}
	for i, tr := range transports {
		h.devices = append(h.devices, h.join(t, tr, map[string]any{"deviceId": h.device(fmt.Sprint(i))}))
	}
	h.foreign = h.node.connect(t, h.other, transports[1])
	return h
}

// join connects a device of the account's that says this of itself too.
func (h *household) join(t *testing.T, tr transport, auth map[string]any) *device {
	t.Helper()
	auth["token"] = h.Token
	options := tr.options()
	options["auth"] = auth
	d := h.node.open(t, h.p.url(), options)
	d.await(t, "connect", 1)
	d.hear(t, 1, "account:balance") // it is in its room
	return d
}

// undisturbed wants the other user to have heard nothing but how things stand for
// itself, which is nothing and zero.
func (h *household) undisturbed(t *testing.T) {
	t.Helper()
	h.other.settle(t, h.foreign)
	for _, e := range h.foreign.events() {
		if text := join(e.Args); strings.Contains(text, h.ID) || strings.Contains(text, "secret of the first") {
			t.Errorf("the other user heard %s %s", e.Name, text)
		}
		if !slices.Contains([]string{
			"system:status", "notification_count", "account:balance", "presence:update", "expense_created",
			"expense:created",
		}, e.Name) &&
			!(e.Name == "notification" && strings.Contains(join(e.Args), lastChange)) {
			t.Errorf("the other user heard %s %s", e.Name, join(e.Args))
		}
	}
}

// awaitState waits until the newest event of a name is as it should be.
func (d *device) awaitState(t *testing.T, name string, right func(payload map[string]any) bool) map[string]any {
	t.Helper()
	var last map[string]any
	d.awaitThat(t, name+" as it should be", func(notes []note) bool {
		all := eventsIn(notes, []string{name})
		if len(all) == 0 || json.Unmarshal(all[len(all)-1].Args[0], &last) != nil {
			return false
		}
		return right(last)
	})
	return last
}

// answered sends a command and gives the payload of its acknowledgement.
func (d *device) answered(t *testing.T, event string, args ...any) map[string]any {
	t.Helper()
	back := d.ask(t, event, args...)
	if len(back) != 1 {
		t.Fatalf("%s was answered with %d arguments", event, len(back))
	}
	return object(t, back[0])
}

func (d *device) both() []string {
	var out []string
	for _, e := range d.events("expense_created", "expense:created") {
		out = append(out, e.Name+" "+idOf(e))
	}
	return out
}

// spelt returns both events of the creation of each expense.
func spelt(ids ...string) (out []string) {
	for _, id := range ids {
		out = append(out, "expense_created "+id, "expense:created "+id)
	}
	return out
}

func TestLiveBothSpellingsCarryTheSameOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		e := h.create(t, "secret of the first", h.phone())
		h.call(t, http.MethodPut, "/api/expenses/"+e.ID, from(h.phone(), draft("edited"))).want(t, http.StatusOK)
		h.call(t, http.MethodDelete, "/api/expenses/"+e.ID, from(h.phone(), map[string]any{})).want(t, http.StatusOK)
		last := h.settle(t, h.devices...)
		for _, d := range h.devices {
			d.hear(t, 2, "expense:created")
			for kind, n := range map[string]int{"created": 2, "updated": 1, "deleted": 1} {
				underscore, colon := d.events("expense_"+kind), d.events("expense:"+kind)
				same(t, kind, []int{n, n}, []int{len(underscore), len(colon)})
				for i := range underscore {
					same(t, kind, string(underscore[i].Args[0]), string(colon[i].Args[0]))
				}
			}
			same(t, "order", spelt(e.ID, last.ID), d.both())
		}
		h.undisturbed(t)
	})
}

func TestLiveEventNamesChooseASpelling(t *testing.T) {
	for names, want := range map[string]string{"underscore": "expense_created", "colon": "expense:created"} {
		t.Run(names, func(t *testing.T) {
			t.Parallel()
			p := startRaced(t, "EVENT_NAMES="+names)
			a := register(t, p)
			d := startNode(t).connect(t, a, transports[1])
			var ids []string
			for range 3 {
				ids = append(ids, want+" "+a.create(t, "lunch", "").ID)
			}
			d.hear(t, 3, want)
			same(t, "events", ids, d.both())
		})
	}
}

// The line breaks exactly behind one of the two spellings, with the other one
// already on its way or not: each of them is heard once.
func TestLiveACutBetweenTheSpellingsRepeatsNeitherAndMissesNeither(t *testing.T) {
	p := sqliteRaced(t)
	for _, behind := range []string{"expense_created", "expense:created"} {
		t.Run(behind, func(t *testing.T) {
			t.Parallel()
			a, x := register(t, p), startFrameCutter(t, p)
			d := startNode(t).connectAt(t, x.URL(), a, transports[1])
			var want []string
			for round := range 5 {
				x.cutBehind(behind, 2)
				want = append(want, spelt(ids(a.batch(t, a.creates(3)...))...)...)
				d.await(t, "connect", round+2)
				want = append(want, spelt(a.settle(t, d).ID)...)
			}
			d.hear(t, len(want), "expense_created", "expense:created")
			same(t, "events", want, d.both())
			same(t, "recovered", []bool{false, true, true, true, true, true}, d.recovered(t))
		})
	}
}

// The document's own test, with the listener first.
func TestLiveDocumentsOwnTest(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		testData := draft("secret of the first")
		h.devices[0].emit(t, "expense:create", testData)
		for _, d := range h.devices { // the sender too
			got := object(t, d.hear(t, 1, "expense:created")[0].Args[0])
			for key, want := range testData {
				same(t, key, fmt.Sprint(want), fmt.Sprint(got[key]))
			}
			same(t, "device", h.device("0"), got["deviceId"])
		}
		h.undisturbed(t)
	})
}

func TestLiveCommandsAreTheSameAsRequests(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		d := h.devices[1]
		data := from(h.phone(), draft("secret of the first"))
		data["clientId"] = "form 1"
		first := d.answered(t, "expense:create", data)
		again := d.answered(t, "expense:create", data)
		same(t, "repetition", first, again)
		e, _ := first["expense"].(map[string]any)
		id := fmt.Sprint(e["_id"])
		same(t, "stored", id, h.expenses(t)[0].ID)

		updated := d.answered(t, "expense:update", map[string]any{"id": id, "version": 1, "amount": 20})
		e, _ = updated["expense"].(map[string]any)
		same(t, "updated", []any{true, 20.0, 2.0, "secret of the first"},
			[]any{updated["ok"], e["amount"], e["version"], e["description"]})
		stale := d.answered(t, "expense:update", map[string]any{"id": id, "version": 1, "amount": 30})
		current, _ := stale["current"].(map[string]any)
		same(t, "conflict", []any{false, "CONFLICT", 2.0}, []any{stale["ok"], stale["code"], current["version"]})
		deleted := d.answered(t, "expense:delete", map[string]any{"id": id})
		same(t, "deleted", true, deleted["ok"])
		same(t, "deleted again", "NOT_FOUND", d.answered(t, "expense:delete", map[string]any{"id": id})["code"])

		// A temporary id of a batch works wherever an id does.
		h.batch(t, h.queued("CREATE", "temp_7", draft("offline")))
		same(t, "by temporary id", true, d.answered(t, "expense:delete", map[string]any{"id": "temp_7", "deviceId": h.phone()})["ok"])
		for _, device := range h.devices {
			heard := device.hear(t, 5, changeEvents...)
			same(t, "author of the creation", h.phone(), object(t, heard[0].Args[0])["deviceId"])
			same(t, "author of the update", h.device("1"), object(t, heard[1].Args[0])["deviceId"])
			same(t, "events", 5, len(device.changes()))
		}
		h.undisturbed(t)
	})
}

func TestLiveCommandsThatAreRefusedChangeNothing(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		theirs := h.other.create(t, "theirs", "")
		d := h.devices[0]
		good := draft("secret of the first")
		amiss := draft("secret of the first")
		amiss["amount"] = -5
		tests := []struct {
			event string
			args  []any
			code  string
		}{
			{"expense:create", []any{amiss}, "INVALID"},
			{"expense:create", []any{map[string]any{}}, "INVALID"},
			{"expense:create", []any{good, "no function"}, "INVALID"},
			{"expense:create", []any{good, map[string]any{}}, "INVALID"},
			{"expense:create", []any{[]any{good}}, "INVALID"},
			{"expense:create", []any{"text"}, "INVALID"},
			{"expense:create", nil, "INVALID"},
			{"expense:update", []any{map[string]any{"id": theirs.ID, "amount": 1}}, "NOT_FOUND"},
			{"expense:update", []any{map[string]any{"amount": 1}}, "INVALID"},
			{"expense:delete", []any{map[string]any{"id": theirs.ID}}, "NOT_FOUND"},
			{"expense:delete", []any{map[string]any{"id": "$where"}}, "NOT_FOUND"},
		}
		for i, tt := range tests {
			d.emit(t, tt.event, tt.args...)
			failure := object(t, d.hear(t, i+1, "error:event")[i].Args[0])
			same(t, fmt.Sprint(tt), []any{tt.event, tt.code}, []any{failure["event"], failure["code"]})
		}
		same(t, "with an acknowledgement", "INVALID", d.answered(t, "expense:create", amiss)["code"])
		same(t, "events besides", 0, len(d.changes()))
		same(t, "expenses", 0, len(h.expenses(t)))
		same(t, "others heard of errors", 0, len(h.devices[1].events("error:event"))+len(h.devices[2].events("error:event")))
		same(t, "theirs", theirs.ID, h.other.expenses(t)[0].ID)
	})
}

func TestLiveWhoSaysTooMuchIsRefused(t *testing.T) {
	p := startRaced(t, "SOCKET_RATE=5/1h")
	a := register(t, p)
	d := startNode(t).connect(t, a, transports[1])
	for range 5 {
		same(t, "within the rate", true, d.answered(t, "expense:create", draft("lunch"))["ok"])
	}
	over := d.answered(t, "expense:create", draft("lunch"))
	same(t, "over the rate", []any{false, "RATE_LIMITED"}, []any{over["ok"], over["code"]})
	if ms, _ := over["retryAfterMs"].(float64); ms < 1 || ms > 12*60*1000 {
		t.Errorf("retry after %v ms", over["retryAfterMs"])
	}
	same(t, "event", "RATE_LIMITED", object(t, d.hear(t, 1, "error:event")[0].Args[0])["code"])
	for range 20*5 + 2 {
		d.emit(t, "expense:create", draft("lunch"))
	}
	same(t, "goodbye", `"io server disconnect"`, string(d.await(t, "disconnect", 1).Args[0]))
	same(t, "expenses", 5, len(a.expenses(t)))
}

// budget makes one for food of this month.
func (a *account) budget(t *testing.T, amount float64) string {
	t.Helper()
	var b struct {
		ID string `json:"_id"`
	}
	a.call(t, http.MethodPost, "/api/budgets",
		map[string]any{"name": "Food", "category": "food", "amount": amount, "period": "monthly"}).
		want(t, http.StatusCreated).into(t, &b)
	return b.ID
}

func TestLiveABudgetWarnsOncePerLevel(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		id := h.budget(t, 50) // draft and create spend 12.5
		for range 6 {         // 25 % each: threshold at 4, over at 5
			h.create(t, "secret of the first", h.phone())
		}
		h.settle(t, h.devices...)
		for _, d := range h.devices {
			same(t, "budget:created", id, idOf(d.hear(t, 1, "budget:created")[0]))
			var levels []string
			for _, e := range d.hear(t, 2, "budget:alert") {
				a := object(t, e.Args[0])
				levels = append(levels, fmt.Sprint(a["budgetId"], " ", a["spent"], " ", a["isOverBudget"]))
			}
			same(t, "alerts", []string{id + " 50 false", id + " 62.5 true"}, levels)
			var told []string
			for _, e := range d.hear(t, 2, "notification") {
				n := object(t, e.Args[0])
				told = append(told, fmt.Sprint(n["type"], " ", n["priority"], " ", n["read"]))
			}
			same(t, "notifications", []string{"budget_alert high false", "budget_alert critical false"}, told)
			d.awaitState(t, "notification_count", func(p map[string]any) bool { return p["count"] == 2.0 })
		}
		h.undisturbed(t)
	})
}

func TestLiveNotificationsAreKeptAndCountedOnEveryDevice(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		h.budget(t, 12.5)
		h.create(t, "secret of the first", "")
		live := object(t, h.devices[0].hear(t, 1, "notification")[0].Args[0])
		var page struct{ Notifications []map[string]any }
		h.call(t, http.MethodGet, "/api/notifications", nil).want(t, http.StatusOK).into(t, &page)
		same(t, "kept as it was told", []map[string]any{live}, page.Notifications)
		for _, d := range h.devices {
			d.awaitState(t, "notification_count", func(p map[string]any) bool { return p["count"] == 1.0 })
		}
		h.call(t, http.MethodPatch, "/api/notifications/"+fmt.Sprint(live["id"])+"/read", nil).want(t, http.StatusOK)
		for _, d := range h.devices {
			d.awaitState(t, "notification_count", func(p map[string]any) bool { return p["count"] == 0.0 })
		}
		h.undisturbed(t)
	})
}

// A device that was away hears a notification like any change: once.
func TestLiveNotificationsAreRecovered(t *testing.T) {
	p := startRaced(t)
	x, a := startProxy(t, p), register(t, p)
	d := startNode(t).connectAt(t, x.URL(), a, transports[1])
	away(t, x, d, func() {
		a.budget(t, 12.5)
		a.create(t, "lunch", "")
		p.crash(t)
	})
	a.settle(t, d)
	// 12.5 of 12.5 reaches the threshold, the last change goes over.
	want := []string{
		"budget:created", "expense_created", "expense:created", "budget:alert", "notification",
		"expense_created", "expense:created", "budget:alert", "notification",
	}
	var names []string
	for _, e := range d.hear(t, len(want), "budget:created", "budget:alert", "notification", "expense_created", "expense:created") {
		names = append(names, e.Name)
	}
	same(t, "events", want, names)
	same(t, "recovered", []bool{false, true}, d.recovered(t))
	d.awaitState(t, "account:balance", func(p map[string]any) bool { return p["balance"] == -25.0 })
}

func TestLiveExpenseNotificationsAreForTheOtherDevices(t *testing.T) {
	p := startRaced(t, "NOTIFY_EXPENSES=true")
	h := newHousehold(t, p)
	e := h.create(t, "secret of the first", h.device("1"))
	for _, i := range []int{0, 2} {
		n := object(t, h.devices[i].hear(t, 1, "notification")[0].Args[0])
		data, _ := n["data"].(map[string]any)
		same(t, "notification", []any{"expense_added", "low", e.ID, "created", h.device("1")},
			[]any{n["type"], n["priority"], data["expenseId"], data["action"], data["deviceId"]})
	}
	h.settle(t, h.devices...)
	h.devices[1].hear(t, 1, "notification") // that of the last change, which no device made
	for i, n := range []int{2, 1, 2} {
		same(t, "notifications", n, len(h.devices[i].hear(t, n, "notification")))
	}
	h.undisturbed(t)
}

func TestLiveTheBalanceMovesOncePerBatch(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		results := h.batch(t, h.creates(40)...)
		list := h.expenses(t)
		for _, d := range h.devices {
			d.awaitState(t, "account:balance", func(p map[string]any) bool { return p["cause"] != nil })
			same(t, "told", 2, len(d.events("account:balance"))) // once on connect
		}
		spent := 0.0
		for _, e := range list {
			amount, err := e.Amount.Float64()
			if err != nil {
				t.Fatal(err)
			}
			spent += amount
		}
		got := object(t, h.devices[0].events("account:balance")[1].Args[0])
		same(t, "balance", []any{-spent, 0.0, spent, -spent, map[string]any{"expenseId": results[39].id(), "action": "created"}},
			[]any{got["balance"], got["income"], got["expense"], got["delta"], got["cause"]})
		asked := object(t, h.call(t, http.MethodGet, "/api/accounts/balance", nil).want(t, http.StatusOK).body)
		same(t, "as by request", asked["balance"], got["balance"])
		late := h.join(t, transports[1], map[string]any{})
		same(t, "on connect", asked["balance"], object(t, late.events("account:balance")[0].Args[0])["balance"])
		h.undisturbed(t)
	})
}

func TestLiveADashboardMovesByItself(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		subscriber, ranged, silent := h.devices[0], h.devices[1], h.devices[2]
		first := subscriber.answered(t, "dashboard:subscribe")
		same(t, "snapshot", first["dashboard"], any(object(t, subscriber.hear(t, 1, "dashboard:update")[0].Args[0])))
		same(t, "answer", true,
			ranged.answered(t, "dashboard:subscribe", map[string]any{"from": "2020-01-01", "to": "2020-01-31"})["ok"])

		h.batch(t, h.creates(60)...)
		board := subscriber.awaitState(t, "dashboard:update", func(p map[string]any) bool {
			totals, _ := p["totals"].(map[string]any)
			return totals["count"] == 60.0
		})
		same(t, "as by request", without(object(t, h.call(t, http.MethodGet, "/api/dashboard", nil).want(t, http.StatusOK).body)),
			without(board))
		same(t, "recent", 10, len(board["recent"].([]any)))
		empty := ranged.awaitState(t, "dashboard:update", func(p map[string]any) bool { return p["version"] == board["version"] })
		same(t, "of other days", 0.0, empty["totals"].(map[string]any)["count"])
		same(t, "without a subscription", 0, len(silent.events("dashboard:update")))

		same(t, "unsubscribed", true, subscriber.answered(t, "dashboard:unsubscribe")["ok"])
		before := len(subscriber.events("dashboard:update"))
		h.settle(t, h.devices...)
		ranged.awaitState(t, "dashboard:update",
			func(p map[string]any) bool { return p["version"].(float64) > board["version"].(float64) })
		same(t, "after that", before, len(subscriber.events("dashboard:update")))
		h.undisturbed(t)
	})
}

// without leaves out when a dashboard was made.
func without(board map[string]any) map[string]any {
	delete(board, "generatedAt")
	return board
}

func TestLiveDashboardsOfNoRangeAreRefused(t *testing.T) {
	d := newHousehold(t, sqliteRaced(t)).devices[0]
	for i, arg := range []any{
		map[string]any{"from": "2026-02-01", "to": "2026-01-01"}, map[string]any{"from": "soon"}, "2026-01-01", 7, []any{},
	} {
		same(t, fmt.Sprint(arg), "INVALID", d.answered(t, "dashboard:subscribe", arg)["code"])
		same(t, "event", "dashboard:subscribe", object(t, d.hear(t, i+1, "error:event")[i].Args[0])["event"])
	}
	same(t, "updates", 0, len(d.events("dashboard:update")))
}

func TestLiveALargeBatchIsOneEventForWhoAsks(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		h := newHousehold(t, p)
		asks := h.join(t, transports[1], map[string]any{"features": []string{"batch"}})
		made := ids(h.batch(t, h.creates(60)...))
		last := h.settle(t, append(h.devices, asks)...)
		for _, d := range h.devices {
			same(t, "singles", prefixed("expense_created ", append(made, last.ID)), d.changes())
			same(t, "batches", 0, len(d.events("expenses:batch")))
		}
		batches := asks.events("expenses:batch")
		same(t, "batches", 1, len(batches))
		var batch struct {
			Created, Updated, Deleted []expense
			DeviceID                  string
		}
		batches[0].into(t, &batch)
		var got []string
		for _, e := range batch.Created {
			got = append(got, e.ID)
		}
		same(t, "created", made, got)
		same(t, "the rest", []any{0, 0, h.phone()}, []any{len(batch.Updated), len(batch.Deleted), batch.DeviceID})
		same(t, "singles", []string{"expense_created " + last.ID}, asks.changes())
		h.undisturbed(t)
	})
}

const adminToken = "an admin token of the tests"

func TestLiveSystemStatusIsToldToEverybody(t *testing.T) {
	p := startRaced(t, "ADMIN_TOKEN="+adminToken)
	h := newHousehold(t, p)
	everybody := append(h.devices, h.foreign)
	is := func(status, message string) func(map[string]any) bool {
		return func(p map[string]any) bool {
			return p["status"] == status && (message == "" || p["message"] == message)
		}
	}
	for _, d := range everybody {
		d.awaitState(t, "system:status", is("ok", ""))
	}
	said := map[string]any{"status": "degraded", "message": "slow today"}
	for token, want := range map[string]int{
		"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized,
		h.Token: http.StatusUnauthorized, adminToken: http.StatusOK,
	} {
		call(t, http.MethodPost, p.url()+"/api/admin/status", token, said).want(t, want)
	}
	call(t, http.MethodPost, p.url()+"/api/admin/status", adminToken, map[string]any{"status": "on fire"}).want(t,
		http.StatusBadRequest)
	late := h.join(t, transports[0], map[string]any{})
	for _, d := range append(everybody, late) {
		d.awaitState(t, "system:status", is("degraded", "slow today"))
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	for _, d := range append(everybody, late) {
		d.awaitState(t, "system:status", is("shutting_down", ""))
		d.await(t, "disconnect", 1)
	}
	awaitReasons(t, everybody, "transport close", "transport error")
}

func TestLiveWithoutAnAdminTokenThereIsNoAdmin(t *testing.T) {
	p := sqliteRaced(t)
	call(t, http.MethodPost, p.url()+"/api/admin/status", "", map[string]any{"status": "ok"}).want(t, http.StatusNotFound)
}

// Old pages listen to the first seed's events alone: a thousand of the others do
// them no harm, and what they sent they hear once.
func TestLiveStatesNeverMoveAnOffset(t *testing.T) {
	p := startRaced(t)
	x, a := startProxy(t, p), register(t, p)
	d := startNode(t).connectAt(t, x.URL(), a, transports[1])
	d.answered(t, "dashboard:subscribe")
	e := a.create(t, "lunch", "")
	d.awaitState(t, "account:balance", func(p map[string]any) bool { return p["cause"] != nil })
	d.awaitState(t, "dashboard:update", func(p map[string]any) bool { return p["version"] == 1.0 })
	away(t, x, d, func() {})
	last := a.settle(t, d)
	d.hear(t, 4, "expense_created", "expense:created")
	same(t, "events", spelt(e.ID, last.ID), d.both())
	same(t, "recovered", []bool{false, true}, d.recovered(t))
}
