package sockets

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/engineio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A welcomeReply is the answer to CONNECT.
type welcomeReply struct{ SID, PID string }

// enter connects as a client does that remembers pid and offset, and gives the
// answer.
func (b *browser) enter(token, pid, offset string) welcomeReply {
	b.t.Helper()
	said := map[string]string{"token": token}
	if pid != "" {
		said["pid"] = pid
	}
	if offset != "" {
		said["offset"] = offset
	}
	connect, err := json.Marshal(said)
	if err != nil {
		b.t.Fatal(err)
	}
	var r welcomeReply
	if answer := b.connect(string(connect)); json.Unmarshal([]byte(answer[2:]), &r) != nil || r.PID == "" {
		b.t.Fatalf("CONNECT was answered %q", answer)
	}
	return r
}

// newTrailWorld has alice and bob signed in, and looks at the real heads of their logs.
func newTrailWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, Options{}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	w.tokens.give("b", "bob", time.Hour)
	w.tokens.seqs = w.log.head
	return w
}

func (w *world) changes(userID, name string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(name, " ", i))
		w.change(userID, names[i], models.Author{})
	}
	return names
}

func TestWhoComesBackHearsWhatItMissedOnceAndInOrder(t *testing.T) {
	w := newTrailWorld(t)
	w.changes("alice", "before", 3)
	b := w.dial(t, nil)
	first := b.enter("a", "", "")
	b.hears(w.changes("alice", "seen", 2)...)
	_ = b.conn.Close()
	missed := w.changes("alice", "missed", 50)

	again := w.dial(t, nil)
	second := again.enter("a", first.PID, b.offset)

	same(t, "answer to CONNECT", first, second)
	again.hears(missed...)
	again.hears(w.changes("alice", "live", 2)...)
}

// A client has no offset before its first event: its pid knows where it stood.
func TestWhoComesBackWithoutAnEventHearsAllOfThem(t *testing.T) {
	w := newTrailWorld(t)
	w.changes("alice", "before", 3)
	b := w.dial(t, nil)
	first := b.enter("a", "", "")
	_ = b.conn.Close()
	missed := w.changes("alice", "missed", 50)

	again := w.dial(t, nil)
	same(t, "answer to CONNECT", first, again.enter("a", first.PID, ""))
	again.hears(missed...)
}

// The pid is as old as the first connection; later connections move the offset
// alone. The later of the two counts.
func TestTheLaterOfPIDAndOffsetCounts(t *testing.T) {
	w := newTrailWorld(t)
	early := w.dial(t, nil)
	early.enter("a", "", "")
	early.hears(w.changes("alice", "early", 3)...)
	late := w.dial(t, nil)
	pid := late.enter("a", "", "").PID

	again := w.dial(t, nil)
	again.enter("a", pid, trail(t).offset("alice", Place{Seq: 1})) // another tab's, say
	again.hears(w.changes("alice", "live", 1)...)
}

func TestWhoCannotGoOnBeginsAnew(t *testing.T) {
	w := newTrailWorld(t)
	w.changes("alice", "before", 3)
	w.changes("bob", "his", 3)
	tr := trail(t)
	elsewhere, err := NewTrail("another epoch", []byte("a secret of at least thirty-two bytes"), BothSpellings)
	if err != nil {
		t.Fatal(err)
	}
	pid := tr.newPID("alice", 2)
	forged := []byte(pid)
	forged[5] ^= 1
	tests := []struct{ name, pid, offset string }{
		{"no pid", "", tr.offset("alice", Place{Seq: 1})},
		{"not ours", "secret", tr.offset("alice", Place{Seq: 1})},
		{"changed", string(forged), ""},
		{"another user's", tr.newPID("bob", 1), tr.offset("bob", Place{Seq: 1})},
		{"another epoch's", elsewhere.newPID("alice", 1), elsewhere.offset("alice", Place{Seq: 1})},
		{"beyond the log", pid, tr.offset("alice", Place{Seq: 1 << 40})},
		{"a pid beyond the log", tr.newPID("alice", 1<<62), ""},
	}
	for _, tt := range tests {
		b := w.dial(t, nil)
		if got := b.enter("a", tt.pid, tt.offset); got.PID == tt.pid {
			t.Errorf("%s: goes on with the pid", tt.name)
		}
		b.hears(w.changes("alice", "live", 1)...) // and nothing before it
		_ = b.conn.Close()
	}
}

