package app

import (
	"context"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/sockets"
)

// noting is an authenticator that notes which tokens are in use, so that their user
// finds them in the list of sessions, also those that never opened a socket.
type noting struct {
	*auth.Authenticator
	hub *sockets.Hub
}

func (n noting) AuthenticateWithin(ctx context.Context, bearer string, grace time.Duration) (auth.Identity, error) {
	id, err := n.Authenticator.AuthenticateWithin(ctx, bearer, grace)
	if err == nil {
		n.hub.SeeToken(id.User.ID, id.Claims.Key, id.Claims.ExpiresAt)
	}
	return id, err
}
