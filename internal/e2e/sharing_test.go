package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// openNamed connects a device of the account's that names itself, through the
// address of its program or of a proxy.
func (n *node) openNamed(t *testing.T, url string, a *account, name string) *device {
	t.Helper()
	options := transports[1].options()
	options["auth"] = map[string]any{"token": a.Token, "deviceId": a.device(name)}
	d := n.open(t, url, options)
	d.await(t, "connect", 1)
	d.hear(t, 1, "presence:update")
	return d
}

func (d *device) disconnect(t *testing.T) {
	t.Helper()
	d.node.do(t, map[string]any{"do": "disconnect", "device": d.name})
}

func roomOf(e expense) map[string]any { return map[string]any{"room": "expense:" + e.ID} }

// inRoom returns who is in a room as the device is told, by user and device.
func (d *device) inRoom(t *testing.T, e expense) []string {
	t.Helper()
	return guests(t, d.answered(t, "presence:list", roomOf(e)))
}

func guests(t *testing.T, answer map[string]any) (out []string) {
	t.Helper()
	if answer["ok"] != true {
		t.Fatalf("the room is not open: %v", answer)
	}
	for _, m := range answer["members"].([]any) {
		member := m.(map[string]any)
		out = append(out, fmt.Sprint(member["user"].(map[string]any)["id"], " ", member["deviceId"]))
	}
	slices.Sort(out)
	return out
}

// awaitActivity waits until the device hears in a room that somebody did this, with
// the text in it.
func (d *device) awaitActivity(t *testing.T, kind string, by *account, text string) {
	t.Helper()
	d.awaitThat(t, kind+" by "+by.Name, func(notes []note) bool {
		return slices.ContainsFunc(eventsIn(notes, []string{"room:activity"}), func(e event) bool {
			var a struct {
				Type string
				User struct{ ID string }
			}
			return json.Unmarshal(e.Args[0], &a) == nil && a.Type == kind && a.User.ID == by.ID && strings.Contains(join(e.Args), text)
		})
	})
}

// copied is what a page holds that did nothing but listen, by id.
func (d *device) copied(t *testing.T) map[string]string {
	t.Helper()
	held := map[string]string{}
	for _, ev := range d.events(changeEvents...) {
		var e expense
		if err := json.Unmarshal(ev.Args[0], &e); err != nil {
			t.Fatal(err)
		}
		held[e.ID] = e.Description
		if ev.Name == "expense_deleted" {
			delete(held, e.ID)
		}
	}
	return held
}

// listed is what GET /api/expenses says, as copied does.
func (a *account) listed(t *testing.T) map[string]string {
	t.Helper()
	held := map[string]string{}
	for _, e := range a.expenses(t) {
		held[e.ID] = e.Description
	}
	return held
}

// neverHeard wants a text in none of the device's events.
func (d *device) neverHeard(t *testing.T, text string) {
	t.Helper()
	for _, e := range d.events() {
		if strings.Contains(join(e.Args), text) {
			t.Errorf("%s heard %s %s", d.name, e.Name, join(e.Args))
		}
	}
}

func (a *account) edit(t *testing.T, e expense, description string) {
	t.Helper()
	a.call(t, http.MethodPut, "/api/expenses/"+e.ID, from(a.phone(), draft(description))).want(t, http.StatusOK)
}

// A sharingFixture is two users with two devices each, and an expense of the first's that
// the second may edit. The second's tablet is behind a line that can be cut.
type sharingFixture struct {
	owner, member *account
	expense       expense
	line          *proxy
	hers, his     []*device // phone and tablet of each
}

func newSharingFixture(t *testing.T, p *program) *sharingFixture {
	t.Helper()
	c := &sharingFixture{owner: register(t, p), member: register(t, p), line: startProxy(t, p)}
	n := startNode(t)
	c.hers = []*device{n.openNamed(t, p.url(), c.owner, "phone"), n.openNamed(t, p.url(), c.owner, "tablet")}
	c.his = []*device{n.openNamed(t, p.url(), c.member, "phone"), n.openNamed(t, c.line.URL(), c.member, "tablet")}
	c.expense = c.owner.create(t, "as it was made", c.owner.phone())
	c.owner.share(t, c.expense.ID, c.member)
	return c
}

func (c *sharingFixture) all() []*device { return slices.Concat(c.hers, c.his) }

func (c *sharingFixture) share(t *testing.T, method, path string, body map[string]any) {
	t.Helper()
	c.owner.call(t, method, "/api/expenses/"+c.expense.ID+"/share"+path, from(c.owner.phone(), body)).want(t, http.StatusOK)
}

