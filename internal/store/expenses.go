package store

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

var errNoExpense = models.E(models.NotFound, "Expense not found")

// Expense returns the expense of this id if the user has it, in their view;
// models.NotFound, all alike, if there is none, if it is another user's and not, or
// no longer, shared with this one, and for what is no id at all. A shared expense
// needs the locks of all who have it (see Write).
func (tx *Tx) Expense(id string) (models.Expense, error) {
	if err := tx.loadExpenses([]string{id}); err != nil {
		return models.Expense{}, err
	}
	e, exists, _ := tx.expenses.Get(id)
	if !exists {
		return models.Expense{}, errNoExpense
	}
	if err := tx.entitled(&e); err != nil {
		return models.Expense{}, err
	}
	return tx.View(e), nil
}

func (tx *Tx) loadExpenses(ids []string) error {
	ids = tx.expenses.Unknown(ids, models.IsID)
	if len(ids) == 0 {
		return tx.failed
	}
	// The user is compared elsewhere: as a condition, it tempts a planner to read
	// all of a busy user's expenses.
	found, err := findIn[models.Expense](tx, tx.orm().Where(tx.s.db.In("id", ids)))
	for _, e := range found {
		tx.expenses.Load(e.ID, e, true)
	}
	tx.expenses.LoadAbsent(ids)
	if err != nil {
		return err
	}
	return tx.loadShares(ids)
}

// InsertExpense saves a new expense.
func (tx *Tx) InsertExpense(e models.Expense) {
	tx.totalsDelta(&e, 1)
	tx.expenses.Put(e.ID, e, false)
}

// UpdateExpense saves an expense that Expense returned, whoever's it is.
func (tx *Tx) UpdateExpense(e models.Expense) {
	if before, exists, _ := tx.expenses.Get(e.ID); exists {
		tx.of[e.UserID].adjustTotals(&before, &e)
		e.Shares, e.HasDependents = before.Shares, before.HasDependents
	}
	e.Role, e.SharedBy = models.NoRole, ""
	tx.expenses.Put(e.ID, e, true)
}

// DeleteExpense removes an expense that Expense returned, with its shares and what
// was said about it.
func (tx *Tx) DeleteExpense(e models.Expense) error {
	before, exists, _ := tx.expenses.Get(e.ID)
	if exists {
		tx.of[e.UserID].totalsDelta(&before, -1)
	}
	tx.expenses.Remove(e.ID)
	if !before.HasDependents {
		return nil
	}
	return tx.deleteDependents(e.ID)
}

// visibleExpenses selects what a user has, own expenses and those that others share with
// them, all in the user's view (inView). more is a further condition on
// expenses, "e", with parameters args. A user with whom nothing is shared pays a
// look into an index. It is written by hand: GORM has no UNION.
func visibleExpenses(userID, more string, args ...any) (query string, params []any) {
	params = append([]any{userID}, args...)
	return ownExpenses + more + " UNION ALL " + receivedExpenses + more, append(params, params...)
}

// The halves of visibleExpenses.
var (
	expenseColumns = rows.Of(models.Expense{}).NamesOf("e")

	ownExpenses = "SELECT " + expenseColumns + ", '' AS role, '' AS shared_by FROM expenses e WHERE e.user_id = ?"

	receivedExpenses = "SELECT " + expenseColumns + ", s.role, u.name AS shared_by FROM shares s " +
		"JOIN expenses e ON e.id = s.expense_id JOIN users u ON u.id = e.user_id WHERE s.user_id = ? AND s.role <> ''"

	newestFirst = " ORDER BY date DESC, id DESC"
)

// inView takes out of an expense of another user what is its owner's business.
func inView(e models.Expense) models.Expense {
	if e.Role != models.NoRole {
		e.Shares, e.HasDependents = 0, false
	}
	return e
}

// EachExpense calls fn with each of the user's expenses as they are at one
// moment, newest date first and then by id downwards, in constant memory. An
// error of fn ends it and is returned as it is.
//
// If the result is long it is a long read. A caller whose fn does not keep up with the
// database loses the connection (listing); if the list changes after that, the error is
// models.Unavailable, for the rest would be of another moment.
func (s *Store) EachExpense(ctx context.Context, userID string, fn func(models.Expense) error) error {
	return s.streamNewest(ctx, userID, nil, fn)
}

// streamNewest is EachExpense. saw, if not nil, is called before fn with the head of the
// user's log as it was when the row was read.
func (s *Store) streamNewest(ctx context.Context, userID string, saw func(head int64), fn func(models.Expense) error) error {
	n, err := s.expenseCounts(ctx, userID)
	if err != nil {
		return err
	}
	l := listing{userID: userID, after: olderThan, seq: n.Seq, exact: true, saw: saw}
	l.query = func(more string, args ...any) (string, []any) {
		query, args := visibleExpenses(userID, more, args...)
		if saw != nil {
			query = "SELECT m.*, (SELECT seq FROM users WHERE id = ?) AS head FROM (" + query + ") m"
			args = append([]any{userID}, args...)
		}
		return query + newestFirst, args
	}
	return s.stream(ctx, &l, n.all() <= streamChunk, fn)
}

// olderThan is the condition on what follows e in a list with the newest first.
func olderThan(e *models.Expense) (more string, args []any) {
	return " AND (e.date, e.id) < (?, ?)", []any{e.Date.UnixMilli(), e.ID}
}

// ExpensesSyncedAfter calls fn with each of the user's expenses that was stored
// after t, in the order they were stored; one that is stored again meanwhile may come
// twice. Whoever wants to go on from there reads LastSynced first.
func (s *Store) ExpensesSyncedAfter(ctx context.Context, userID string, t time.Time, fn func(models.Expense) error) error {
	short, err := s.isShortAfter(ctx, userID, t.UnixMilli())
	if err != nil {
		return err
	}
	l := listing{userID: userID, after: syncedAfter}
	l.query = func(more string, args ...any) (string, []any) {
		query, args := visibleExpenses(userID, " AND e.last_synced_at > ?"+more, append([]any{t.UnixMilli()}, args...)...)
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
func (s *Store) LastSynced(ctx context.Context, userID string) (time.Time, error) {
	at, err := find.OfUser[int64](s.db.Read(ctx), userID, "last_synced_at")
	return time.UnixMilli(at).UTC(), err
}

// ExpenseOf returns the expense of this id if the user has it, in their view;
// models.NotFound if there is none, or it is another user's, or no id at all.
func (s *Store) ExpenseOf(ctx context.Context, userID, id string) (models.Expense, error) {
	if !models.IsID(id) {
		return models.Expense{}, errNoExpense
	}
	query, args := visibleExpenses(userID, " AND e.id = ?", id)
	e, err := find.One[models.Expense](s.db.Read(ctx).Raw(query, args...))
	if find.IsNotFound(err) {
		err = errNoExpense
	}
	return inView(e), err
}

// Snapshot is EachExpense with the sequence of the user's log at that very
// moment.
func (s *Store) Snapshot(ctx context.Context, userID string, fn func(seq int64, e models.Expense) error) (seq int64, err error) {
	if seq, err = s.Head(ctx, userID); err != nil {
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
		if seq, err = s.Head(ctx, userID); err != nil || seq == before {
			return seq, err
		}
	}
}
