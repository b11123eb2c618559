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

// A presenceRecorder is a presence without a network that records what is sent.
type presenceRecorder struct {
	*presence
	sent     []wire.Presence // to all devices of the user
	recorded int             // devices
}

func newPresenceRecorder() *presenceRecorder {
	c := &presenceRecorder{}
	c.presence = &presence{
		send:   func(userID string, _ *socketio.Packet) { c.sent = append(c.sent, c.document(userID)) },
		sendTo: func(*session, *socketio.Packet) {},
		record: func(*session) { c.recorded++ },
		users:  make(map[string]deviceSet),
	}
	return c
}

// of returns a session of a device.
func (c *presenceRecorder) of(device string) *session {
	return sessionOn("alice", device)
}

// disconnect ends a session.
func (c *presenceRecorder) disconnect(s *session) {
	s.life.finish(ended)
	c.depart(s)
}

// steps returns how many devices were present in each update that was sent.
func (c *presenceRecorder) steps() (counts []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.sent {
		counts = append(counts, len(p.Devices))
	}
	return counts
}

func TestADeviceIsThereFromItsFirstSocketUntilAfterItsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPresenceRecorder()
		phone, laptop := c.of("phone"), c.of("laptop")
		c.arrive(phone)
		time.Sleep(time.Second)
		c.arrive(laptop)
		c.disconnect(phone)
		time.Sleep(gracePeriod - 1)
		same(t, "devices there", []int{1, 2}, c.steps())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		same(t, "devices there", []int{1, 2, 1}, c.steps())
		c.disconnect(laptop)
		time.Sleep(gracePeriod)
		synctest.Wait()
		same(t, "devices there", []int{1, 2, 1, 0}, c.steps())
		if last := c.sent[3]; last.Online || len(c.users) > 0 {
			t.Errorf("nobody is there, but %+v is said and %d users are kept", last, len(c.users))
		}
	})
}

func TestAThousandReloadsAreHeardOnceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPresenceRecorder()
		c.arrive(c.of("desk"))
		for range 1000 {
			s := c.of("phone")
			c.arrive(s)
			time.Sleep(rand.N(time.Second))
			c.disconnect(s)
			time.Sleep(rand.N(gracePeriod)) // always back in time
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "devices there", []int{1, 2, 1}, c.steps())
		same(t, "notes", 3, c.recorded)
	})
}

// A device that comes back at the very end of its grace period is present.
func TestADeviceIsNotGivenUpWhileItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPresenceRecorder()
		for range 100 {
			s := c.of("phone")
			c.arrive(s)
			c.disconnect(s)
			time.Sleep(gracePeriod)
			again := c.of("phone")
			c.arrive(again)
			synctest.Wait()
			if got := c.document("alice"); !got.Online {
				t.Fatal("a device with a socket is not there")
			}
			c.disconnect(again)
		}
		c.stop()
	})
}

func TestPresenceIsToldToTheUsersDevicesAlone(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	first := w.open(t, "a")
	first.state(presenceEvent)
	bob := w.open(t, "b")
	phone := w.dial(t, nil)
	phone.connect(`{"token":"a","deviceId":"phone"}`)
	for _, b := range []*testClient{first, phone} {
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
	_, ack := bob.readAck(t, "7")
	same(t, "bob's devices", 1, len(ack["presence"].(map[string]any)["devices"].([]any)))
	if got := strings.Join(bob.states, ""); strings.Contains(got, "phone") || strings.Contains(got, "alice") {
		t.Errorf("bob heard of alice: %s", got)
	}
}

// joinRoom joins the room of an expense and returns its members.
func (b *testClient) joinRoom(t *testing.T, expenseID string) (members []any) {
	t.Helper()
	b.send(fmt.Sprintf(`427["room:join",{"room":"expense:%s"}]`, expenseID))
	_, ack := b.readAck(t, "7")
	same(t, "room", any("expense:"+expenseID), ack["room"])
	return ack["members"].([]any)
}

// wantRejected sends a command and wants it rejected with the code.
func (b *testClient) wantRejected(t *testing.T, command, code string) {
	t.Helper()
	b.send("428" + command)
	events, ack := b.readAck(t, "8")
	if ack["ok"] != false || ack["code"] != code || len(events) != 1 || !strings.Contains(events[0], errorEvent) {
		t.Errorf("%s was answered %v after %q, want %s", command, ack, events, code)
	}
}

// To record the device of a token that was signed out would list it again.
func TestADeviceThatWasSignedOutWasRecordedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPresenceRecorder()
		phone, laptop := c.of("phone"), c.of("laptop")
		c.arrive(phone)
		c.arrive(laptop)
		phone.life.finish(revoked)
		c.disconnect(phone)
		c.disconnect(laptop)
		time.Sleep(gracePeriod)
		synctest.Wait()
		same(t, "noted", 3, c.recorded) // both came, one went
	})
}
