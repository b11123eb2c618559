package app

import (
	"context"
	"log/slog"
	"time"
)

const (
	// pruneDelay keeps the first pruning away from the start of the program.
	pruneDelay    = time.Minute
	pruneInterval = time.Hour
	// pruneBatch is how many rows are deleted in one transaction: other writers wait
	// for it.
	pruneBatch = 500
)

// pruneRegularly deletes rows that are older than their retention, until ctx ends. What
// fails is tried again an hour later.
func (a *App) pruneRegularly(ctx context.Context) error {
	next := time.NewTimer(pruneDelay)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			a.figures.prunedChanges.Add(a.prune(ctx, "changes", a.store.PruneLogs, a.cfg.LogRetention))
			a.prune(ctx, "answers to offline batches", a.store.Prune, a.cfg.Retention)
			a.prune(ctx, "rows of which a user has too many", func(ctx context.Context, _ time.Time, limit int) (int64, error) {
				return a.store.PruneCrowds(ctx, limit)
			}, 0)
			next.Reset(pruneInterval)
		}
	}
}

// A pruneFunc deletes up to limit rows of before a time, and returns how many it deleted.
type pruneFunc func(ctx context.Context, before time.Time, limit int) (int64, error)

// prune calls del until there is nothing left to delete, and returns how many rows it deleted.
func (a *App) prune(ctx context.Context, what string, del pruneFunc, retention time.Duration) (total int64) {
	for {
		n, err := del(ctx, time.Now().Add(-retention), pruneBatch)
		total += n
		if err != nil && ctx.Err() == nil {
			a.log.Error("old "+what+" could not be forgotten; the next try is in an hour", slog.Any("error", err))
		}
		if err != nil || n == 0 {
			break
		}
	}
	if total > 0 {
		a.log.Info("forgot old "+what, slog.Int64("rows", total))
	}
	return total
}
