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
	for names, want := range map[Spellings][]string{
		BothSpellings:  {"expense_created", "expense:created", "expense_created", "expense:created"},
		UnderscoreOnly: {"expense_created", "expense_created"},
		ColonOnly:      {"expense:created", "expense:created"},
	} {
		t.Run(string(names), func(t *testing.T) {
			w := newWorldOf(t, Options{}, engineio.Config{}, trailTelling(t, names))
			w.tokens.give("a", "alice", time.Hour)
			b := w.open(t, "a")
			w.changes("alice", "lunch", 2)
			var got []string
			for range want {
				name, _ := b.single()
				got = append(got, name)
			}
			same(t, "events", want, got)
		})
	}
}

// Wherever the line breaks, also between the two spellings of one change: what
// was heard is not heard again, and what was not is heard.
func TestACutBetweenTwoSpellingsRepeatsNeitherAndMissesNeither(t *testing.T) {
	w := newTrailWorld(t)
	first := w.dial(t, nil)
	pid := first.enter("a", "", "").PID
	w.changes("alice", "change", 3)
	var all, offsets []string
	for range 6 {
		name, _ := first.single()
		all, offsets = append(all, name+first.offset), append(offsets, first.offset)
	}
	for i, offset := range offsets {
		again := w.dial(t, nil)
		same(t, "pid", pid, again.enter("a", pid, offset).PID)
		var got []string
		for range len(all) - i - 1 {
			name, _ := again.single()
			got = append(got, name+again.offset)
		}
		same(t, "events after "+offset, slices.Clone(all[i+1:]), slices.Concat(nil, got))
		again.hears(w.changes("alice", "live", 1)...)
		all = append(all, "expense_created"+trail(t).offset("alice", Place{w.log.head("alice") - 1, 1}),
			"expense:created"+wire.OffsetOf("epoch", "alice", w.log.head("alice"), wire.Colon))
		_ = again.conn.Close()
	}
}

// Offsets of before there were parts, and of a server that tells one spelling
// only, stay good.
func TestOffsetsOutliveAChangeOfNames(t *testing.T) {
	tests := []struct {
		names  Spellings
		offset string
		want   []string // of the changes 2 and 3
	}{
		{BothSpellings, "epoch.alice.2", []string{"expense_created 3", "expense:created 3"}},
		{BothSpellings, "epoch.alice.2.0", []string{"expense:created 2", "expense_created 3", "expense:created 3"}},
		{BothSpellings, "epoch.alice.2.1", []string{"expense_created 3", "expense:created 3"}},
		{BothSpellings, "epoch.alice.3.0", []string{"expense:created 3"}},
		{UnderscoreOnly, "epoch.alice.2.0", []string{"expense_created 3"}},
		{UnderscoreOnly, "epoch.alice.2.1", []string{"expense_created 3"}},
		{ColonOnly, "epoch.alice.2.0", []string{"expense:created 2", "expense:created 3"}},
		{ColonOnly, "epoch.alice.2.1", []string{"expense:created 3"}},
		{ColonOnly, "epoch.alice.2", []string{"expense:created 3"}},
	}
	for _, tt := range tests {
		tr := trailTelling(t, tt.names)
		w := newWorldOf(t, Options{}, engineio.Config{}, tr)
		w.tokens.give("a", "alice", time.Hour)
		w.tokens.seqs = w.log.head
		w.changes("alice", "change", 3)
		b := w.dial(t, nil)
		pid := tr.newPID("alice", 0)
		same(t, "pid", pid, b.enter("a", pid, tt.offset).PID)
		var got []string
		for range tt.want {
			name, _ := b.single()
			c, _, _ := wire.ParseOffset(b.offset)
			got = append(got, fmt.Sprint(name, " ", c.Seq))
		}
		same(t, fmt.Sprint(tt.names, " after ", tt.offset), tt.want, got)
	}
}

