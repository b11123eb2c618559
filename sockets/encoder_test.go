package sockets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"expenseflow/internal/engineio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestEventNamesChooseTheSpellings(t *testing.T) {
	for names, want := range map[EventNames][]string{
		BothNames:      {"expense_created", "expense:created", "expense_created", "expense:created"},
		UnderscoreOnly: {"expense_created", "expense_created"},
		ColonOnly:      {"expense:created", "expense:created"},
	} {
		t.Run(string(names), func(t *testing.T) {
			w := newFixtureWith(t, Options{}, engineio.Config{}, newRecovery(t, "epoch", names))
			w.tokens.add("a", "alice", time.Hour)
			b := w.open(t, "a")
			w.storeChanges("alice", "lunch", 2)
			var got []string
			for range want {
				name, _ := b.nextVariant()
				got = append(got, name)
			}
			same(t, "events", want, got)
		})
	}
}

// Wherever the connection breaks, also between the two variants of one change: what was
// received is not sent again, and what was not is sent.
func TestACutBetweenTwoSpellingsRepeatsNeitherAndMissesNeither(t *testing.T) {
	w := newTwoUsers(t)
	first := w.dial(t, nil)
	pid := first.connectAs("a", "", "").PID
	w.storeChanges("alice", "change", 3)
	var all, offsets []string
	for range 6 {
		name, _ := first.nextVariant()
		all, offsets = append(all, name+first.offset), append(offsets, first.offset)
	}
	for i, offset := range offsets {
		again := w.dial(t, nil)
		same(t, "pid", pid, again.connectAs("a", pid, offset).PID)
		var got []string
		for range len(all) - i - 1 {
			name, _ := again.nextVariant()
			got = append(got, name+again.offset)
		}
		same(t, "events after "+offset, slices.Clone(all[i+1:]), slices.Concat(nil, got))
		again.wantCreated(w.storeChanges("alice", "live", 1)...)
		all = append(all, "expense_created"+testRecovery(t).offset("alice", StreamPosition{w.log.head("alice") - 1, 1}),
			"expense:created"+wire.EventOffset("epoch", "alice", w.log.head("alice"), wire.ColonVariant))
		_ = again.conn.Close()
	}
}

// Offsets without a variant, and those of a server that sends one variant only, stay
// valid.
func TestOffsetsOutliveAChangeOfNames(t *testing.T) {
	tests := []struct {
		names  EventNames
		offset string
		want   []string // of the changes 2 and 3
	}{
		{BothNames, "epoch.alice.2", []string{"expense_created 3", "expense:created 3"}},
		{BothNames, "epoch.alice.2.0", []string{"expense:created 2", "expense_created 3", "expense:created 3"}},
		{BothNames, "epoch.alice.2.1", []string{"expense_created 3", "expense:created 3"}},
		{BothNames, "epoch.alice.3.0", []string{"expense:created 3"}},
		{UnderscoreOnly, "epoch.alice.2.0", []string{"expense_created 3"}},
		{UnderscoreOnly, "epoch.alice.2.1", []string{"expense_created 3"}},
		{ColonOnly, "epoch.alice.2.0", []string{"expense:created 2", "expense:created 3"}},
		{ColonOnly, "epoch.alice.2.1", []string{"expense:created 3"}},
		{ColonOnly, "epoch.alice.2", []string{"expense:created 3"}},
	}
	for _, tt := range tests {
		tr := newRecovery(t, "epoch", tt.names)
		w := newFixtureWith(t, Options{}, engineio.Config{}, tr)
		w.tokens.add("a", "alice", time.Hour)
		w.tokens.seqs = w.log.head
		w.storeChanges("alice", "change", 3)
		b := w.dial(t, nil)
		pid := tr.newPID("alice", 0)
		same(t, "pid", pid, b.connectAs("a", pid, tt.offset).PID)
		var got []string
		for range tt.want {
			name, _ := b.nextVariant()
			c, _, _ := wire.ParseOffset(b.offset)
			got = append(got, fmt.Sprint(name, " ", c.Seq))
		}
		same(t, fmt.Sprint(tt.names, " after ", tt.offset), tt.want, got)
	}
}

// With events of this size the queue is often full between the two variants of a change.
func TestAFullQueueMayPartTheSpellings(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{QueueBytes: 64 << 10, StallTimeout: patience})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	var want []string
	for i := range 120 {
		want = append(want, fmt.Sprint(i, strings.Repeat("x", 17<<10)))
		w.log.add("alice", models.ExpenseCreated, want[i], models.Author{})
	}
	w.tail.Wake("alice")
	b.wantCreated(want...) // both spellings of each
}

