package app

import (
	"context"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/sockets"
)

// A tokenRecorder is an authenticator that records which tokens are in use: their user
// finds them in the list of sessions, also those that never opened a socket.
type tokenRecorder struct {
	*auth.Authenticator
	hub *sockets.Hub
}

// AuthenticateWithGrace authenticates a request and records its token.
func (r tokenRecorder) AuthenticateWithGrace(ctx context.Context, bearer string, grace time.Duration) (auth.Identity, error) {
	id, err := r.Authenticator.AuthenticateWithGrace(ctx, bearer, grace)
	if err == nil {
		r.hub.RecordToken(id.User.ID, id.Claims.Key, id.Claims.ExpiresAt)
	}
	return id, err
}
