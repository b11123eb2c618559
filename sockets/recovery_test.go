package sockets

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/engineio"
	"expenseflow/internal/keyring"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A welcomeReply is the answer to CONNECT.
type welcomeReply struct{ SID, PID string }

// connectAs connects with the pid and the offset that a client remembers, and returns the
// answer.
func (b *testClient) connectAs(token, pid, offset string) welcomeReply {
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

// newTwoUsers is a fixture with tokens of alice and bob, whose check returns where their
// logs end.
func newTwoUsers(t *testing.T) *fixture {
	t.Helper()
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	w.tokens.seqs = w.log.head
	return w
}

func (w *fixture) storeChanges(userID, name string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(name, " ", i))
		w.storeChange(userID, names[i], models.Author{})
	}
	return names
}

func TestWhoComesBackHearsWhatItMissedOnceAndInOrder(t *testing.T) {
	w := newTwoUsers(t)
	w.storeChanges("alice", "before", 3)
	b := w.dial(t, nil)
	first := b.connectAs("a", "", "")
	b.wantCreated(w.storeChanges("alice", "seen", 2)...)
	_ = b.conn.Close()
	missed := w.storeChanges("alice", "missed", 50)

	again := w.dial(t, nil)
	second := again.connectAs("a", first.PID, b.offset)

	same(t, "answer to CONNECT", first, second)
	again.wantCreated(missed...)
	again.wantCreated(w.storeChanges("alice", "live", 2)...)
}

// A client has no offset before its first event: its pid says where it was.
func TestWhoComesBackWithoutAnEventHearsAllOfThem(t *testing.T) {
	w := newTwoUsers(t)
	w.storeChanges("alice", "before", 3)
	b := w.dial(t, nil)
	first := b.connectAs("a", "", "")
	_ = b.conn.Close()
	missed := w.storeChanges("alice", "missed", 50)

	again := w.dial(t, nil)
	same(t, "answer to CONNECT", first, again.connectAs("a", first.PID, ""))
	again.wantCreated(missed...)
}

// The pid is as old as the first connection; later connections change only the offset. The
// later of the two counts.
func TestTheLaterOfPIDAndOffsetCounts(t *testing.T) {
	w := newTwoUsers(t)
	early := w.dial(t, nil)
	early.connectAs("a", "", "")
	early.wantCreated(w.storeChanges("alice", "early", 3)...)
	late := w.dial(t, nil)
	pid := late.connectAs("a", "", "").PID

	again := w.dial(t, nil)
	again.connectAs("a", pid, testRecovery(t).offset("alice", StreamPosition{Seq: 1})) // another tab's, say
	again.wantCreated(w.storeChanges("alice", "live", 1)...)
}

func TestWhoCannotGoOnBeginsAnew(t *testing.T) {
	w := newTwoUsers(t)
	w.storeChanges("alice", "before", 3)
	w.storeChanges("bob", "his", 3)
	tr := testRecovery(t)
	elsewhere := newRecovery(t, "another epoch", BothNames)
	pid := tr.newPID("alice", 2)
	forged := []byte(pid)
	forged[5] ^= 1
	tests := []struct{ name, pid, offset string }{
		{"no pid", "", tr.offset("alice", StreamPosition{Seq: 1})},
		{"not ours", "secret", tr.offset("alice", StreamPosition{Seq: 1})},
		{"changed", string(forged), ""},
		{"another user's", tr.newPID("bob", 1), tr.offset("bob", StreamPosition{Seq: 1})},
		{"another epoch's", elsewhere.newPID("alice", 1), elsewhere.offset("alice", StreamPosition{Seq: 1})},
		{"beyond the log", pid, tr.offset("alice", StreamPosition{Seq: 1 << 40})},
		{"a pid beyond the log", tr.newPID("alice", 1<<62), ""},
	}
	for _, tt := range tests {
		b := w.dial(t, nil)
		if got := b.connectAs("a", tt.pid, tt.offset); got.PID == tt.pid {
			t.Errorf("%s: goes on with the pid", tt.name)
		}
		b.wantCreated(w.storeChanges("alice", "live", 1)...) // and nothing before it
		_ = b.conn.Close()
	}
}

// A pid that was issued before the secret was changed is good, and those that are issued
// now are of the new secret.
func TestAPIDOutlivesTheChangeOfTheSecret(t *testing.T) {
	old, next := []byte("the secret before"), []byte("the secret after")
	before, swapped, done := newPIDSigner(keyring.New(old)), newPIDSigner(keyring.New(next, old)), newPIDSigner(keyring.New(next))
	for _, tt := range []struct {
		name        string
		issued, now pidSigner
		good        bool
	}{
		{"of the secret before", before, swapped, true},
		{"of the new secret", swapped, done, true},
		{"of a secret that is gone", before, done, false},
		{"of the new secret, where it is not known", swapped, before, false},
	} {
		seq, ok := tt.now.verify("epoch", "alice", tt.issued.issue("epoch", "alice", 7))
		if ok != tt.good || ok && seq != 7 {
			t.Errorf("a pid %s: %d, %v, want good: %v", tt.name, seq, ok, tt.good)
		}
	}
}