// After an account switch the page sends the offset of the one before: it means
// nothing here, but the pid does.
func TestAStrangeOffsetIsIgnored(t *testing.T) {
	w := newTrailWorld(t)
	tr := trail(t)
	missed := w.changes("alice", "missed", 3)
	for _, offset := range []string{tr.offset("bob", Place{Seq: 3}), "elsewhere.alice.3", "epoch.alice.-1", "epoch.alice.", "epoch.alice.zzzzzzzzzzzzzzzzzzzz", "x"} {
		b := w.dial(t, nil)
		pid := tr.newPID("alice", 0)
		same(t, "pid after offset "+offset, pid, b.enter("a", pid, offset).PID)
		b.hears(missed...)
		_ = b.conn.Close()
	}
}

func TestWhatWasPrunedCannotBeCaughtUp(t *testing.T) {
	w := newTrailWorld(t)
	w.changes("alice", "old", 5)
	w.tokens.starts = func(string) int64 { return 3 } // 4 and 5 are kept
	tr := trail(t)

	kept := w.dial(t, nil)
	pid := tr.newPID("alice", 3)
	same(t, "pid", pid, kept.enter("a", pid, "").PID)
	kept.hears("old 3", "old 4")

	gone := w.dial(t, nil)
	if pid := tr.newPID("alice", 2); gone.enter("a", pid, "").PID == pid {
		t.Error("goes on behind a hole")
	}
}

// Recovered was said, and then the log was pruned before the first page was read:
// the socket stayed open and heard nothing any more, live events included.
func TestALogPrunedUnderADeviceThatComesBackSilencedIt(t *testing.T) {
	w := newTrailWorld(t)
	w.changes("alice", "old", 5)
	w.log.prune(3)
	pid := trail(t).newPID("alice", 2)
	b := w.dial(t, nil)
	same(t, "pid", pid, b.enter("a", pid, "").PID)
	b.gone()

	w.tokens.starts = func(string) int64 { return 3 }
	again := w.dial(t, nil)
	if again.enter("a", pid, "").PID == pid {
		t.Error("goes on behind a hole")
	}
	again.hears(w.changes("alice", "live", 2)...)
}

// Coming back is no way around the token.
func TestRecoveryAuthenticatesAgain(t *testing.T) {
	w := newTrailWorld(t)
	b := w.dial(t, nil)
	pid := b.enter("a", "", "").PID
	w.tokens.revoke("a")
	w.changes("alice", "secret", 1)

	same(t, "answer", `44{"message":"Authentication error","data":{"code":"TOKEN_INVALID"}}`,
		w.dial(t, nil).connect(`{"token":"a","pid":"`+pid+`"}`))
	same(t, "answer", `44{"message":"Authentication error","data":{"code":"`+auth.CodeNoToken+`"}}`,
		w.dial(t, nil).connect(`{"pid":"`+pid+`"}`))
}

// The old connection may still be open: the newest has the sid, the older ends.
func TestTheNewestConnectionOwnsThePID(t *testing.T) {
	w := newTrailWorld(t)
	old := w.dial(t, nil)
	first := old.enter("a", "", "")
	newest := w.dial(t, nil)
	same(t, "answer to CONNECT", first, newest.enter("a", first.PID, ""))
	old.gone()
	newest.hears(w.changes("alice", "live", 3)...)
}

// The server had not noticed yet that the old connection was dead: its client was
// refused for good, as one socket too many.
func TestADeviceThatCameBackWasOneTooManyBesideItself(t *testing.T) {
	w := newWorld(t, Options{MaxPerUser: 2}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	w.tokens.give("b", "bob", time.Hour)
	w.tokens.seqs = w.log.head
	dead := w.dial(t, nil)
	first := dead.enter("a", "", "")
	w.open(t, "a")
	again := w.dial(t, nil)
	same(t, "answer to CONNECT", first, again.enter("a", first.PID, ""))
	again.hears(w.changes("alice", "live", 1)...)
	for _, pid := range []string{"", "another", trail(t).newPID("alice", 0)} {
		same(t, "a third with pid "+pid, crowdedAnswer, w.dial(t, nil).connect(`{"token":"a","pid":"`+pid+`"}`))
	}
}

func FuzzClaim(f *testing.F) {
	tr, err := NewTrail("epoch", []byte("a secret of at least thirty-two bytes"), BothSpellings)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tr.newPID("alice", 7), tr.offset("alice", Place{Seq: 9}))
	f.Add("", "epoch.alice.-1")
	f.Add("", "epoch.alice.0.0")
	f.Fuzz(func(t *testing.T, pid, offset string) {
		if seq, ok := tr.openPID(pid, "alice"); ok && seq != 7 {
			t.Errorf("a forged pid is good for %d", seq)
		}
		if at := tr.openOffset(offset, "alice"); at.Seq < 0 || at.Heard < 0 || at.Heard > wire.Colon {
			t.Errorf("offset %q is %+v", offset, at)
		}
	})
}
