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

// newTable is a world in which alice shares an expense with bob, but not with carol.
func newTable(t *testing.T) *world {
	w := newWorld(t, Options{}, engineio.Config{})
	for token, user := range map[string]string{"a": "alice", "b": "bob", "c": "carol"} {
		w.tokens.give(token, user, time.Hour)
	}
	w.book.give("alice", lunch, models.RoleOwner)
	w.book.give("bob", lunch, models.RoleViewer)
	return w
}

func TestMembersOfARoomHearOfEachOther(t *testing.T) {
	w := newTable(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	same(t, "members", 1, len(alice.meet(t, lunch)))
	same(t, "members", 2, len(bob.meet(t, lunch)))
	name, payload := alice.hear()
	same(t, "event", joinedEvent, name)
	same(t, "user", any(map[string]any{"id": "bob", "name": "BOB"}), payload["user"])
	name, payload = alice.hear()
	same(t, "event", activityEvent, name)
	same(t, "type", any("joined"), payload["type"])

	second := w.open(t, "b") // another tab of the same browser is nobody new
	same(t, "members", 2, len(second.meet(t, lunch)))
	bob.send(`427["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":{"text":"<b>hi</b>"}}]`)
	for _, b := range []*browser{alice, second} {
		name, payload = b.hear()
		same(t, "event", activityEvent, name)
		same(t, "comment", any(map[string]any{"text": "<b>hi</b>"}), payload["data"])
	}
	alice.send(`427["room:leave",{"room":"expense:` + lunch + `"}]`)
	_, ack := alice.answers(t, "7")
	same(t, "answer", any(true), ack["ok"])
	name, payload = second.hear()
	same(t, "event", leftEvent, name)
	same(t, "user", any(map[string]any{"id": "alice", "name": "ALICE"}), payload["user"])
}

func TestTheBareNameOfARoomIsEnough(t *testing.T) {
	w := newTable(t)
	alice := w.open(t, "a")
	room := "expense:" + lunch
	for _, name := range []string{"room:join", "presence:list", "room:leave"} {
		alice.send(`427["` + name + `","` + room + `"]`)
		_, ack := alice.answers(t, "7")
		same(t, name, []any{true, any(room)}, []any{ack["ok"], ack["room"]})
	}
	for _, bad := range []string{`"user:alice"`, `""`, `"expense:\"}"`, `"` + lunch + `"`} {
		alice.send(`427["room:join",` + bad + `]`)
		_, ack := alice.answers(t, "7")
		same(t, "room:join "+bad, any("INVALID"), ack["code"])
	}
}

func TestTypingIsToldToTheOthersOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start, told := &session{}, time.Now(), []int{}
		for range 35 { // ten times a second
			if s.types(time.Now()) {
				told = append(told, int(time.Since(start).Milliseconds()))
			}
			time.Sleep(100 * time.Millisecond)
		}
		same(t, "told at", []int{0, 1000, 2000, 3000}, told)
	})
}

