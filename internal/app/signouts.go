package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/hints"
	"expenseflow/internal/keyring"
	"expenseflow/internal/store"
	"expenseflow/models"
	"expenseflow/sockets"
)

// signOuts are the sockets as HTTP sees them: a sign-out, which is in the user's log, closes
// sockets here at once, and in the other processes as soon as they are told to look.
type signOuts struct {
	*sockets.Hub
	wake func(userID string)
}

// SignOut implements what handlers call after a sign-out was stored.
func (s signOuts) SignOut(userID, key string) {
	s.Hub.SignOut(userID, key)
	s.wake(userID)
}

// tellTimeout bounds how long a command waits for the servers to know what it did. What they
// are not told they find in the database about a second later.
const tellTimeout = 2 * time.Second

// tellServers has the servers on the database look at once at what a command stored about a
// user, as the hint of another server would.
func tellServers(cfg *config.Config, s *store.Store, secrets func() (keyring.Ring, error), userID string) error {
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	servers, err := s.Peers(ctx, "", 0)
	maps.DeleteFunc(servers.Others, func(_ string, v models.PresenceVersion) bool { return v.Ended })
	if err != nil || len(servers.Others) == 0 {
		return err
	}
	ring, err := secrets()
	if err != nil {
		return err
	}
	bus, err := connectHints(ctx, cfg, s, hints.Options{
		Process: rand.Text()[:16], Ring: ring, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	return bus.Tell(ctx, hints.ForUsers(userID), len(servers.Others))
}
