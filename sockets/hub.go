// Package sockets is what a browser's socket may say and hear.
//
// What it promises:
//
//   - Only a good token opens a socket. A refusal is a CONNECT_ERROR, after
//     which a client stays away for good, so it is said only when the token will
//     never work again; in trouble of ours the transport is closed, and the
//     client comes back by itself (docs/contract.md#d19, docs/contract.md#tokens).
//   - A socket hears the changes of its user's log, and of no other's, each once
//     and in the log's order, from the moment at which its token was looked at
//     (docs/contract.md#live-events). What it hears is read from the log, never from a request.
//   - A socket that cannot take more is behind: it costs its position in the
//     log, goes on from there when there is room, and is never closed for it.
//   - A device that comes back goes on where it was, as long as the log reaches
//     back that far (Trail, docs/contract.md#recovery).
//   - A socket does not outlive its token: it ends with the token's time, with a
//     sign-out, and with a password change (docs/contract.md#d33).
//   - How things stand (balance, unread count, dashboards, the service itself) is
//     told after each connect and whenever it has moved, is in no log, and is
//     dropped for a socket that is behind until it has room again.
//   - Who is there is told by device, not by socket, and without a word about one
//     that is back within three seconds. Those who look at the same expense meet
//     in its room as long as they have a right to it, and not a moment longer
//     (docs/contract.md#live-features).
//   - What a page commands goes through the same rules as an HTTP request, and
//     comes back to every device as an event of the log (docs/contract.md#live-features).
//   - No event that is not made from the log ends in a string or is without an
//     argument: clients would take that for their offset (docs/contract.md#recovery).
package sockets

