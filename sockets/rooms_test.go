package sockets

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

const lunch = "00000000000000000000cafe"

// newSharedExpense is a fixture in which alice shares an expense with bob, but not with carol.
func newSharedExpense(t *testing.T) *fixture {
	w := newFixture(t, Options{}, engineio.Config{})
	for token, user := range map[string]string{"a": "alice", "b": "bob", "c": "carol"} {
		w.tokens.add(token, user, time.Hour)
	}
	w.expenses.grant("alice", lunch, models.RoleOwner)
	w.expenses.grant("bob", lunch, models.RoleViewer)
	return w
}

func TestMembersOfARoomHearOfEachOther(t *testing.T) {
	w := newSharedExpense(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	same(t, "members", 1, len(alice.joinRoom(t, lunch)))
	same(t, "members", 2, len(bob.joinRoom(t, lunch)))
	name, payload := alice.nextEvent()
	same(t, "event", joinedEvent, name)
	same(t, "user", any(map[string]any{"id": "bob", "name": "BOB"}), payload["user"])
	name, payload = alice.nextEvent()
	same(t, "event", activityEvent, name)
	same(t, "type", any("joined"), payload["type"])

	second := w.open(t, "b") // another tab of the same browser is nobody new
	same(t, "members", 2, len(second.joinRoom(t, lunch)))
	bob.send(`427["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":{"text":"<b>hi</b>"}}]`)
	for _, b := range []*testClient{alice, second} {
		name, payload = b.nextEvent()
		same(t, "event", activityEvent, name)
		same(t, "comment", any(map[string]any{"text": "<b>hi</b>"}), payload["data"])
	}
	alice.send(`427["room:leave",{"room":"expense:` + lunch + `"}]`)
	_, ack := alice.readAck(t, "7")
	same(t, "answer", any(true), ack["ok"])
	name, payload = second.nextEvent()
	same(t, "event", leftEvent, name)
	same(t, "user", any(map[string]any{"id": "alice", "name": "ALICE"}), payload["user"])
}

// Who had renamed himself was called by the old name in rooms for as long as his sockets were open.
func TestARoomCallsAUserByTheNewName(t *testing.T) {
	w := newSharedExpense(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.joinRoom(t, lunch)
	bob.joinRoom(t, lunch)
	w.onChange(&models.Change{UserID: "alice", Kind: models.SettingsChanged, Settings: &models.Settings{Name: "Anna"}})
	anna := any(map[string]any{"id": "alice", "name": "Anna"})
	alice.send(`427["room:leave",{"room":"expense:` + lunch + `"}]`)
	_, payload := bob.nextEvent()
	same(t, "user who left", anna, payload["user"])
	alice.readAck(t, "7")
	alice.joinRoom(t, lunch)
	for range 3 {
		_, payload = bob.nextEvent()
	}
	same(t, "user who came", anna, payload["user"])
}

func TestTheBareNameOfARoomIsEnough(t *testing.T) {
	w := newSharedExpense(t)
	alice := w.open(t, "a")
	room := "expense:" + lunch
	for _, name := range []string{"room:join", "presence:list", "room:leave"} {
		alice.send(`427["` + name + `","` + room + `"]`)
		_, ack := alice.readAck(t, "7")
		same(t, name, []any{true, any(room)}, []any{ack["ok"], ack["room"]})
	}
	for _, bad := range []string{`"user:alice"`, `""`, `"expense:\"}"`, `"` + lunch + `"`} {
		alice.send(`427["room:join",` + bad + `]`)
		_, ack := alice.readAck(t, "7")
		same(t, "room:join "+bad, any("INVALID"), ack["code"])
	}
}

func TestTypingIsToldToTheOthersOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start, told := &session{}, time.Now(), []int{}
		for range 35 { // ten times a second
			if s.sessionTypingDue(time.Now()) {
				told = append(told, int(time.Since(start).Milliseconds()))
			}
			time.Sleep(100 * time.Millisecond)
		}
		same(t, "told at", []int{0, 1000, 2000, 3000}, told)
	})
}

