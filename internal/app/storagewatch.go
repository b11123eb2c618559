package app

import (
	"context"
	"log/slog"
	"time"
)

// How often the database is checked while there are sockets, and how long it may take to
// answer.
const (
	storageCheckInterval = 2 * time.Second
	storageCheckTimeout  = 2 * time.Second
)

// watchStorage tells the sockets when the database cannot be reached, and when it can
// again, until ctx ends. It also notices an epoch that another process began, and a disk that is
// nearly full.
func (a *App) watchStorage(ctx context.Context) error {
	tick := time.NewTicker(storageCheckInterval)
	defer tick.Stop()
	down := false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		a.checkEpoch(ctx)
		a.disk.look(ctx)
		if a.hub.Len() == 0 && !down {
			continue // there is nobody to tell
		}
		down = a.checkStorage(ctx) != nil && ctx.Err() == nil
		a.hub.SetStorageDown(down)
	}
}

// checkEpoch notices an epoch that the command epoch began while this process serves; the
// store then calls onEpochChange.
func (a *App) checkEpoch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storageCheckTimeout)
	defer cancel()
	if err := a.store.FollowEpoch(ctx); err != nil {
		a.log.DebugContext(ctx, "the epoch cannot be read", slog.Any("error", err))
	}
}

// onLogShortened begins a new epoch when a user's log ends before a sequence that this
// process has read from it: the database was replaced by an older one.
func (a *App) onLogShortened(ctx context.Context, userID string, read int64) {
	if err := a.store.EpochAfterLoss(ctx, userID, read); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "a new epoch cannot begin, though the database lacks changes", slog.Any("error", err))
	}
}

// checkStorage returns an error if the database cannot be read or written.
func (a *App) checkStorage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storageCheckTimeout)
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
