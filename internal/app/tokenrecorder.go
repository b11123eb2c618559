package app

import (
	"context"
	"net/http"
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

// AuthenticateRequest authenticates a request and records its token.
func (r tokenRecorder) AuthenticateRequest(ctx context.Context, h http.Header, grace time.Duration) (auth.Identity, error) {
	id, err := r.AuthenticateWithGrace(ctx, h.Get("Authorization"), grace)
	if err == nil {
		r.hub.RecordToken(&id, h.Get("User-Agent"))
	}
	return id, err
}
