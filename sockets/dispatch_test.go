package sockets

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"expenseflow/internal/engineio"
	"expenseflow/models"
)

// The events that clients may send, and those that answer them, are the contract's
// (docs/contract.md#live-events, docs/contract.md#commands).
func TestEventsMatchContract(t *testing.T) {
	contract := map[string][][2]string{
		"sync_request": {{"sync_data", "sync_error"}, {"sync_changes", "sync_error"}},
	}
	got := make(map[string][][2]string)
	h := &Hub{}
	for name, steps := range h.requestTable() {
		for _, ev := range steps {
			got[name] = append(got[name], [2]string{ev.ok, ev.fail})
		}
	}
	same(t, "events with their answers", contract, got)
	same(t, "commands", []string{
		"auth:refresh", "dashboard:subscribe", "dashboard:unsubscribe", "expense:create", "expense:delete", "expense:update",
		"presence:list", "room:activity", "room:join", "room:leave",
	}, slices.Sorted(maps.Keys(h.commandTable())))
}

func TestSocketHearsEachChangeOnceAndInOrder(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	alices := []*testClient{w.open(t, "a"), w.open(t, "a")}
	bobs := w.open(t, "b")

	for i := range 20 {
		w.storeChange("alice", fmt.Sprint("hers ", i), models.Author{})
		w.storeChange("bob", fmt.Sprint("his ", i), models.Author{})
	}

	for i := range 20 {
		for _, b := range alices {
			b.wantCreated(fmt.Sprint("hers ", i))
		}
		bobs.wantCreated(fmt.Sprint("his ", i))
	}
}

func TestPayloadsAreTheContracts(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	by := models.Author{DeviceID: "device_1"}
	for _, kind := range []models.ChangeKind{models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted} {
		w.log.add("alice", kind, "lunch", by)
	}
	w.tail.Wake("alice")

	for _, want := range []string{"expense_created", "expense_updated"} {
		name, doc := b.nextEvent()
		same(t, "event", want, name)
		same(t, "description, user and device", []any{"lunch", "alice", "device_1"},
			[]any{doc["description"], doc["user"], doc["deviceId"]})
	}
	name, doc := b.nextEvent()
	same(t, "event", "expense_deleted", name)
	id := fmt.Sprintf("%024x", 3)
	same(t, "payload", map[string]any{"id": id, "_id": id, "deviceId": "device_1"}, doc)
}

// Changes from before the check of the token are in the list that the page loads; those
// after it are sent, even if the socket was not connected yet.
func TestSocketMissesNothingFromTheLookAtItsTokenOn(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.seqs = w.log.head
	w.storeChange("alice", "before", models.Author{})
	w.tokens.before = func() { w.storeChange("alice", "meanwhile", models.Author{}) }

	b := w.open(t, "a")

	w.storeChange("alice", "after", models.Author{})
	b.wantCreated("meanwhile", "after")
}

// The client reads nothing while many times more events are made than its queue takes.
// Then it reads all of them, once and in order.
func TestFullQueueCostsAPositionAndNoEvent(t *testing.T) {
	const n = 500 // changes, in two spellings
	w := newFixture(t, Options{}, engineio.Config{QueueBytes: 256 << 10, StallTimeout: patience})
	w.tokens.add("a", "alice", time.Hour)
	slow, quick := w.open(t, "a"), w.open(t, "a")
	text := strings.Repeat("x", 4<<10)

	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i, text))
		w.log.add("alice", models.ExpenseCreated, want[i], models.Author{})
	}
	w.tail.Wake("alice")

	quick.wantCreated(want...)
	slow.wantCreated(want...)
}

func TestOwnChangesAreSparedOnlyOnRequest(t *testing.T) {
	own, other := models.Author{TokenID: "a"}, models.Author{TokenID: "elsewhere"}
	named := models.Author{TokenID: "a", DeviceID: "device_1"}
	for _, suppress := range []bool{false, true} {
		t.Run(fmt.Sprint(suppress), func(t *testing.T) {
			w := newFixture(t, Options{SuppressSelf: suppress}, engineio.Config{})
			w.tokens.add("a", "alice", time.Hour)
			w.tokens.add("", "", time.Hour)
			b := w.open(t, "a")
			w.storeChange("alice", "own", own)
			w.storeChange("alice", "own, named device", named)
			w.storeChange("alice", "other token", other)
			w.storeChange("alice", "token without id", models.Author{})
			want := []string{"own", "own, named device", "other token", "token without id"}
			if suppress {
				want = want[1:]
			}
			b.wantCreated(want...)
		})
	}
}