import (
	"context"
	"log/slog"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// namespace is the only one that clients use (docs/contract.md#socketio).
const namespace = "/"

// An authenticator turns a bearer token into its user; *auth.Authenticator is
// one. It fails with models.Unauthorized when the token will never work again.
type authenticator interface {
	Authenticate(ctx context.Context, bearer string) (auth.Identity, error)
}

// A feed follows users' logs; *changes.Tail is one.
type feed interface {
	Subscribe(userID string, from int64, deliver func([]changes.Item[Announcement]) (taken int), lost func()) *changes.Subscription
}

// A queue knows the operations that wait for a person, oldest first, and what a
// client missed; *reconcile.Reconciler is one.
type queue interface {
	Pending(ctx context.Context, userID string) ([]models.QueuedOperation, error)
	Missed(ctx context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error)
}

// Options are what a Hub is made of.
type Options struct {
	IO    *socketio.Server
	Auth  authenticator
	Feed  feed // encodes with Trail.Encode
	Queue queue
	Book  book

	// Reader tells how users stand, Registry keeps the devices they come with.
	Reader   reader
	Registry registry

	// Rates convert what is in other currencies than the account's; nil converts nothing.
	Rates *models.Rates

	// MaxPerUser is how many sockets one user may have open; further ones are
	// refused for good. 0 is no limit. MAX_CONNECTIONS_PER_USER.
	MaxPerUser int

	// SuppressSelf spares a socket the changes that were made with its own token
	// and without naming a device (SUPPRESS_SELF_BY_TOKEN, docs/contract.md#d23).
	SuppressSelf bool

	// Rate is how many events a socket may send in a second, after Burst at once.
	// 0 is no limit. SOCKET_RATE.
	Rate  float64
	Burst int

	Logger *slog.Logger // default slog.Default
}

// A Hub is the sockets of all users. Its methods may be called concurrently.
type Hub struct {
	opts      Options
	log       *slog.Logger
	members   *members
	watchers  watchers
	statement *statement
	errands   *errands
	presence  *presence
	rooms     rooms
	notes     *notes
	seen      seenTokens
}

// New makes the Hub and has it serve the sockets of o.IO.
func New(o Options) *Hub {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	h := &Hub{opts: o, log: o.Logger, members: newMembers(o.MaxPerUser), statement: newStatement(), errands: newErrands()}
	h.watchers.byUser = make(map[string]*watcher)
	h.rooms.byExpense, h.rooms.knocking = make(map[string]map[visitor]*guest), make(map[*knock]struct{})
	h.notes = newNotes(h)
	h.presence = newPresence(h)
	nsp := o.IO.Of(namespace)
	nsp.Use(h.admit)
	nsp.OnConnect(h.welcome)
	nsp.OnAny(h.hear)
	return h
}

// room is where the sockets of a user are. No client ever sees its name.
func room(userID string) string { return "user:" + userID }

// parkedEvent tells a user's devices that an operation waits for a person.
const parkedEvent = "sync_error"

// A syncFailure is the payload of sync_error (docs/contract.md#permanent-or-retryable).
type syncFailure struct {
	Error     string       `json:"error"`
	Code      string       `json:"code,omitempty"`
	Operation *wire.Queued `json:"operation,omitempty"` // the one that was parked
}

// maxAnnounced is how large an operation may be to be named in sync_error, in
// bytes. A queue may hold megabytes of nonsense; sync_request gives all of it to
// whoever asks.
const maxAnnounced = 64 << 10

// Parked tells a user's devices of operations that were parked
// (reconcile.Options.Parked). It never blocks. It is a hint that a device may
// miss if too much waits for it already: what is parked stays to be asked for.
func (h *Hub) Parked(userID string, ops []models.QueuedOperation) {
	devices := h.opts.IO.Of(namespace).To(room(userID)).FetchSockets()
	for _, op := range ops {
		p, err := socketio.Encode(namespace, parkedEvent, announcement(op))
		if err != nil {
			h.log.Error("parked operation cannot be announced", slog.String("operation_id", op.ID), slog.Any("error", err))
			continue
		}
		for _, d := range devices {
			d.TrySend(p)
		}
	}
}

func announcement(op models.QueuedOperation) syncFailure {
	if op.ID == "" || len(op.Data) > maxAnnounced {
		return syncFailure{Error: op.Result.Error, Code: op.Result.Code}
	}
	queued := wire.NewQueued(op)
	return syncFailure{Error: op.Result.Error, Operation: &queued}
}

// SignOut closes the live sockets of the user's token of that revocation key
// (auth.Claims.Key), of all the user's tokens if key is "". Call it after the
// sign-out is stored: then no socket slips through between the two.
func (h *Hub) SignOut(userID, key string) {
	for _, s := range h.members.signOut(userID, key) {
		s.out.Store(true)
		s.socket.Disconnect(true)
	}
}

// signedOut is SignOut for what a user's log says, maybe of another process:
// sessions whose token was looked at since then have a good one.
func (h *Hub) signedOut(c *models.Change) {
	for _, s := range h.members.signOut(c.UserID, c.EntityID) {
		if s.asOf < c.Seq {
			s.out.Store(true)
			go h.errands.run(func(context.Context) { s.socket.Disconnect(true) })
		}
	}
}

// BeginAnew closes the transport of every socket, when the log has begun another epoch
// (Trail.Begin): clients come back by themselves, and begin anew.
func (h *Hub) BeginAnew() {
	for _, s := range h.members.all() {
		s.socket.CloseTransport()
	}
}

// Len is how many sockets are open or being opened.
func (h *Hub) Len() int { return h.members.len() }

// goodbye is how long Shutdown waits for clients to hear that the server goes. A
// polling client hears it by its next request, which follows within a round
// trip, or never if it has gone without a word.
const goodbye = 2 * time.Second

// Shutdown tells every socket that the server goes, refuses newcomers and closes
// every transport so that clients come back later, here or elsewhere. When it
// returns nil, nothing of the Hub runs any more; clients that did not hear it in
// time find out by themselves.
func (h *Hub) Shutdown(ctx context.Context) error {
	polite, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	h.partWith()
	h.presence.end()
	h.notes.soon.stop()
	h.rooms.stop()
	h.errands.end()
	err := h.opts.IO.Shutdown(polite)
	if err != nil && ctx.Err() == nil {
		err = h.opts.IO.Shutdown(ctx) // the rest was cut off; wait until its listeners have run
	}
	if err != nil {
		return err
	}
	return h.members.await(ctx)
}
