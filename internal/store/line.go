package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/failpoint"

	"gorm.io/gorm"
)

// A line is where writers wait for SQLite's one writing connection, first come
// first served. A commit waits for the disk, so writers who stand in line share
// it: whoever is done hands the open transaction to the next one, and the last
// commits for all. None of them hears of success before that.
type line struct {
	span time.Duration // how long a group takes new members: the first waits for all

	mu      sync.Mutex
	busy    bool
	waiting []*waiter
}

type waiter struct {
	turn  chan *group // gets the open group, or nil if the connection is free
	joins bool        // may go on with an open group
}

// enter waits for a turn. The group is nil, or open and to be joined.
func (l *line) enter(ctx context.Context, joins bool) (*group, error) {
	w := l.stand(joins)
	if w == nil {
		return nil, nil
	}
	select {
	case g := <-w.turn:
		return g, nil
	case <-ctx.Done():
	}
	if !l.quit(w) { // the turn has come meanwhile
		l.leave(<-w.turn)
	}
	return nil, unavailable(ctx.Err())
}

// stand takes the turn if it is free, and else the last place in line.
func (l *line) stand(joins bool) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.busy {
		l.busy = true
		return nil
	}
	w := &waiter{turn: make(chan *group, 1), joins: joins}
	l.waiting = append(l.waiting, w)
	return w
}

func (l *line) quit(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, w)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	return i >= 0
}

// leave ends a turn: an open group goes on with the next in line, or ends here.
func (l *line) leave(g *group) {
	if g != nil {
		if g.takesMore() && l.pass(g) {
			return
		}
		g.end()
	}
	l.pass(nil)
}

// pass gives the turn to the next in line; false if there is none who takes g.
func (l *line) pass(g *group) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.busy = g != nil
		return false
	}
	w := l.waiting[0]
	if g != nil && !w.joins {
		return false
	}
	l.waiting = l.waiting[1:]
	w.turn <- g
	return true
}

// groupSpan is a line's span, and groupSize how many may share a commit.
const (
	groupSpan = 2 * time.Millisecond
	groupSize = 64
)

// A group is one transaction on SQLite that several writers share.
type group struct {
	s       *Store
	db      *gorm.DB
	since   time.Time
	members int  // whose work is in it
	over    bool // rolled back: nobody may join

	done chan struct{} // closed when it has ended
	err  error         // why it did not commit; read after done
}

func (s *Store) newGroup(ctx context.Context) (*group, error) {
	db := s.w.WithContext(ctx).Begin()
	if db.Error != nil {
		return nil, fail(s.d, db.Error)
	}
	return &group{s: s, db: db, since: time.Now(), done: make(chan struct{})}, nil
}

func (g *group) takesMore() bool {
	return !g.over && g.members < groupSize && time.Since(g.since) < g.s.line.span
}

// member runs fn so that its failure, or its panic, leaves the others' work.
// The first one needs no savepoint for that.
func (g *group) member(fn func() error) error {
	kept := false
	defer func() {
		if !kept {
			g.undo()
		}
	}()
	if err := g.savepoint("SAVEPOINT member"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	if err := g.savepoint("RELEASE SAVEPOINT member"); err != nil {
		return err
	}
	g.members++
	kept = true
	return nil
}

func (g *group) savepoint(statement string) error {
	if g.members == 0 {
		return nil
	}
	return fail(g.s.d, g.db.Exec(statement).Error)
}

// undo takes the present member's work back. If that fails, or there is nobody
// else, the whole group ends.
func (g *group) undo() {
	err := g.savepoint("ROLLBACK TO SAVEPOINT member")
	if err == nil {
		err = g.savepoint("RELEASE SAVEPOINT member")
	}
	if err == nil && g.members > 0 {
		return
	}
	if err != nil { // a full disk, for one, makes SQLite roll all of it back
		g.err = unavailable(err)
	}
	g.over = true
	g.s.rollback(g.db)
}

// end commits what the members did, and tells them.
func (g *group) end() {
	if !g.over {
		failpoint.Here(failpoint.BeforeCommit)
		if g.err = fail(g.s.d, g.db.Commit().Error); g.err != nil {
			g.s.rollback(g.db)
		}
	}
	close(g.done)
}
