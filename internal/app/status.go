package app

import (
	"context"
	"log/slog"
	"time"
)

// How often the database is asked whether it is there while anybody listens, and
// how long it may take to say so.
const (
	lookEvery  = 2 * time.Second
	lookAtMost = 2 * time.Second
)

// watchStorage tells the sockets when the database cannot be reached, and when it
// can again, until ctx ends.
func (a *App) watchStorage(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	trouble := false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		a.followEpoch(ctx)
		if a.hub.Len() == 0 && !trouble {
			continue // nobody to tell
		}
		trouble = a.look(ctx) != nil && ctx.Err() == nil
		a.hub.StorageTrouble(trouble)
	}
}

// followEpoch notices an epoch that the command epoch began while this process serves.
func (a *App) followEpoch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookAtMost)
	defer cancel()
	if err := a.store.FollowEpoch(ctx); err != nil {
		a.log.DebugContext(ctx, "the epoch cannot be read", slog.Any("error", err))
	}
}

func (a *App) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookAtMost)
	defer cancel()
	err := a.store.Ping(ctx)
	if err == nil {
		err = a.store.Writable(ctx)
	}
	if err != nil {
		a.log.DebugContext(ctx, "the database does not answer or takes no changes", slog.Any("error", err))
	}
	return err
}