// meet has all four devices join the expense's room, and talk.
func (c *sharingFixture) meet(t *testing.T) {
	t.Helper()
	var there []string
	for _, d := range c.all() {
		there = guests(t, d.answered(t, "room:join", roomOf(c.expense)))
	}
	want := []string{
		c.owner.ID + " <nil>", // he is told that she is there, and not by which devices
		c.member.ID + " " + c.member.device("phone"), c.member.ID + " " + c.member.device("tablet"),
	}
	slices.Sort(want)
	same(t, "who is there", want, there)
	comment, typing := roomOf(c.expense), roomOf(c.expense)
	comment["type"], comment["data"], typing["type"] = "comment", "what he says", "typing"
	same(t, "said", true, c.his[0].answered(t, "room:activity", comment)["ok"])
	c.hers[0].emit(t, "room:activity", typing)
	for i, d := range c.all() {
		d.awaitActivity(t, "comment", c.member, "what he says")
		if i > 0 { // she does not hear that she types
			d.awaitActivity(t, "typing", c.owner, "")
		}
	}
}

// Two users and four devices share an expense. One of the member's is away while
// the owner edits, takes the expense back and edits again: it goes on where it was
// and hears that the expense has gone, and nothing of what it was meanwhile.
func TestWhoWasAwayWhileItWasUnsharedHearsThatItHasGone(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		c := newSharingFixture(t, p)
		for _, d := range c.all() {
			d.hear(t, 2, "expense_created", "expense:created")
		}
		c.member.edit(t, c.expense, "as he edited it")
		for _, d := range c.all() {
			e := d.hear(t, 1, "expense_updated")[0]
			by := any(nil) // what his devices are called is his own
			if slices.Contains(c.his, d) {
				by = c.member.phone()
			}
			same(t, "edited", []any{"as he edited it", by}, []any{object(t, e.Args[0])["description"], object(t, e.Args[0])["deviceId"]})
		}
		c.meet(t)

		away(t, c.line, c.his[1], func() {
			c.owner.edit(t, c.expense, "while he was away")
			c.his[0].hear(t, 2, "expense_updated")
			c.his[0].awaitActivity(t, "updated", c.owner, "")
			c.share(t, http.MethodDelete, "/"+c.member.ID, map[string]any{})
			c.owner.edit(t, c.expense, "when it was hers alone")
		})
		hers, his := c.owner.settle(t, c.hers...), c.member.settle(t, c.his...)

		c.check(t, hers, his)
		c.checkRoom(t)
	})
}

// check wants each device to have heard what it may, in order.
func (c *sharingFixture) check(t *testing.T, hers, his expense) {
	t.Helper()
	made, edited, gone := "expense_created "+c.expense.ID, "expense_updated "+c.expense.ID, "expense_deleted "+c.expense.ID
	for _, d := range c.hers {
		same(t, "she heard", []string{made, edited, edited, edited, "expense_created " + hers.ID}, d.changes())
		same(t, "she holds", c.owner.listed(t), d.copied(t))
	}
	same(t, "his phone heard", []string{made, edited, edited, gone, "expense_created " + his.ID}, c.his[0].changes())
	same(t, "his tablet heard", []string{made, edited, gone, "expense_created " + his.ID}, c.his[1].changes())
	same(t, "his tablet was recovered", []bool{false, true}, c.his[1].recovered(t))
	c.his[1].neverHeard(t, "while he was away")
	for _, d := range c.his {
		same(t, "he holds", c.member.listed(t), d.copied(t))
		d.neverHeard(t, "when it was hers alone")
	}
}

// checkRoom wants none of his devices in the room any more.
func (c *sharingFixture) checkRoom(t *testing.T) {
	t.Helper()
	same(t, "who is there", []string{c.owner.ID + " " + c.owner.device("phone"), c.owner.ID + " " + c.owner.device("tablet")},
		c.hers[0].inRoom(t, c.expense))
	comment := roomOf(c.expense)
	comment["type"], comment["data"] = "comment", "among ourselves"
	same(t, "said", true, c.hers[0].answered(t, "room:activity", comment)["ok"])
	c.hers[1].awaitActivity(t, "comment", c.owner, "among ourselves")
	for _, d := range c.his {
		for _, event := range []string{"presence:list", "room:join"} {
			same(t, event, "FORBIDDEN", d.answered(t, event, roomOf(c.expense))["code"])
		}
		d.neverHeard(t, "among ourselves")
	}
}