// The queue is full between the two spellings of a change more often than not.
func TestAFullQueueMayPartTheSpellings(t *testing.T) {
	w := newWorld(t, Options{}, engineio.Config{QueueBytes: 64 << 10, StallTimeout: patience})
	w.tokens.give("a", "alice", time.Hour)
	b := w.open(t, "a")
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprint(i, strings.Repeat("x", 17<<10)))
		w.log.add("alice", models.ExpenseCreated, want[i], models.Author{})
	}
	w.tail.Wake("alice")
	b.hears(want...) // both spellings of each
}

// batching opens a socket that asks for batches.
func (w *world) batching(t *testing.T, token string) *browser {
	t.Helper()
	b := w.dial(t, nil)
	if got := b.connect(`{"token":"` + token + `","features":["batch"]}`); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("CONNECT was answered %q", got)
	}
	return b
}

// many stores n creations of one device at once.
func (w *world) many(userID, name string, n int) (names []string) {
	w.log.mu.Lock()
	for i := range n {
		names = append(names, fmt.Sprint(name, " ", i))
		w.log.addLocked(userID, models.ExpenseCreated, names[i], models.Author{DeviceID: "device_1"})
	}
	w.log.mu.Unlock()
	w.tail.Wake(userID)
	return names
}

func (b *browser) hearsBatch(want []string) {
	b.t.Helper()
	name, payload := b.hear()
	var got []string
	created, _ := payload["created"].([]any)
	for _, e := range created {
		got = append(got, fmt.Sprint(e.(map[string]any)["description"]))
	}
	same(b.t, "batch", []any{"expenses:batch", "device_1", []any{}, []any{}}, []any{name, payload["deviceId"], payload["updated"], payload["deleted"]})
	same(b.t, "created", want, got)
}

func TestALargeBatchIsOneEventForWhoAsksAndSinglesForOthers(t *testing.T) {
	w := newTrailWorld(t)
	asks, asksNot := w.batching(t, "a"), w.open(t, "a")

	small, large := w.many("alice", "small", minBatch-1), []string(nil)
	asks.hears(small...)
	large = w.many("alice", "large", minBatch)
	asks.hearsBatch(large)
	after := w.changes("alice", "after", 1)
	asks.hears(after...)

	asksNot.hears(slices.Concat(small, large, after)...)
}

// Whoever has heard a batch stands behind it; whoever comes back in the middle of
// a change hears the rest of that first.
func TestABatchEndsInItsOffset(t *testing.T) {
	w := newTrailWorld(t)
	first := w.dial(t, nil)
	pid := first.enter("a", "", "").PID
	large := w.many("alice", "large", 100)
	connect := func(offset string) *browser {
		b := w.dial(t, nil)
		said, _ := json.Marshal(map[string]any{"token": "a", "pid": pid, "offset": offset, "features": []string{"batch"}})
		if reply := b.connect(string(said)); !strings.Contains(reply, pid) {
			t.Fatalf("CONNECT was answered %q", reply)
		}
		return b
	}
	b := connect("epoch.alice.0")
	b.hearsBatch(large)
	same(t, "offset", "epoch.alice.2s", b.offset)
	_ = b.conn.Close()

	between := connect("epoch.alice.1.0")
	name, _ := between.single()
	same(t, "the other spelling", "expense:created epoch.alice.1.1", name+" "+between.offset)
	between.hears(large[1:]...) // one by one, for they are told from the middle of the batch

	after := connect(b.offset)
	after.hears(w.changes("alice", "live", 1)...)
}

// Whatever is in the log, and however it is cut: batches and singles tell all of
// it once and in order.
func TestAPageIsCutIntoBatchesOfOneAuthor(t *testing.T) {
	tr := trail(t)
	rapid.Check(t, func(t *rapid.T) {
		authors := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 5).Draw(t, "authors")
		var page []models.Change
		for _, who := range authors {
			for range rapid.IntRange(1, 2*minBatch).Draw(t, "run") {
				page = append(page, models.Change{
					UserID: "alice", Seq: int64(len(page)) + 1, Kind: models.ExpenseUpdated, EntityID: "x", Author: models.Author{DeviceID: fmt.Sprint(who)},
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
