package app

import (
	"context"
	"encoding/json"
	"time"

	"expenseflow/internal/hints"
	"expenseflow/internal/store"
	"expenseflow/middleware"
	"expenseflow/models"
	"expenseflow/sockets"
)

// A peerStore is what the processes of a cluster know of each other, for this one.
type peerStore struct {
	store  *store.Store
	member interface {
		ID() string
		Generation() int64
	}
}

// Announce stores who is present here.
func (p peerStore) Announce(ctx context.Context, here, gone []models.Present) (models.PresenceVersion, error) {
	generation := p.member.Generation()
	version, err := p.store.Announce(ctx, p.member.ID(), generation, here, gone)
	return models.PresenceVersion{Generation: generation, Version: version}, err
}

// PresentElsewhere returns who is present in other processes.
func (p peerStore) PresentElsewhere(ctx context.Context, rooms []string) ([]models.Present, error) {
	return p.store.PresentElsewhere(ctx, p.member.ID(), p.member.Generation(), rooms)
}

// Peers returns the state of all processes.
func (p peerStore) Peers(ctx context.Context) (models.Peers, error) {
	return p.store.Peers(ctx, p.member.ID(), p.member.Generation())
}

// SetStatus stores what the operator says.
func (p peerStore) SetStatus(ctx context.Context, status string) (int64, error) {
	return p.store.SetStatus(ctx, status)
}

// socketCluster is what the Hub needs beside other processes; nil if there are none.
func (a *App) socketCluster() *sockets.Cluster {
	if a.cluster == nil {
		return nil
	}
	return &sockets.Cluster{Process: a.cluster.ID(), Store: peerStore{a.store, a.cluster}, Publish: a.publish}
}

// publish tells the other processes something.
func (a *App) publish(kind string, data any) {
	b, err := json.Marshal(data)
	if err == nil {
		a.hints.Publish(hints.Hint{Kind: kind, Data: b})
	}
}

// rateHint is the kind of hints of what was used of limits, []middleware.Use. rateInterval is
// how often processes tell it.
const (
	rateHint     = "rate"
	rateInterval = time.Second
)

// tellUse tells the other processes what was used of limits, until ctx ends.
func (a *App) tellUse(ctx context.Context) error {
	if a.limits == nil {
		return nil
	}
	tick := time.NewTicker(rateInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if uses := a.limits.Collect(); len(uses) > 0 {
				a.publish(rateHint, uses)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// hearUse counts what was used of limits in another process.
func (a *App) hearUse(data json.RawMessage) {
	var uses []middleware.Use
	if a.limits != nil && json.Unmarshal(data, &uses) == nil {
		a.limits.Add(uses)
	}
}
