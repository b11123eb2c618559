package sockets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/models"
)

// A socket that nobody reads from is not sent more of its log than its queue and
// the kernel take, however much there is.
func TestASocketThatNobodyReadsHoldsABoundedPartOfItsLog(t *testing.T) {
	const n, bytes, bound = 200, 80 << 10, 256 << 10
	w := newFixture(t, Options{}, engineio.Config{QueueBytes: bound, StallTimeout: patience})
	w.tokens.add("a", "alice", time.Hour)
	_, quick := w.open(t, "a"), w.open(t, "a")
	sessions := w.sessions.all()
	want := make([]string, n)
	text := strings.Repeat("x", bytes)
	for i := range want {
		want[i] = fmt.Sprint(i, text)
		w.log.add("alice", models.ExpenseCreated, want[i], models.Author{})
	}
	w.tail.Wake("alice")

	quick.wantCreated(want...)

	least := int64(n)
	for _, s := range sessions {
		least = min(least, s.log.Position())
	}
	if least > n/2 { // of 32 MB in both spellings; kernels keep a few
		t.Errorf("%d of %d changes were queued for a socket that nobody reads from", least, n)
	}
}
