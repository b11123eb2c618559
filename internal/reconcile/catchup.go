package reconcile

import (
	"context"
	"errors"
	"fmt"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// ChangesSince returns at most limit changes of the user's log after the client's position
// since. The page has NeedsSnapshot set if the changes cannot be determined: since is nil
// (the client has nothing), the changes after it were pruned, or it is of another epoch,
// of another user, or beyond the head of the log.
func (r *Reconciler) ChangesSince(ctx context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error) {
	var p models.LogPage
	var err error
	if p.LogState, err = r.store.LogState(ctx, userID); err != nil {
		return p, fmt.Errorf("changes since: %w", err)
	}
	var known bool
	if p.Since, known, err = r.resolveCursor(ctx, userID, p.LogState, since); err == nil && known {
		p.Changes, err = r.store.Changes(ctx, userID, p.Since, limit)
	}
	if errors.Is(err, store.ErrLogPruned) {
		known, err = false, nil
	}
	if err != nil {
		return p, fmt.Errorf("changes since: %w", err)
	}
	p.NeedsSnapshot, p.Head = !known, max(p.Head, p.Next())
	return p, nil
}

// resolveCursor returns the sequence of a cursor; false if the changes after it cannot be
// determined.
func (r *Reconciler) resolveCursor(
	ctx context.Context, userID string, l models.LogState, c *models.Cursor,
) (seq int64, ok bool, err error) {
	switch {
	case c == nil, c.Epoch != "" && (c.Epoch != l.Epoch || c.UserID != userID):
		return 0, false, nil
	case c.At.IsZero():
		return c.Seq, c.Seq >= l.Start && c.Seq <= l.Head, nil
	case c.At.UnixMilli() <= 0: // clients that have nothing send 1970
		return 0, l.Start == 0, nil
	case !l.Covers(c.At):
		return 0, false, nil
	}
	seq, ok, err = r.store.SeqAt(ctx, userID, c.At)
	return seq, ok || l.Start == 0, err
}

// Snapshot calls fn with each of the user's expenses, newest date first, as of one sequence
// of the user's log, from which the client continues with ChangesSince. It also returns
// that sequence, because fn is not called for a user without expenses.
func (r *Reconciler) Snapshot(
	ctx context.Context, userID string, fn func(seq int64, e models.Expense) error,
) (seq int64, err error) {
	if seq, err = r.store.Snapshot(ctx, userID, fn); err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	return seq, nil
}
