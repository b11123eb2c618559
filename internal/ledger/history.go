package ledger

import (
	"context"
	"fmt"

	"expenseflow/models"
)

// History returns a page of the changes of an expense, newest first, as far as the user's
// log has them: those before a sequence, 0 for the newest. The error is models.NotFound
// if the user has no access; the owner of a deleted expense still has.
func (l *Ledger) History(ctx context.Context, userID, expenseID string, before int64, limit int) (models.History, error) {
	h, err := l.store.History(ctx, userID, expenseID, before, limit)
	if err != nil {
		return models.History{}, fmt.Errorf("history: %w", err)
	}
	return h, nil
}
