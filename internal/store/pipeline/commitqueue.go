package pipeline

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Connection is the one connection on which writers work.
type Connection interface {
	Begin(ctx context.Context) error
	// Exec runs a statement inside the transaction.
	Exec(statement string) error
	Commit() error
	// Rollback ends the transaction, whatever became of it.
	Rollback()
}

// MaxBatchDelay is how long a batch takes new members, for the first waits for all, and
// MaxBatchSize how many may share a commit.
const (
	MaxBatchDelay = 2 * time.Millisecond
	MaxBatchSize  = 64
)

// A CommitQueue serialises the writers of one connection, first come first served, and lets
// adjacent ones share a commit, which waits for the disk: whoever is done hands the open
// transaction to the next in the queue, and the last one commits for all. None of them
// returns before that.
type CommitQueue struct {
	conn  func() Connection
	delay time.Duration

	waits  atomic.Int64 // that have ended
	waited atomic.Int64 // nanoseconds of them

	mu      sync.Mutex
	busy    bool
	waiting []*waiter
}

type waiter struct {
	turn  chan *commitBatch // gets the open batch, or nil if the connection is free
	joins bool              // may go on with an open batch
}

// NewCommitQueue returns a queue for a connection of which each batch gets its own value. A
// batch takes new members for as long as delay.
func NewCommitQueue(conn func() Connection, delay time.Duration) *CommitQueue {
	return &CommitQueue{conn: conn, delay: delay}
}

// Waiting is how many writers wait.
func (q *CommitQueue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// Waits returns how many writers have waited for a turn, and for how long together.
func (q *CommitQueue) Waits() (n int64, waited time.Duration) {
	return q.waits.Load(), time.Duration(q.waited.Load())
}

// Alone waits until the connection is free and nobody's transaction is open on it. The error
// is that of ctx.
func (q *CommitQueue) Alone(ctx context.Context) (leave func(), err error) {
	if _, err := q.enter(ctx, false); err != nil {
		return nil, err
	}
	return func() { q.leave(nil) }, nil
}

// Write runs fn inside a transaction that other writers may share, and returns after its
// commit. An error of fn, or a panic, undoes what fn did and nothing else. The end of ctx
// stops the wait, and fn does not run.
func (q *CommitQueue) Write(ctx context.Context, fn func(Connection) error) error {
	b, err := q.enter(ctx, true)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		q.leave(b)
		return err
	}
	if err := q.join(context.WithoutCancel(ctx), &b, fn); err != nil {
		return err
	}
	<-b.done
	return b.err
}

// join does one writer's work in b, a new batch if it is nil, and leaves.
func (q *CommitQueue) join(ctx context.Context, b **commitBatch, fn func(Connection) error) error {
	defer func() { q.leave(*b) }()
	if *b == nil {
		fresh := &commitBatch{Connection: q.conn(), since: time.Now(), done: make(chan struct{})}
		if err := fresh.Begin(ctx); err != nil {
			return err
		}
		*b = fresh
	}
	return (*b).member(fn)
}

// enter waits for a turn. The batch is nil, or open and to be joined.
func (q *CommitQueue) enter(ctx context.Context, joins bool) (*commitBatch, error) {
	w := q.queue(joins)
	if w == nil {
		return nil, nil
	}
	defer q.countWait(time.Now())
	select {
	case b := <-w.turn:
		return b, nil
	case <-ctx.Done():
	}
	if !q.quit(w) { // the turn has come meanwhile
		q.leave(<-w.turn)
	}
	return nil, ctx.Err()
}

func (q *CommitQueue) countWait(began time.Time) {
	q.waits.Add(1)
	q.waited.Add(int64(time.Since(began)))
}

// queue takes the turn if it is free, and else the last place.
func (q *CommitQueue) queue(joins bool) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.busy {
		q.busy = true
		return nil
	}
	w := &waiter{turn: make(chan *commitBatch, 1), joins: joins}
	q.waiting = append(q.waiting, w)
	return w
}

func (q *CommitQueue) quit(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// leave ends a turn: an open batch is handed to the next in the queue, or ends here.
func (q *CommitQueue) leave(b *commitBatch) {
	if b != nil {
		if b.takesMore(q.delay) && q.pass(b) {
			return
		}
		b.end()
	}
	q.pass(nil)
}

// pass hands the turn to the next in the queue; false if there is none who takes b.
func (q *CommitQueue) pass(b *commitBatch) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.busy = b != nil
		return false
	}
	w := q.waiting[0]
	if b != nil && !w.joins {
		return false
	}
	q.waiting = q.waiting[1:]
	w.turn <- b
	return true
}

// A commitBatch is one transaction that several writers share.
type commitBatch struct {
	Connection
	since   time.Time
	members int  // whose work is in it
	over    bool // rolled back: nobody may join

	done chan struct{} // closed when it has ended
	err  error         // why it did not commit; read after done
}

func (b *commitBatch) takesMore(delay time.Duration) bool {
	return !b.over && b.members < MaxBatchSize && time.Since(b.since) < delay
}

// member runs fn so that its failure, or its panic, leaves the others' work.
// The first one needs no savepoint for that.
func (b *commitBatch) member(fn func(Connection) error) error {
	kept := false
	defer func() {
		if !kept {
			b.undo()
		}
	}()
	if err := b.savepoint("SAVEPOINT member"); err != nil {
		return err
	}
	if err := fn(b.Connection); err != nil {
		return err
	}
	if err := b.savepoint("RELEASE SAVEPOINT member"); err != nil {
		return err
	}
	b.members++
	kept = true
	return nil
}

func (b *commitBatch) savepoint(statement string) error {
	if b.members == 0 {
		return nil
	}
	return b.Exec(statement)
}

// undo takes the present member's work back. If that fails, or there is nobody
// else, the whole batch ends.
func (b *commitBatch) undo() {
	err := b.savepoint("ROLLBACK TO SAVEPOINT member")
	if err == nil {
		err = b.savepoint("RELEASE SAVEPOINT member")
	}
	if err == nil && b.members > 0 {
		return
	}
	b.err = err // a full disk, for one, makes SQLite roll all of it back
	b.over = true
	b.Rollback()
}

// end commits what the members did, and wakes them.
func (b *commitBatch) end() {
	if !b.over {
		if b.err = b.Commit(); b.err != nil {
			b.Rollback()
		}
	}
	close(b.done)
}