func TestSyncRequestGivesTheParkedOperations(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")

	for _, arguments := range []string{``, `,null`, `,{}`, `,{"entityTypes":["expense"]}`, `,1,2,3`, `,"text"`} {
		b.send(`42["sync_request"` + arguments + `]`)
		name, data := b.event()
		same(t, "event", "sync_data", name)
		same(t, "data", "[]", string(data))
	}

	w.parked.ops = []models.QueuedOperation{
		{ID: "1", UserID: "alice", State: models.Parked},
		{ID: "2", UserID: "alice", State: models.Parked},
	}
	b.send(`42["sync_request"]`)
	_, data := b.event()
	var rows []struct {
		ID        string `json:"_id"`
		Processed bool
	}
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].ID != "1" || rows[1].ID != "2" || rows[0].Processed {
		t.Errorf("sync_data is %s", data)
	}
}

// A sync_request with a position is also answered with the changes since then.
func TestSyncRequestWithAPlaceIsAnsweredWithWhatWasMissed(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range int64(maxMissed + 1) {
		c := models.Change{Seq: i + 1, Kind: models.ExpenseCreated, EntityID: fmt.Sprint(i), Expense: models.Expense{ID: fmt.Sprint(i)}}
		w.parked.page.Changes = append(w.parked.page.Changes, c)
	}
	w.parked.page.Changes[1].Kind = models.ExpenseDeleted
	w.parked.page.Epoch, w.parked.page.Head = "epoch", maxMissed+1

	b.send(`427["sync_request",{"lastSyncedAt":"2026-01-19T12:00:00.000Z"}]`)

	name, _ := b.event()
	same(t, "first", "sync_data", name)
	name, missed := b.nextEvent()
	same(t, "then", "sync_changes", name)
	changed, deleted := missed["changes"].([]any), missed["deleted"].([]any)
	same(t, "how many", []int{maxMissed - 1, 1}, []int{len(changed), len(deleted)})
	same(t, "where to go on", []any{testRecovery(t).offset("alice", StreamPosition{Seq: maxMissed}), true},
		[]any{missed["next"], missed["more"]})
	same(t, "acknowledgement", `437[{"ok":true}]`, b.frame())

	b.send(`428["sync_request",{"since":"yesterday"}]`)
	b.event()
	name, failure := b.nextEvent()
	same(t, "a place that is none", []any{"sync_error", `"since" must be a sequence number, an offset or a valid date`},
		[]any{name, failure["error"]})
	if ack := b.frame(); !strings.HasPrefix(ack, `438[{"ok":false,`) || !strings.HasSuffix(ack, `"code":"INVALID"}]`) {
		t.Errorf("acknowledgement %s", ack)
	}
}

func TestFailedSyncRequestSaysSoAndNoMore(t *testing.T) {
	tests := []struct {
		err     error
		message string
		code    string
	}{
		{models.E(models.Unavailable, "Service temporarily unavailable"), "Service temporarily unavailable", "UNAVAILABLE"},
		{errors.New("table sync_queue: secret"), "Internal server error", "INTERNAL"},
	}
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	for _, tt := range tests {
		w.parked.err = tt.err
		b.send(`427["sync_request",null]`)
		name, failure := b.nextEvent()
		same(t, "event", "sync_error", name)
		same(t, "payload", map[string]any{"error": tt.message}, failure)
		same(t, "acknowledgement", `437[{"ok":false,"error":"`+tt.message+`","code":"`+tt.code+`"}]`, b.frame())
	}
	w.parked.err = nil
	b.send(`428["sync_request"]`)
	b.event()
	same(t, "acknowledgement", `438[{"ok":true}]`, b.frame())
}