// However slow the machine is, no more is heard than seconds have begun.
func TestAFloodOfTypingIsHeardAsLittle(t *testing.T) {
	w := newTable(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.meet(t, lunch)
	bob.meet(t, lunch)
	alice.hear() // joined, twice
	alice.hear()
	start := time.Now()
	for range 20 {
		bob.send(`42["room:activity",{"room":"expense:` + lunch + `","type":"typing"}]`)
	}
	bob.send(`42["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":"done"}]`)
	typed := 0
	for {
		_, payload := alice.hear()
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
	w := newTable(t)
	alice := w.open(t, "a")
	alice.meet(t, lunch)
	says := func(b *browser, activity string) {
		b.send(`427["room:activity",{"room":"expense:` + lunch + `",` + activity + `}]`)
		_, ack := b.answers(t, "7")
		same(t, "answer", any(true), ack["ok"])
	}
	start := time.Now()
	var bob *browser
	for range 5 {
		bob = w.open(t, "b")
		bob.meet(t, lunch)
		says(bob, `"type":"typing","data":{}`)
	}
	says(bob, `"type":"comment","data":"done"`)
	typed := 0
	for _, payload := alice.hear(); payload["type"] != "comment"; _, payload = alice.hear() {
		if payload["type"] == "typing" {
			typed++
		}
	}
	if most := 1 + int(time.Since(start)/typingPause); typed < 1 || typed > most {
		t.Errorf("typing was heard %d times in %v", typed, time.Since(start))
	}
}

func TestWhoHasNoRightIsNotLetIn(t *testing.T) {
	w := newTable(t)
	alice, carol := w.open(t, "a"), w.open(t, "c")
	alice.meet(t, lunch)
	unknown := strings.Repeat("f", 24)
	for _, command := range []string{
		`["room:join",{"room":"expense:` + lunch + `"}]`, `["room:join",{"room":"expense:` + unknown + `"}]`,
		`["presence:list",{"room":"expense:` + lunch + `"}]`,
		`["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":"hi"}]`,
		`["room:activity",{"room":"expense:` + lunch + `","type":"typing"}]`,
	} {
		carol.denied(t, command, "FORBIDDEN")
	}
	for _, command := range []string{
		`["room:join",{}]`, `["room:join",{"room":"user:alice"}]`, `["room:join",{"room":7}]`, `["room:join",{"room":"expense:"}]`,
		`["room:activity",{"room":"expense:` + lunch + `","type":"joined"}]`, `["room:leave",{"room":null}]`,
	} {
		carol.denied(t, command, "INVALID")
	}
	alice.denied(t, `["room:activity",{"room":"expense:`+lunch+`","type":"comment","data":"`+strings.Repeat("x", models.MaxComment+1)+`"}]`, "INVALID")
	same(t, "members", 1, len(alice.meet(t, lunch)))
}

// unshare takes bob's right away, as the ledger and the log do.
func (w *world) unshare() {
	w.Evict(w.book.take("bob", lunch))
}

func TestWhoLosesTheRightIsPutOutOnEveryDevice(t *testing.T) {
	w := newTable(t)
	alice := w.open(t, "a")
	alice.meet(t, lunch)
	phone, laptop := w.dial(t, nil), w.open(t, "b")
	phone.connect(`{"token":"b","deviceId":"phone"}`)
	phone.meet(t, lunch)
	laptop.meet(t, lunch)
	w.unshare()
	laptop.awaits(t, leftEvent)
	for _, want := range []string{joinedEvent, activityEvent, leftEvent, activityEvent} { // one person came and went
		name, payload := alice.hear()
		same(t, "event", want, name)
		same(t, "device of somebody else", nil, payload["deviceId"])
	}
	w.Activity(models.Activity{ExpenseID: lunch, Type: models.ActivityUpdated, Audience: []string{"alice", "bob"}})
	for _, b := range []*browser{phone, laptop} {
		b.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
		events, ack := b.answers(t, "7")
		same(t, "code", any("FORBIDDEN"), ack["code"])
		if all := strings.Join(events, ""); strings.Contains(all, activityEvent+`",{"room":"expense:`+lunch+`","type":"updated"`) {
			t.Errorf("who has no right hears %s", all)
		}
	}
}

// The log tells of the end of a right late, when it was given anew and the page has
// entered the room again.
func TestALateEndOfARightPutSomebodyOutWhoHadItAnew(t *testing.T) {
	w := newTable(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.meet(t, lunch)
	bob.meet(t, lunch)
	ended := w.book.take("bob", lunch)
	w.Evict(ended)
	bob.awaits(t, leftEvent)
	w.book.give("bob", lunch, models.RoleEditor)
	bob.meet(t, lunch)
	w.Evict(ended)
	bob.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
	_, ack := bob.answers(t, "7")
	same(t, "in the room", any(true), ack["ok"])
	w.unshare()
	bob.awaits(t, leftEvent)
}

// awaits wants an event of this name before anything else.
func (b *browser) awaits(t *testing.T, event string) {
	t.Helper()
	for {
		name, _ := b.hear()
		if name == event {
			return
		}
	}
}

// The right ends between the look-up and the entry.
func TestNobodyEntersWithARightThatHasJustEnded(t *testing.T) {
	w := newTable(t)
	bob := w.open(t, "b")
	w.book.mu.Lock()
	w.book.asked = func() { w.unshare() }
	w.book.mu.Unlock()
	bob.denied(t, `["room:join",{"room":"expense:`+lunch+`"}]`, "FORBIDDEN")
	if len(w.rooms.byExpense) != 0 || len(w.rooms.knocking) != 0 {
		t.Errorf("%d rooms and %d knocks are left", len(w.rooms.byExpense), len(w.rooms.knocking))
	}
}

func TestARecoveredPageIsStillInItsRoomIfItMay(t *testing.T) {
	for _, may := range []bool{true, false} {
		w := newTable(t)
		bob := w.dial(t, nil)
		answer := bob.connect(`{"token":"b"}`)
		_, pid, _ := strings.Cut(answer, `"pid":"`)
		pid, _, _ = strings.Cut(pid, `"`)
		bob.meet(t, lunch)
		bob.subscribed(t, ``)
		_ = bob.conn.Close()
		if !may {
			w.unshare()
		}
		again := w.dial(t, nil)
		if got := again.connect(`{"token":"b","pid":"` + pid + `"}`); !strings.Contains(got, pid) {
			t.Fatalf("the page was not recovered: %s", got)
		}
		again.state(dashboardEvent) // which it does not ask for again
		again.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
		_, ack := again.answers(t, "7")
		same(t, "in the room", any(may), ack["ok"])
	}
}

// What a page that came back could not enter again stayed kept for it.
func TestARoomThatCouldNotBeEnteredAgainWasKeptForEver(t *testing.T) {
	tr := trail(t)
	w := newWorldOf(t, Options{}, engineio.Config{}, tr)
	w.tokens.give("b", "bob", time.Hour)
	w.book.give("bob", lunch, models.RoleViewer)
	m := tr.kept.(*fakeMemory)
	bob := w.dial(t, nil)
	pid := bob.enter("b", "", "").PID
	bob.meet(t, lunch)
	same(t, "kept", []string{wire.Room(lunch)}, m.of("bob", pid))
	_ = bob.conn.Close()
	if err := w.members.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.unshare()
	again := w.dial(t, nil)
	same(t, "pid", pid, again.enter("b", pid, "").PID)
	again.send(`427["presence:list",{}]`)
	again.answers(t, "7") // when it has come back
	same(t, "kept", 0, len(m.of("bob", pid)))
}

func TestAReloadInARoomIsHeardByNobody(t *testing.T) {
	w := newTable(t)
	alice := w.open(t, "a")
	alice.meet(t, lunch)
	for range 5 {
		bob := w.open(t, "b")
		bob.meet(t, lunch)
		_ = bob.conn.Close()
	}
	w.Activity(models.Activity{ExpenseID: lunch, Type: models.ActivityUpdated, Audience: []string{"alice", "bob"}})
	var heard []string
	for range 3 {
		name, payload := alice.hear()
		heard = append(heard, name+" "+fmt.Sprint(payload["type"]))
	}
	same(t, "heard", []string{joinedEvent + " <nil>", activityEvent + " joined", activityEvent + " updated"}, heard)
}

// Whoever shares an expense learned what the others call their devices, and could act
// under those names.
func TestDevicesAreNamedToTheirOwnUserAlone(t *testing.T) {
	w := newTable(t)
	alice, laptop, phone := w.open(t, "a"), w.dial(t, nil), w.dial(t, nil)
	alice.meet(t, lunch)
	laptop.connect(`{"token":"b","deviceId":"laptop"}`)
	laptop.meet(t, lunch)
	phone.connect(`{"token":"b","deviceId":"phone"}`)
	seen := fmt.Sprint(phone.meet(t, lunch))
	for _, id := range []string{"laptop", "phone"} {
		if !strings.Contains(seen, id) {
			t.Errorf("bob's phone is not told of his %s: %s", id, seen)
		}
	}
	if strings.Contains(seen, "browser-") {
		t.Errorf("bob is told of alice's device: %s", seen)
	}
	alice.send(`427["presence:list",{"room":"expense:` + lunch + `"}]`)
	events, ack := alice.answers(t, "7")
	if told := strings.Join(events, "") + fmt.Sprint(ack); strings.Contains(told, "laptop") || strings.Contains(told, "phone") {
		t.Errorf("alice is told of bob's devices: %s", told)
	}
	same(t, "members", 2, len(ack["members"].([]any)))
}

// An ex-member in another process heard comments until its log was polled: the room
// still has them, but whoever lost the right is in no audience.
func TestWhoLostTheRightElsewhereHearsNoCommentUntilTheLogSaysSo(t *testing.T) {
	w := newTable(t)
	alice, bob := w.open(t, "a"), w.open(t, "b")
	alice.meet(t, lunch)
	bob.meet(t, lunch)
	w.book.take("bob", lunch) // in another process: no Evict here yet
	alice.send(`42["room:activity",{"room":"expense:` + lunch + `","type":"typing","data":{}}]`)
	alice.send(`427["room:activity",{"room":"expense:` + lunch + `","type":"comment","data":{"text":"a secret"}}]`)
	alice.answers(t, "7")
	bob.send(`428["presence:list",{}]`)
	events, _ := bob.answers(t, "8")
	if told := strings.Join(events, ""); strings.Contains(told, "secret") || strings.Contains(told, "typing") {
		t.Errorf("bob heard %s", told)
	}
}

func TestRoomsKeepNothingOfWhoHasGone(t *testing.T) {
	w := newTable(t)
	bob := w.open(t, "b")
	bob.meet(t, lunch)
	bob.send(`427["room:leave",{"room":"` + wire.Room(lunch) + `"}]`)
	bob.answers(t, "7")
	w.rooms.mu.Lock()
	defer w.rooms.mu.Unlock()
	if len(w.rooms.byExpense) != 0 {
		t.Errorf("%d rooms are kept", len(w.rooms.byExpense))
	}
}

// A page goes while its right is looked up: nobody may see it there for ever.
func TestASocketThatEndedWhileItJoinedStaysInTheRoom(t *testing.T) {
	r := rooms{byExpense: make(map[string]map[visitor]*guest), knocking: make(map[*knock]struct{})}
	s := &session{userID: "alice", device: "phone"}
	k := r.knock("alice", lunch)
	r.end(s)
	members, ok := r.enter(s, k, 0)
	same(t, "answer", true, ok)
	same(t, "who is there", 0, len(members)+len(r.byExpense)+len(r.knocking)+len(s.rooms))
}