// A page that comes back after kill -9 joins nothing and subscribes to nothing: it
// is in its room and has its dashboard as before.
func TestAPageIsInItsRoomAndHasItsDashboardAfterKill9(t *testing.T) {
	p := startRaced(t)
	a, n := register(t, p), startNode(t)
	e := a.create(t, "seen by two", a.phone())
	page, other := n.openNamed(t, p.url(), a, "phone"), n.openNamed(t, p.url(), a, "tablet")
	same(t, "subscribed", true, page.answered(t, "dashboard:subscribe")["ok"])
	for _, d := range []*device{page, other} {
		same(t, "joined", true, d.answered(t, "room:join", roomOf(e))["ok"])
	}

	p.crash(t)
	both := []string{a.ID + " " + a.device("phone"), a.ID + " " + a.device("tablet")}
	for _, d := range []*device{page, other} {
		d.await(t, "connect", 2)
		same(t, "recovered", []bool{false, true}, d.recovered(t))
	}
	for _, d := range []*device{page, other} {
		d.awaitThat(t, "both in the room", func([]note) bool { return slices.Equal(both, d.inRoom(t, e)) })
	}
	boards := len(page.events("dashboard:update"))
	comment := roomOf(e)
	comment["type"], comment["data"] = "comment", "said after the kill"
	same(t, "said", true, other.answered(t, "room:activity", comment)["ok"])
	page.awaitActivity(t, "comment", a, "said after the kill")
	a.edit(t, e, "edited after the kill")
	page.hear(t, boards+1, "dashboard:update")
	page.awaitState(t, "dashboard:update", func(p map[string]any) bool {
		return strings.Contains(fmt.Sprint(p["recent"]), "edited after the kill")
	})
}

// present returns the devices of a presence, by name.
func present(payload json.RawMessage) string {
	var doc struct {
		Devices []struct{ DeviceID string }
	}
	if err := json.Unmarshal(payload, &doc); err != nil {
		return err.Error()
	}
	var names []string
	for _, d := range doc.Devices {
		names = append(names, d.DeviceID)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// sawPresent returns what a device was told of who is there, without repetitions.
func (d *device) sawPresent() (out []string) {
	for _, e := range d.events("presence:update") {
		out = append(out, present(e.Args[0]))
	}
	return slices.Compact(out)
}

// storm is how often a page is loaded anew while nobody may notice.
const storm = 200

// A page that is loaded anew again and again within seconds comes once and goes
// once, for the user's other devices.
func TestAReloadStormIsOneComingAndOneGoing(t *testing.T) {
	p := sqliteRaced(t)
	a, n := register(t, p), startNode(t)
	watching := n.openNamed(t, p.url(), a, "tablet")
	options := transports[1].options()
	options["auth"] = map[string]any{"token": a.Token, "deviceId": a.phone()}
	for i := range storm {
		d := n.open(t, p.url(), options)
		if i%2 == 0 { // the others are closed before they are there
			d.await(t, "connect", 1)
		}
		d.disconnect(t)
	}
	last := n.openNamed(t, p.url(), a, "phone")
	alone, both := a.device("tablet"), a.device("phone")+" "+a.device("tablet")
	same(t, "heard in the storm", []string{alone, both}, watching.sawPresent())
	last.disconnect(t)
	watching.hear(t, 3, "presence:update")
	same(t, "heard in all", []string{alone, both, alone}, watching.sawPresent())
}

// presentWithin is how soon presence is right after the last device has come back.
const presentWithin = 5 * second

// After kill -9 each device learns who is there, and that one has not come back.
func TestPresenceIsRightAfterKill9(t *testing.T) {
	p := startRaced(t)
	a, n := register(t, p), startNode(t)
	lost := n.openNamed(t, p.url(), a, "lost")
	var back []*device
	var names []string
	for i := range 3 {
		name := fmt.Sprint("d", i)
		back, names = append(back, n.openNamed(t, p.url(), a, name)), append(names, a.device(name))
	}
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}
	lost.disconnect(t)
	if err := p.start(); err != nil {
		t.Fatal(err)
	}

	var returned time.Time
	for _, d := range back {
		returned = later(returned, d.await(t, "connect", 2).At)
	}
	for _, d := range back {
		if took := d.awaitPresent(t, strings.Join(names, " ")).Sub(returned); took > presentWithin {
			t.Errorf("%s learned after %v who is there", d.name, took)
		}
	}
	same(t, "by request", strings.Join(names, " "),
		present(a.call(t, http.MethodGet, "/api/presence", nil).want(t, http.StatusOK).body))
}

func later(a, b time.Time) time.Time { return slices.MaxFunc([]time.Time{a, b}, time.Time.Compare) }

// awaitPresent returns when the device, since its second connection, was told that
// these are there and, so far, nothing else after it.
func (d *device) awaitPresent(t *testing.T, names string) (at time.Time) {
	t.Helper()
	since := d.noted("connect")[1].At
	d.awaitThat(t, "presence of "+names, func(notes []note) bool {
		all := eventsIn(notes, []string{"presence:update"})
		newest := slices.MaxFunc(all, func(a, b event) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
		at = newest.At
		return !at.Before(since) && present(newest.Args[0]) == names
	})
	return at
}