func TestUnknownEventsAreIgnored(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	b.send(`42["no such event",{"a":[]}]`)
	b.send(`42["expense_created",{"_id":"x"}]`)
	w.storeChange("alice", "the next thing heard", models.Author{})
	b.wantCreated("the next thing heard")
}

func TestParkedOperationIsAnnouncedToItsUserAlone(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	alices, bobs := []*testClient{w.open(t, "a"), w.open(t, "a")}, w.open(t, "b")
	op := models.QueuedOperation{ID: "1", UserID: "alice", State: models.Parked, Result: models.Result{Error: "not valid"}}
	op.Operation = models.Operation{Action: models.Create, ResourceType: "expense", ResourceID: "temp_1", DeviceID: "device_1"}

	w.storeChange("alice", "both follow", models.Author{}) // the answer to CONNECT comes before a socket joins its user's
	for _, b := range alices {
		b.wantCreated("both follow")
	}
	w.SendParked("alice", []models.QueuedOperation{op})

	for _, b := range alices {
		name, failure := b.nextEvent()
		same(t, "event", "sync_error", name)
		same(t, "error", "not valid", failure["error"])
		operation, _ := failure["operation"].(map[string]any)
		same(t, "operation", []any{"CREATE", "temp_1", false}, []any{
			operation["action"], operation["resourceId"],
			operation["processed"],
		})
	}
	w.storeChange("bob", "all he hears", models.Author{})
	bobs.wantCreated("all he hears")
}

// Notices of parked operations must not close a connection that changes would not close.
func TestFloodOfParkedOperationsDoesNotCloseASlowSocket(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{QueueBytes: 64 << 10, MaxQueueBytes: 128 << 10, StallTimeout: patience})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	op := models.QueuedOperation{ID: "1", UserID: "alice", State: models.Parked}
	op.Data = json.RawMessage(`"` + strings.Repeat("x", 10<<10) + `"`)

	w.storeChange("alice", "it follows", models.Author{})
	b.wantCreated("it follows")
	w.SendParked("alice", slices.Repeat([]models.QueuedOperation{op}, 2000))
	w.storeChange("alice", "the next change", models.Author{})

	announced := 0
	for name, doc := b.nextEvent(); name != "expense_created"; name, doc = b.nextEvent() {
		announced++
		same(t, "announced", "1", doc["operation"].(map[string]any)["_id"])
	}
	if announced == 0 || announced == 2000 {
		t.Errorf("%d of 2000 were announced, want as many as there was room for", announced)
	}
}

func TestHugeOperationIsNotRepeatedToEveryDevice(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	op := models.QueuedOperation{State: models.Parked, Result: models.Result{Error: "not valid"}}
	op.Data = json.RawMessage(`"` + strings.Repeat("x", maxParkedData) + `"`)
	w.storeChange("alice", "it follows", models.Author{})
	b.wantCreated("it follows")
	w.SendParked("alice", []models.QueuedOperation{op})
	_, failure := b.nextEvent()
	same(t, "payload", map[string]any{"error": "not valid"}, failure)
}

// A change that cannot be encoded panics in a worker of the tail, which would end the
// program.
func TestEveryChangeCanBeEncoded(t *testing.T) {
	encode := testRecovery(t).Encode
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) })
		text := rapid.OneOf(rapid.String(), bytes)
		kind := rapid.SampledFrom([]models.ChangeKind{models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted})
		e := models.Expense{
			ID: text.Draw(t, "id"), UserID: text.Draw(t, "user"), Description: text.Draw(t, "description"),
			Notes: text.Draw(t, "notes"),
		}
		c := models.Change{
			Kind: kind.Draw(t, "kind"), EntityID: e.ID, Expense: e,
			Author: models.Author{DeviceID: text.Draw(t, "device")},
		}
		page := encode(slices.Repeat([]models.Change{c}, minBatch))
		for _, c := range page {
			for _, v := range c.variants {
				if v.packet == nil {
					t.Fatal("nothing was encoded")
				}
			}
		}
		if page[0].batch.packet() == nil {
			t.Fatal("no batch was encoded")
		}
	})
}
