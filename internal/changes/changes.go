// Package changes tails the users' change logs and hands each change to whoever
// listens, each from its own position.
package changes

import (
	"context"

	"expenseflow/models"
)

// A Source is where the logs are; *store.Store is one.
type Source interface {
	Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error)
	Heads(ctx context.Context, userIDs []string) (map[string]int64, error)
}

// An Item is one change and its encoded form, which all subscribers share.
type Item[E any] struct {
	Seq     int64
	Change  *models.Change
	Encoded E
}