// However slow the machine is, typing arrives at most once for each second that began.
func TestAFloodOfTypingIsHeardAsLittle(t *testing.T) {
	w := newSharedExpense(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.joinRoom(t, lunch)
	bob.joinRoom(t, lunch)
	alice.nextEvent() // joined, twice
	alice.nextEvent()
	start := time.Now()
	for range 20 {
		bob.send(`42["room:activity",{"room":"expense:` + lunch + `","type":"typing"}]`)
	}
	bob.send(`42["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":"done"}]`)
	typed := 0
	for {
		_, payload := alice.nextEvent()
		if payload["type"] != "typing" {
			same(t, "heard in the end", any("comment"), payload["type"])
			break
		}
		typed++
	}
	if most := 1 + int(time.Since(start)/typingPause); typed < 1 || typed > most {
		t.Errorf("typing was heard %d times in %v", typed, time.Since(start))
	}
}

// 380 sockets of four users in one room made 129 MB/s of 0.35.
func TestAUserTypesWithOneDeviceAtATime(t *testing.T) {
	w := newSharedExpense(t)
	alice := w.open(t, "a")
	alice.joinRoom(t, lunch)
	says := func(b *testClient, activity string) {
		b.send(`427["room:activity",{"room":"expense:` + lunch + `",` + activity + `}]`)
		_, ack := b.readAck(t, "7")
		same(t, "answer", any(true), ack["ok"])
	}
	start := time.Now()
	var bob *testClient
	for range 5 {
		bob = w.open(t, "b")
		bob.joinRoom(t, lunch)
		says(bob, `"type":"typing","data":{}`)
	}
	says(bob, `"type":"comment","data":"done"`)
	typed := 0
	for _, payload := alice.nextEvent(); payload["type"] != "comment"; _, payload = alice.nextEvent() {
		if payload["type"] == "typing" {
			typed++
		}
	}
	if most := 1 + int(time.Since(start)/typingPause); typed < 1 || typed > most {
		t.Errorf("typing was heard %d times in %v", typed, time.Since(start))
	}
}

func TestWhoHasNoRightIsNotLetIn(t *testing.T) {
	w := newSharedExpense(t)
	alice, carol := w.open(t, "a"), w.open(t, "c")
	alice.joinRoom(t, lunch)
	unknown := strings.Repeat("f", 24)
	for _, command := range []string{
		`["room:join",{"room":"expense:` + lunch + `"}]`, `["room:join",{"room":"expense:` + unknown + `"}]`,
		`["presence:list",{"room":"expense:` + lunch + `"}]`,
		`["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":"hi"}]`,
		`["room:activity",{"room":"expense:` + lunch + `","type":"typing"}]`,
	} {
		carol.wantRejected(t, command, "FORBIDDEN")
	}
	for _, command := range []string{
		`["room:join",{}]`, `["room:join",{"room":"user:alice"}]`, `["room:join",{"room":7}]`, `["room:join",{"room":"expense:"}]`,
		`["room:activity",{"room":"expense:` + lunch + `","type":"joined"}]`, `["room:leave",{"room":null}]`,
	} {
		carol.wantRejected(t, command, "INVALID")
	}
	alice.wantRejected(t, `["room:activity",{"room":"expense:`+lunch+`","type":"comment","data":"`+strings.Repeat("x",
		models.MaxComment+1)+`"}]`, "INVALID")
	same(t, "members", 1, len(alice.joinRoom(t, lunch)))
}

// evictBob revokes bob's right and evicts him, as the ledger and the log do.
func (w *fixture) evictBob() {
	w.Evict(w.expenses.revoke("bob", lunch))
}

func TestWhoLosesTheRightIsPutOutOnEveryDevice(t *testing.T) {
	w := newSharedExpense(t)
	alice := w.open(t, "a")
	alice.joinRoom(t, lunch)
	phone, laptop := w.dial(t, nil), w.open(t, "b")
	phone.connect(`{"token":"b","deviceId":"phone"}`)
	phone.joinRoom(t, lunch)
	laptop.joinRoom(t, lunch)
	w.evictBob()
	laptop.skipTo(t, leftEvent)
	for _, want := range []string{joinedEvent, activityEvent, leftEvent, activityEvent} { // one person came and went
		name, payload := alice.nextEvent()
		same(t, "event", want, name)
		same(t, "device of somebody else", nil, payload["deviceId"])
	}
	w.SendActivity(models.Activity{ExpenseID: lunch, Type: models.ActivityUpdated, Audience: []string{"alice", "bob"}})
	for _, b := range []*testClient{phone, laptop} {
		b.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
		events, ack := b.readAck(t, "7")
		same(t, "code", any("FORBIDDEN"), ack["code"])
		if all := strings.Join(events, ""); strings.Contains(all, activityEvent+`",{"room":"expense:`+lunch+`","type":"updated"`) {
			t.Errorf("who has no right hears %s", all)
		}
	}
}

// The log reports the end of a right late: it was granted again, and the client has joined
// the room again.
func TestALateEndOfARightPutSomebodyOutWhoHadItAnew(t *testing.T) {
	w := newSharedExpense(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.joinRoom(t, lunch)
	bob.joinRoom(t, lunch)
	ended := w.expenses.revoke("bob", lunch)
	w.Evict(ended)
	bob.skipTo(t, leftEvent)
	w.expenses.grant("bob", lunch, models.RoleEditor)
	bob.joinRoom(t, lunch)
	w.Evict(ended)
	bob.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
	_, ack := bob.readAck(t, "7")
	same(t, "in the room", any(true), ack["ok"])
	w.evictBob()
	bob.skipTo(t, leftEvent)
}

// skipTo reads events until one with this name.
func (b *testClient) skipTo(t *testing.T, event string) {
	t.Helper()
	for {
		name, _ := b.nextEvent()
		if name == event {
			return
		}
	}
}

// The right ends after it was looked up and before the session is in the room.
func TestNobodyEntersWithARightThatHasJustEnded(t *testing.T) {
	w := newSharedExpense(t)
	bob := w.open(t, "b")
	w.expenses.mu.Lock()
	w.expenses.asked = func() { w.evictBob() }
	w.expenses.mu.Unlock()
	bob.wantRejected(t, `["room:join",{"room":"expense:`+lunch+`"}]`, "FORBIDDEN")
	if len(w.rooms.byExpense) != 0 || len(w.rooms.pending) != 0 {
		t.Errorf("%d rooms and %d pending joins are left", len(w.rooms.byExpense), len(w.rooms.pending))
	}
}

func TestARecoveredPageIsStillInItsRoomIfItMay(t *testing.T) {
	for _, may := range []bool{true, false} {
		w := newSharedExpense(t)
		bob := w.dial(t, nil)
		answer := bob.connect(`{"token":"b"}`)
		_, pid, _ := strings.Cut(answer, `"pid":"`)
		pid, _, _ = strings.Cut(pid, `"`)
		bob.joinRoom(t, lunch)
		bob.subscribeDashboard(t, ``)
		_ = bob.conn.Close()
		if !may {
			w.evictBob()
		}
		again := w.dial(t, nil)
		if got := again.connect(`{"token":"b","pid":"` + pid + `"}`); !strings.Contains(got, pid) {
			t.Fatalf("the page was not recovered: %s", got)
		}
		again.state(dashboardEvent) // which it does not ask for again
		again.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
		_, ack := again.readAck(t, "7")
		same(t, "in the room", any(may), ack["ok"])
	}
}

// A room that a recovered page could not join again stayed stored for it.
func TestARoomThatCouldNotBeEnteredAgainWasKeptForEver(t *testing.T) {
	tr := testRecovery(t)
	w := newFixtureWith(t, Options{}, engineio.Config{}, tr)
	w.tokens.add("b", "bob", time.Hour)
	w.expenses.grant("bob", lunch, models.RoleViewer)
	m := tr.stored
	bob := w.dial(t, nil)
	pid := bob.connectAs("b", "", "").PID
	bob.joinRoom(t, lunch)
	same(t, "kept", []string{wire.Room(lunch)}, m.of("bob", pid))
	_ = bob.conn.Close()
	if err := w.sessions.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.evictBob()
	again := w.dial(t, nil)
	same(t, "pid", pid, again.connectAs("b", pid, "").PID)
	again.send(`427["presence:list",{}]`)
	again.readAck(t, "7") // when it has come back
	same(t, "kept", 0, len(m.of("bob", pid)))
}

func TestAReloadInARoomIsHeardByNobody(t *testing.T) {
	w := newSharedExpense(t)
	alice := w.open(t, "a")
	alice.joinRoom(t, lunch)
	for range 5 {
		bob := w.open(t, "b")
		bob.joinRoom(t, lunch)
		_ = bob.conn.Close()
	}
	w.SendActivity(models.Activity{ExpenseID: lunch, Type: models.ActivityUpdated, Audience: []string{"alice", "bob"}})
	var heard []string
	for range 3 {
		name, payload := alice.nextEvent()
		heard = append(heard, name+" "+fmt.Sprint(payload["type"]))
	}
	same(t, "heard", []string{joinedEvent + " <nil>", activityEvent + " joined", activityEvent + " updated"}, heard)
}

// Users who share an expense learned the device ids of each other, and could act under
// them.
func TestDevicesAreNamedToTheirOwnUserAlone(t *testing.T) {
	w := newSharedExpense(t)
	alice, laptop, phone := w.open(t, "a"), w.dial(t, nil), w.dial(t, nil)
	alice.joinRoom(t, lunch)
	laptop.connect(`{"token":"b","deviceId":"laptop"}`)
	laptop.joinRoom(t, lunch)
	phone.connect(`{"token":"b","deviceId":"phone"}`)
	seen := fmt.Sprint(phone.joinRoom(t, lunch))
	for _, id := range []string{"laptop", "phone"} {
		if !strings.Contains(seen, id) {
			t.Errorf("bob's phone is not told of his %s: %s", id, seen)
		}
	}
	if strings.Contains(seen, "browser-") {
		t.Errorf("bob is told of alice's device: %s", seen)
	}
	alice.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
	events, ack := alice.readAck(t, "7")
	if told := strings.Join(events, "") + fmt.Sprint(ack); strings.Contains(told, "laptop") || strings.Contains(told, "phone") {
		t.Errorf("alice is told of bob's devices: %s", told)
	}
	same(t, "members", 2, len(ack["members"].([]any)))
}

// Somebody who had lost the right in another process received comments until the log was
// polled: they are still in the room, but not in the audience.
func TestWhoLostTheRightElsewhereHearsNoCommentUntilTheLogSaysSo(t *testing.T) {
	w := newSharedExpense(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.joinRoom(t, lunch)
	bob.joinRoom(t, lunch)
	w.expenses.revoke("bob", lunch) // in another process: no Evict here yet
	alice.send(`42["room:activity",{"room":"expense:` + lunch + `","type":"typing","data":{}}]`)
	alice.send(`427["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":{"text":"a secret"}}]`)
	alice.readAck(t, "7")
	bob.send(`428["presence:list",{}]`)
	events, _ := bob.readAck(t, "8")
	if told := strings.Join(events, ""); strings.Contains(told, "secret") || strings.Contains(told, "typing") {
		t.Errorf("bob heard %s", told)
	}
}

func TestRoomsKeepNothingOfWhoHasGone(t *testing.T) {
	w := newSharedExpense(t)
	bob := w.open(t, "b")
	bob.joinRoom(t, lunch)
	bob.send(`427["room:leave",{"room":"` + wire.Room(lunch) + `"}]`)
	bob.readAck(t, "7")
	w.rooms.mu.Lock()
	defer w.rooms.mu.Unlock()
	if len(w.rooms.byExpense) != 0 {
		t.Errorf("%d rooms are kept", len(w.rooms.byExpense))
	}
}

// A socket that closed while its right was looked up stayed in the room for ever.
func TestASocketThatEndedWhileItJoinedStaysInTheRoom(t *testing.T) {
	r := newRooms()
	s := &session{userID: "alice", device: "phone"}
	j := r.beginJoin("alice", lunch)
	s.life.finish(ended)
	r.depart(s)
	members, ok := r.join(s, j, 0)
	same(t, "answer", true, ok)
	same(t, "who is there", 0, len(members)+len(r.byExpense)+len(r.pending)+len(s.rooms))
}