// After an account switch the page sends the offset of the account before: it is ignored,
// and the pid counts.
func TestAStrangeOffsetIsIgnored(t *testing.T) {
	w := newTwoUsers(t)
	tr := testRecovery(t)
	missed := w.storeChanges("alice", "missed", 3)
	for _, offset := range []string{
		tr.offset("bob", StreamPosition{Seq: 3}), "elsewhere.alice.3", "epoch.alice.-1", "epoch.alice.",
		"epoch.alice.zzzzzzzzzzzzzzzzzzzz", "x",
	} {
		b := w.dial(t, nil)
		pid := tr.newPID("alice", 0)
		same(t, "pid after offset "+offset, pid, b.connectAs("a", pid, offset).PID)
		b.wantCreated(missed...)
		_ = b.conn.Close()
	}
}

func TestWhatWasPrunedCannotBeCaughtUp(t *testing.T) {
	w := newTwoUsers(t)
	w.storeChanges("alice", "old", 5)
	w.tokens.starts = func(string) int64 { return 3 } // 4 and 5 are kept
	tr := testRecovery(t)

	kept := w.dial(t, nil)
	pid := tr.newPID("alice", 3)
	same(t, "pid", pid, kept.connectAs("a", pid, "").PID)
	kept.wantCreated("old 3", "old 4")

	gone := w.dial(t, nil)
	if pid := tr.newPID("alice", 2); gone.connectAs("a", pid, "").PID == pid {
		t.Error("goes on behind a hole")
	}
}

// The log was pruned after the connection was recovered and before its first page was
// read: the socket stayed open and received nothing any more.
func TestALogPrunedUnderADeviceThatComesBackSilencedIt(t *testing.T) {
	w := newTwoUsers(t)
	w.storeChanges("alice", "old", 5)
	w.log.prune(3)
	pid := testRecovery(t).newPID("alice", 2)
	b := w.dial(t, nil)
	same(t, "pid", pid, b.connectAs("a", pid, "").PID)
	b.wantClosed()

	w.tokens.starts = func(string) int64 { return 3 }
	again := w.dial(t, nil)
	if again.connectAs("a", pid, "").PID == pid {
		t.Error("goes on behind a hole")
	}
	again.wantCreated(w.storeChanges("alice", "live", 2)...)
}

// A recovered connection needs a valid token like any other.
func TestRecoveryAuthenticatesAgain(t *testing.T) {
	w := newTwoUsers(t)
	b := w.dial(t, nil)
	pid := b.connectAs("a", "", "").PID
	w.tokens.revoke("a")
	w.storeChanges("alice", "secret", 1)

	same(t, "answer", `44{"message":"Authentication error","data":{"code":"TOKEN_INVALID"}}`,
		w.dial(t, nil).connect(`{"token":"a","pid":"`+pid+`"}`))
	same(t, "answer", `44{"message":"Authentication error","data":{"code":"`+auth.CodeNoToken+`"}}`,
		w.dial(t, nil).connect(`{"pid":"`+pid+`"}`))
}

// The old connection may still be open: the newest has the sid, and the older is closed.
func TestTheNewestConnectionOwnsThePID(t *testing.T) {
	w := newTwoUsers(t)
	old := w.dial(t, nil)
	first := old.connectAs("a", "", "")
	newest := w.dial(t, nil)
	same(t, "answer to CONNECT", first, newest.connectAs("a", first.PID, ""))
	old.wantClosed()
	newest.wantCreated(w.storeChanges("alice", "live", 3)...)
}

// The server had not noticed yet that the old connection was dead, and refused its client
// for good as one socket too many.
func TestADeviceThatCameBackWasOneTooManyBesideItself(t *testing.T) {
	w := newFixture(t, Options{MaxPerUser: 2}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	w.tokens.seqs = w.log.head
	dead := w.dial(t, nil)
	first := dead.connectAs("a", "", "")
	w.open(t, "a")
	again := w.dial(t, nil)
	same(t, "answer to CONNECT", first, again.connectAs("a", first.PID, ""))
	again.wantCreated(w.storeChanges("alice", "live", 1)...)
	for _, pid := range []string{"", "another", testRecovery(t).newPID("alice", 0)} {
		same(t, "a third with pid "+pid, crowdedAnswer, w.dial(t, nil).connect(`{"token":"a","pid":"`+pid+`"}`))
	}
}

func FuzzClaim(f *testing.F) {
	tr := testRecovery(f)
	f.Add(tr.newPID("alice", 7), tr.offset("alice", StreamPosition{Seq: 9}))
	f.Add("", "epoch.alice.-1")
	f.Add("", "epoch.alice.0.0")
	f.Fuzz(func(t *testing.T, pid, offset string) {
		if seq, ok := tr.pids.verify("epoch", "alice", pid); ok && seq != 7 {
			t.Errorf("a forged pid is good for %d", seq)
		}
		if at := tr.position(offset, "alice"); at.Seq < 0 || at.NextVariant < 0 || at.NextVariant > wire.ColonVariant {
			t.Errorf("offset %q is %+v", offset, at)
		}
	})
}
