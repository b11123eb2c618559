package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// connectAll returns a device of the account's per transport.
func (n *node) connectAll(t *testing.T, a *account) []*device {
	t.Helper()
	var all []*device
	for _, tr := range transports {
		all = append(all, n.connect(t, a, tr))
	}
	return all
}

func TestD22EveryDeviceHearsEveryChangeOnceWithItsAuthor(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		devices := startNode(t).connectAll(t, a)

		created := a.call(t, http.MethodPost, "/api/expenses", from(a.phone(), draft("lunch"))).want(t, http.StatusCreated)
		var e expense
		created.into(t, &e)
		updated := a.call(t, http.MethodPut, "/api/expenses/"+e.ID, from(a.phone(), draft("dinner"))).want(t, http.StatusOK)
		a.call(t, http.MethodDelete, "/api/expenses/"+e.ID, map[string]any{"deviceId": a.phone()}).want(t, http.StatusOK)

		for _, d := range devices {
			heard := d.hear(t, 3, changeEvents...)
			same(t, "events", []string{"expense_created " + e.ID, "expense_updated " + e.ID, "expense_deleted " + e.ID}, d.changes())
			same(t, "expense_created", document(t, created.body, a.phone()), object(t, heard[0].Args[0]))
			same(t, "expense_updated", document(t, updated.body, a.phone()), object(t, heard[1].Args[0]))
			same(t, "expense_deleted", map[string]any{"id": e.ID, "_id": e.ID, "deviceId": a.phone()}, object(t, heard[2].Args[0]))
		}
	})
}

// from names the device that a body comes from.
func from(deviceID string, body map[string]any) map[string]any {
	body["deviceId"] = deviceID
	return body
}

func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("no object: %s", text)
	}
	return v
}

// document is the answer's document as an event carries it: with the device
// that caused it (docs/contract.md#d22).
func document(t *testing.T, body []byte, deviceID string) map[string]any {
	return from(deviceID, object(t, body))
}

// A change whose author is unknown carries no deviceId, rather than an empty one.
func TestUnknownDeviceIsNotNamed(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	d := startNode(t).connect(t, a, transports[1])
	a.create(t, "lunch", "")
	if payload := object(t, d.hear(t, 1, "expense_created")[0].Args[0]); payload["deviceId"] != nil {
		t.Errorf("the event names device %v", payload["deviceId"])
	}
}

// Pages of 2026 that name no device may ask to be spared their own changes; the
// default is to tell everybody (docs/contract.md#d23).
func TestD23OwnTokenIsSparedOnRequest(t *testing.T) {
	for _, suppress := range []bool{false, true} {
		t.Run(fmt.Sprint(suppress), func(t *testing.T) {
			t.Parallel()
			p := startRaced(t, fmt.Sprintf("SUPPRESS_SELF_BY_TOKEN=%v", suppress))
			n := startNode(t)
			a := register(t, p)
			own, other := n.connect(t, a, transports[1]), n.connect(t, a.login(t), transports[1])

			unnamed := a.create(t, "without a device", "")
			named := a.create(t, "from the phone", a.phone())

			want := []string{"expense_created " + unnamed.ID, "expense_created " + named.ID}
			other.hear(t, 2, "expense_created")
			same(t, "events of another token", want, other.changes())
			if suppress {
				want = want[1:]
			}
			own.hear(t, len(want), "expense_created")
			same(t, "events of the same token", want, own.changes())
		})
	}
}

func TestTwoUsersNeverHearEachOther(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		n := startNode(t)
		a, b := register(t, p), register(t, p)
		as, bs := n.connectAll(t, a), n.connectAll(t, b)

		everythingAnAccountCanDo(t, a)
		everythingAnAccountCanDo(t, b)
		a.settle(t, as...)
		b.settle(t, bs...)

		checkHeardOnly(t, a, as)
		checkHeardOnly(t, b, bs)
	})
}

// everythingAnAccountCanDo causes an event of each kind, by each door.
func everythingAnAccountCanDo(t *testing.T, a *account) {
	t.Helper()
	e := a.create(t, "by HTTP", a.phone())
	a.call(t, http.MethodPut, "/api/expenses/"+e.ID, from(a.phone(), draft("edited"))).want(t, http.StatusOK)
	a.batch(t,
		a.queued("CREATE", "temp_1", draft("by a batch")),
		a.queued("UPDATE", "temp_1", map[string]any{"amount": 7}),
		a.queued("DELETE", "temp_1", nil),
		a.queued("CREATE", "temp_2", map[string]any{"description": "never valid"}))
	a.call(t, http.MethodDelete, "/api/expenses/"+e.ID, nil).want(t, http.StatusOK)
}

// checkHeardOnly wants all of the account's events and nobody else's.
func checkHeardOnly(t *testing.T, a *account, devices []*device) {
	t.Helper()
	want := []string{
		"expense_created", "expense_updated", "expense_created", "expense_updated", "expense_deleted", "expense_deleted",
		"expense_created",
	}
	for _, d := range devices {
		var names []string
		for _, e := range d.events(changeEvents...) {
			names = append(names, e.Name)
			if doc := object(t, e.Args[0]); e.Name != "expense_deleted" && doc["user"] != a.ID {
				t.Errorf("a device of %s heard %s of user %v", a.ID, e.Name, doc["user"])
			}
		}
		same(t, "events", want, names)
		same(t, "number of sync_error", 1, len(d.hear(t, 1, "sync_error")))
	}
}

// Devices come back by themselves, whether the server says goodbye or dies.
func TestDevicesReturnToARestartedServer(t *testing.T) {
	ends := map[string]func(*program) error{"stopped": (*program).stop, "killed": (*program).kill}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startRaced(t)
			a := register(t, p)
			devices := startNode(t).connectAll(t, a)

			if err := end(p); err != nil {
				t.Fatal(err)
			}
			awaitReasons(t, devices, "transport close", "transport error")
			if err := p.start(); err != nil {
				t.Fatal(err)
			}

			for _, d := range devices {
				d.await(t, "connect", 2)
			}
			last := a.settle(t, devices...)
			for _, d := range devices {
				same(t, "events", []string{"expense_created " + last.ID}, d.changes())
			}
		})
	}
}

// awaitReasons waits for each device's disconnect and wants one of the reasons
// after which a client reconnects.
func awaitReasons(t *testing.T, devices []*device, reasons ...string) {
	t.Helper()
	for _, d := range devices {
		var reason string
		if err := json.Unmarshal(d.await(t, "disconnect", 1).Args[0], &reason); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(reasons, reason) {
			t.Errorf("%s was disconnected with %q, after which no client returns", d.name, reason)
		}
	}
}
