package reconcile

import (
	"context"
	"errors"
	"fmt"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// Missed gives at most limit changes of the user's log that a client does not
// know which knows it up to since. The page is Whole if the log cannot tell: the
// client knows nothing (nil), or what follows since is no longer kept, or since is
// of another epoch, of another user, or of more than there is, be it a place or a
// moment.
func (r *Reconciler) Missed(ctx context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error) {
	var p models.LogPage
	var err error
	if p.LogState, err = r.store.LogState(ctx, userID); err != nil {
		return p, fmt.Errorf("missed changes: %w", err)
	}
	var known bool
	if p.Since, known, err = r.place(ctx, userID, p.LogState, since); err == nil && known {
		p.Changes, err = r.store.Changes(ctx, userID, p.Since, limit)
	}
	if errors.Is(err, store.ErrLogPruned) {
		known, err = false, nil
	}
	if err != nil {
		return p, fmt.Errorf("missed changes: %w", err)
	}
	p.Whole, p.Head = !known, max(p.Head, p.Next())
	return p, nil
}

// place is where a cursor stands in the log; false if what follows it is not to
// be had.
func (r *Reconciler) place(ctx context.Context, userID string, l models.LogState, c *models.Cursor) (int64, bool, error) {
	switch {
	case c == nil, c.Epoch != "" && (c.Epoch != l.Epoch || c.UserID != userID):
		return 0, false, nil
	case c.At.IsZero():
		return c.Seq, c.Seq >= l.Start && c.Seq <= l.Head, nil
	case c.At.UnixMilli() <= 0: // how clients say that they know nothing
		return 0, l.Start == 0, nil
	case !l.Dates(c.At):
		return 0, false, nil
	}
	seq, ok, err := r.store.SeqAt(ctx, userID, c.At)
	return seq, ok || l.Start == 0, err
}

// Snapshot calls fn with each of the user's expenses, newest date first, as they
// are at one sequence of the user's log, after which a client goes on with
// Missed. It also gives that sequence, for a user who has none.
func (r *Reconciler) Snapshot(ctx context.Context, userID string, fn func(seq int64, e models.Expense) error) (seq int64, err error) {
	if seq, err = r.store.Snapshot(ctx, userID, fn); err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	return seq, nil
}
