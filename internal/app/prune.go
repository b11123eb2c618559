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

// pruneRegularly forgets answers to offline batches that are older than the
// retention, until ctx ends. A failure is tried again the next time.
func (a *App) pruneRegularly(ctx context.Context) error {
	next := time.NewTimer(pruneFirst)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			a.prune(ctx)
			next.Reset(pruneEvery)
		}
	}
}

func (a *App) prune(ctx context.Context) {
	var total int64
	for {
		n, err := a.store.Prune(ctx, time.Now().Add(-a.cfg.Retention), pruneAtOnce)
		total += n
		if err != nil && ctx.Err() == nil {
			a.log.Error("old answers could not be forgotten; the next try is in an hour", slog.Any("error", err))
		}
		if err != nil || n == 0 {
			break
		}
	}
	if total > 0 {
		a.log.Info("forgot old answers to offline batches", slog.Int64("rows", total))
	}
}