// openBatching opens a socket that asks for batches.
func (w *fixture) openBatching(t *testing.T, token string) *testClient {
	t.Helper()
	b := w.dial(t, nil)
	if got := b.connect(`{"token":"` + token + `","features":["batch"]}`); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("CONNECT was answered %q", got)
	}
	return b
}

// storeBatch stores n creations of one device at once.
func (w *fixture) storeBatch(userID, name string, n int) (names []string) {
	w.log.mu.Lock()
	for i := range n {
		names = append(names, fmt.Sprint(name, " ", i))
		w.log.addLocked(userID, models.ExpenseCreated, names[i], models.Author{DeviceID: "device_1"})
	}
	w.log.mu.Unlock()
	w.tail.Wake(userID)
	return names
}

func (b *testClient) wantBatch(want []string) {
	b.t.Helper()
	name, payload := b.nextEvent()
	var got []string
	created, _ := payload["created"].([]any)
	for _, e := range created {
		got = append(got, fmt.Sprint(e.(map[string]any)["description"]))
	}
	same(b.t, "batch", []any{"expenses:batch", "device_1", []any{}, []any{}},
		[]any{name, payload["deviceId"], payload["updated"], payload["deleted"]})
	same(b.t, "created", want, got)
}

func TestALargeBatchIsOneEventForWhoAsksAndSinglesForOthers(t *testing.T) {
	w := newTwoUsers(t)
	asks, asksNot := w.openBatching(t, "a"), w.open(t, "a")

	small, large := w.storeBatch("alice", "small", minBatch-1), []string(nil)
	asks.wantCreated(small...)
	large = w.storeBatch("alice", "large", minBatch)
	asks.wantBatch(large)
	after := w.storeChanges("alice", "after", 1)
	asks.wantCreated(after...)

	asksNot.wantCreated(slices.Concat(small, large, after)...)
}

// A client that received a batch continues behind it; one that comes back in the middle of
// a change is sent the rest of that change first.
func TestABatchEndsInItsOffset(t *testing.T) {
	w := newTwoUsers(t)
	first := w.dial(t, nil)
	pid := first.connectAs("a", "", "").PID
	large := w.storeBatch("alice", "large", 100)
	connect := func(offset string) *testClient {
		b := w.dial(t, nil)
		said, _ := json.Marshal(map[string]any{"token": "a", "pid": pid, "offset": offset, "features": []string{"batch"}})
		if reply := b.connect(string(said)); !strings.Contains(reply, pid) {
			t.Fatalf("CONNECT was answered %q", reply)
		}
		return b
	}
	b := connect("epoch.alice.0")
	b.wantBatch(large)
	same(t, "offset", "epoch.alice.2s", b.offset)
	_ = b.conn.Close()

	between := connect("epoch.alice.1.0")
	name, _ := between.nextVariant()
	same(t, "the other spelling", "expense:created epoch.alice.1.1", name+" "+between.offset)
	between.wantCreated(large[1:]...) // one by one, for they are told from the middle of the batch

	after := connect(b.offset)
	after.wantCreated(w.storeChanges("alice", "live", 1)...)
}

// Whatever is in a page: its batches do not overlap, are of one author, and are not too
// small.
func TestAPageIsCutIntoBatchesOfOneAuthor(t *testing.T) {
	tr := testRecovery(t)
	rapid.Check(t, func(t *rapid.T) {
		authors := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 5).Draw(t, "authors")
		var page []models.Change
		for _, who := range authors {
			for range rapid.IntRange(1, 2*minBatch).Draw(t, "run") {
				page = append(page, models.Change{
					UserID: "alice", Seq: int64(len(page)) + 1, Kind: models.ExpenseUpdated,
					EntityID: "x", Author: models.Author{DeviceID: fmt.Sprint(who)},
				})
			}
		}
		all := tr.Encode(page)
		for i := 0; i < len(all); {
			b := all[i].batch
			if b == nil {
				i++
				continue
			}
			for j := i; j < i+b.size; j++ {
				if page[j].Author != page[i].Author || (j > i && all[j].batch != nil) {
					t.Fatalf("the batch of %d at %d ends at %d", b.size, i, j)
				}
			}
			if b.size < minBatch {
				t.Fatalf("a batch of %d", b.size)
			}
			i += b.size
		}
	})
}
