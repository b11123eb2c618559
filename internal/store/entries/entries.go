// Package entries lists the expenses that a user sees, own ones and those that others share with
// them: streams in constant memory, pages, one of them, and the history of one.
//
// A caller may be slow: nobody else waits for that (listing).
package entries

import (
	"context"
	"errors"
	"time"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Entries reads the entries of a database.
type Entries struct{ db *database.DB }

// New returns the entries of a database.
func New(db *database.DB) Entries { return Entries{db} }

// A snapshot reads with several statements what is true at one moment.
type snapshot struct {
	s  Entries
	db *gorm.DB
}

// head is the sequence of the newest change in the user's log.
func (s Entries) head(ctx context.Context, userID string) (int64, error) {
	return find.OfUser[int64](s.db.Read(ctx), userID, "seq")
}

// errLong ends a read whose result is as long as its reader wants it.
var errLong = errors.New("the result is longer than a chunk")

// EachExpense calls fn with each of the user's expenses as they are at one
// moment, newest date first and then by id downwards, in constant memory. An
// error of fn ends it and is returned as it is.
//
// If the result is long it is a long read. A caller whose fn does not keep up with the
// database loses the connection (listing); if the list changes after that, the error is
// models.Unavailable, for the rest would be of another moment.
func (s Entries) EachExpense(ctx context.Context, userID string, fn func(models.Expense) error) error {
	return s.streamNewest(ctx, userID, nil, fn)
}

// streamNewest is EachExpense. saw, if not nil, is called before fn with the head of the
// user's log as it was when the row was read.
func (s Entries) streamNewest(ctx context.Context, userID string, saw func(head int64), fn func(models.Expense) error) error {
	n, err := s.expenseCounts(ctx, userID)
	if err != nil {
		return err
	}
	l := listing{userID: userID, after: olderThan, seq: n.Seq, exact: true, saw: saw}
	l.query = func(more string, args ...any) (string, []any) {
		query, args := access.VisibleExpenses(userID, more, args...)
		if saw != nil {
			query = "SELECT m.*, (SELECT seq FROM users WHERE id = ?) AS head FROM (" + query + ") m"
			args = append([]any{userID}, args...)
		}
		return query + access.NewestFirst, args
	}
	return s.stream(ctx, &l, n.all() <= StreamChunk, fn)
}

// olderThan is the condition on what follows e in a list with the newest first.
func olderThan(e *models.Expense) (more string, args []any) {
	return " AND (e.date, e.id) < (?, ?)", []any{e.Date.UnixMilli(), e.ID}
}

// ExpensesSyncedAfter calls fn with each of the user's expenses that was stored
// after t, in the order they were stored; one that is stored again meanwhile may come
// twice. Whoever wants to go on from there reads LastSynced first.
func (s Entries) ExpensesSyncedAfter(ctx context.Context, userID string, t time.Time, fn func(models.Expense) error) error {
	short, err := s.isShortAfter(ctx, userID, t.UnixMilli())
	if err != nil {
		return err
	}
	l := listing{userID: userID, after: syncedAfter}
	l.query = func(more string, args ...any) (string, []any) {
		query, args := access.VisibleExpenses(userID, " AND e.last_synced_at > ?"+more, append([]any{t.UnixMilli()}, args...)...)
		return query + " ORDER BY last_synced_at, id", args
	}
	return s.stream(ctx, &l, short, fn)
}

// syncedAfter is the condition on what follows e in the order of ExpensesSyncedAfter.
func syncedAfter(e *models.Expense) (more string, args []any) {
	return " AND (e.last_synced_at, e.id) > (?, ?)", []any{e.LastSyncedAt.UnixMilli(), e.ID}
}

// LastSynced returns the newest LastSyncedAt that is committed for this user, and
// the start of 1970 if nothing ever was. Every later write gets a
// later one, so it is a safe cursor; the clock is none (docs/contract.md#delta-and-pull).
func (s Entries) LastSynced(ctx context.Context, userID string) (time.Time, error) {
	at, err := find.OfUser[int64](s.db.Read(ctx), userID, "last_synced_at")
	return time.UnixMilli(at).UTC(), err
}

// ExpenseOf returns the expense of this id if the user has it, in their view;
// models.NotFound if there is none, or it is another user's, or no id at all.
func (s Entries) ExpenseOf(ctx context.Context, userID, id string) (models.Expense, error) {
	if !models.IsID(id) {
		return models.Expense{}, access.ErrNoExpense
	}
	query, args := access.VisibleExpenses(userID, " AND e.id = ?", id)
	e, err := find.One[models.Expense](s.db.Read(ctx).Raw(query, args...))
	if find.IsNotFound(err) {
		err = access.ErrNoExpense
	}
	return access.InView(e), err
}

// Snapshot is EachExpense with the sequence of the user's log at that very
// moment.
func (s Entries) Snapshot(ctx context.Context, userID string, fn func(seq int64, e models.Expense) error) (seq int64, err error) {
	if seq, err = s.head(ctx, userID); err != nil {
		return 0, err
	}
	saw := func(head int64) {
		if head != seq { // of the first row alone: fn reads it while further rows are scanned
			seq = head
		}
	}
	for {
		before, read := seq, 0
		err = s.streamNewest(ctx, userID, saw, func(e models.Expense) error { read++; return fn(seq, e) })
		if err != nil || read > 0 {
			return seq, err
		}
		// An empty list carries no head; read it again until two reads agree.
		if seq, err = s.head(ctx, userID); err != nil || seq == before {
			return seq, err
		}
	}
}
