package reconcile

import (
	"context"
	"fmt"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// Bounds of one call for many parked operations.
const (
	MaxParkedPage    = 200     // operations of ParkedPage
	parkedPageBytes  = 1 << 20 // of their data
	maxDiscardedPage = 500
	maxRetriedPage   = 50 // each is a transaction of its own
)

// ParkedPage returns at most limit of the user's parked operations after a place, oldest
// first, and at least one if there is any.
func (r *Reconciler) ParkedPage(
	ctx context.Context, userID string, after models.ParkedPlace, limit int,
) (p models.ParkedPage, err error) {
	if p.Operations, p.More, err = r.store.ParkedPage(ctx, userID, after, min(limit, MaxParkedPage), parkedPageBytes); err == nil {
		p.Total, p.Last, err = r.store.ParkedExtent(ctx, userID)
	}
	if err != nil {
		return models.ParkedPage{}, fmt.Errorf("parked operations: %w", err)
	}
	return p, nil
}

// DiscardAll discards parked operations up to a place, so that none is discarded that the
// user has not seen: as many as one transaction should. It returns how many, and how many
// are left up to there. Discarding again what is discarded changes nothing.
func (r *Reconciler) DiscardAll(
	ctx context.Context, userID string, through models.ParkedPlace,
) (discarded, left int64, err error) {
	err = r.ledger.Write(ctx, userID, func(w *ledger.Work) (err error) {
		discarded, left, err = w.Tx.DiscardParked(through, maxDiscardedPage)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("discard operations: %w", err)
	}
	if discarded > 0 {
		r.opts.OnSettled(userID, models.Discarded)
	}
	return discarded, left, nil
}

// RetryAll retries, as Retry does without data, some of the user's parked operations after
// one place and not after another. One with a version that is not the newest fails again:
// it waits for a decision between two texts. If an error ends it, what was applied stays so,
// and is counted.
func (r *Reconciler) RetryAll(
	ctx context.Context, userID string, by models.Author, after, through models.ParkedPlace,
) (p models.RetriedPage, err error) {
	defer func() {
		if p.Applied > 0 {
			r.opts.OnSettled(userID, models.Applied)
		}
	}()
	places, err := r.store.ParkedPlaces(ctx, userID, after, through, maxRetriedPage)
	p.Next, p.More = after, len(places) == maxRetriedPage
	for i := 0; err == nil && i < len(places); i++ {
		p.Next = places[i]
		err = r.retryOne(ctx, userID, by, places[i].ID, &p)
	}
	if err != nil {
		return p, fmt.Errorf("retry operations: %w", err)
	}
	return p, nil
}

// retryOne counts the outcome of one operation. One that was decided on meanwhile does not
// count.
func (r *Reconciler) retryOne(ctx context.Context, userID string, by models.Author, id string, p *models.RetriedPage) error {
	row, err := r.retry(ctx, userID, by, id, nil)
	switch {
	case models.KindOf(err) == models.NotFound:
	case err != nil:
		return err
	case row.State == models.Applied:
		p.Applied++
	default:
		p.Failed++
	}
	return nil
}
