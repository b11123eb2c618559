package sockets

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
)

// A crowd hears presence without a network.
type crowd struct {
	*presence
	heard []wire.Presence
	noted int
}

func newCrowd() *crowd {
	c := &crowd{}
	c.presence = &presence{
		tellAll: func(userID string, _ *socketio.Packet) { c.heard = append(c.heard, c.document(userID)) },
		tell:    func(*session, *socketio.Packet) {},
		note:    func(*session) { c.noted++ },
		users:   make(map[string]map[string]*device),
	}
	return c
}

// of is a session of a device.
func (c *crowd) of(device string) *session {
	return &session{userID: "alice", device: device, key: "key of " + device}
}

// steps are how many devices were there each time somebody was told. A timer tells
// at any moment, so the reading takes the lock that the telling holds.
func (c *crowd) steps() (counts []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.heard {
		counts = append(counts, len(p.Devices))
	}
	return counts
}

func TestADeviceIsThereFromItsFirstSocketUntilAfterItsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		phone, laptop := c.of("phone"), c.of("laptop")
		c.arrive(phone)
		time.Sleep(time.Second)
		c.arrive(laptop)
		c.depart(phone)
		time.Sleep(grace - 1)
		same(t, "devices there", []int{1, 2}, c.steps())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		same(t, "devices there", []int{1, 2, 1}, c.steps())
		c.depart(laptop)
		time.Sleep(grace)
		synctest.Wait()
		same(t, "devices there", []int{1, 2, 1, 0}, c.steps())
		if last := c.heard[3]; last.Online || len(c.users) > 0 {
			t.Errorf("nobody is there, but %+v is said and %d users are kept", last, len(c.users))
		}
	})
}

func TestAThousandReloadsAreHeardOnceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		c.arrive(c.of("desk"))
		for range 1000 {
			s := c.of("phone")
			c.arrive(s)
			time.Sleep(rand.N(time.Second))
			c.depart(s)
			time.Sleep(rand.N(grace)) // always back in time
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "devices there", []int{1, 2, 1}, c.steps())
		same(t, "notes", 3, c.noted)
	})
}

// A device that comes back in the moment in which its grace ends is there.
func TestADeviceIsNotGivenUpWhileItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		for range 100 {
			s := c.of("phone")
			c.arrive(s)
			c.depart(s)
			time.Sleep(grace)
			again := c.of("phone")
			c.arrive(again)
			synctest.Wait()
			if got := c.document("alice"); !got.Online {
				t.Fatal("a device with a socket is not there")
			}
			c.depart(again)
		}
		c.end()
	})
}

// A timer that has run out may come to the lock after its device was back and has
// gone again.
func TestALateTimerEndsNoNewGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		phone := c.of("phone")
		c.arrive(phone)
		c.depart(phone)
		d := c.users["alice"]["phone"]
		c.arrive(phone)
		c.depart(phone)
		c.giveUp(phone, d, 1)
		if !c.document("alice").Online {
			t.Error("a device is given up before its grace is over")
		}
		c.end()
	})
}

func TestPresenceIsToldToTheUsersDevicesAlone(t *testing.T) {
	w := newWorld(t, Options{}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	w.tokens.give("b", "bob", time.Hour)
	first := w.open(t, "a")
	first.state(presenceEvent)
	bob := w.open(t, "b")
	phone := w.dial(t, nil)
	phone.connect(`{"token":"a","deviceId":"phone"}`)
	for _, b := range []*browser{first, phone} {
		said := b.state(presenceEvent)
		devices := said["devices"].([]any)
		same(t, "user", any("alice"), said["userId"])
		same(t, "devices", 2, len(devices))
		same(t, "named", any("phone"), devices[1].(map[string]any)["deviceId"])
		if id := devices[0].(map[string]any)["deviceId"].(string); !strings.HasPrefix(id, "browser-") {
			t.Errorf("a device that names itself not is called %q", id)
		}
	}
	bob.send(`427["presence:list"]`)
	_, ack := bob.answers(t, "7")
	same(t, "bob's devices", 1, len(ack["presence"].(map[string]any)["devices"].([]any)))
	if got := strings.Join(bob.states, ""); strings.Contains(got, "phone") || strings.Contains(got, "alice") {
		t.Errorf("bob heard of alice: %s", got)
	}
}

// meet has a browser join the room of an expense and gives who is there.
func (b *browser) meet(t *testing.T, expenseID string) (members []any) {
	t.Helper()
	b.send(fmt.Sprintf(`427["room:join",{"room":"expense:%s"}]`, expenseID))
	_, ack := b.answers(t, "7")
	same(t, "room", any("expense:"+expenseID), ack["room"])
	return ack["members"].([]any)
}

// denied sends a command and wants it refused with the code.
func (b *browser) denied(t *testing.T, command, code string) {
	t.Helper()
	b.send("428" + command)
	events, ack := b.answers(t, "8")
	if ack["ok"] != false || ack["code"] != code || len(events) != 1 || !strings.Contains(events[0], errorEvent) {
		t.Errorf("%s was answered %v after %q, want %s", command, ack, events, code)
	}
}

// To note the device of a socket that was signed out would list it again.
func TestADeviceThatWasSignedOutIsNotedWhenItHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd()
		phone, laptop := c.of("phone"), c.of("laptop")
		c.arrive(phone)
		c.arrive(laptop)
		phone.out.Store(true)
		c.depart(phone)
		c.depart(laptop)
		time.Sleep(grace)
		synctest.Wait()
		same(t, "noted", 3, c.noted) // both came, one went
	})
}
