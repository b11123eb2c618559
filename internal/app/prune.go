package app

import (
	"context"
	"log/slog"
	"time"
)

const (
	// pruneFirst leaves the start to those who wait for it.
	pruneFirst = time.Minute
	pruneEvery = time.Hour
	// pruneAtOnce bounds how long writers wait for one step of the cleaning.
	pruneAtOnce = 500
)

// pruneRegularly forgets what is older than its retention, until ctx ends. A
// failure is tried again the next time.
func (a *App) pruneRegularly(ctx context.Context) error {
	next := time.NewTimer(pruneFirst)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			a.prune(ctx, "changes", a.store.PruneLogs, a.cfg.LogRetention)
			a.prune(ctx, "answers to offline batches", a.store.Prune, a.cfg.Retention)
			a.prune(ctx, "rows of which a user has too many", func(ctx context.Context, _ time.Time, limit int) (int64, error) {
				return a.store.PruneCrowds(ctx, limit)
			}, 0)
			next.Reset(pruneEvery)
		}
	}
}

// prune has some of the old rows forgotten until there are none.
func (a *App) prune(ctx context.Context, what string, some func(context.Context, time.Time, int) (int64, error), retention time.Duration) {
	var total int64
	for {
		n, err := some(ctx, time.Now().Add(-retention), pruneAtOnce)
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
}
