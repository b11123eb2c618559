package sockets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"expenseflow/internal/keyring"
	"expenseflow/internal/socketio"
	"expenseflow/models"
)

// A roomStore stores the rooms that pages joined; *store.Store is one. pidHash
// identifies the page's private session id without revealing it.
type roomStore interface {
	KeepRooms(ctx context.Context, userID, pidHash string, rooms []string) error
	KeptRooms(ctx context.Context, userID, pidHash string) ([]string, error)
}

// A Recoverer decides where a connection begins in its user's change log: a client
// that comes back continues where its last connection broke off, after any time within
// the log's retention, after a crash, in another process (docs/contract.md#recovery).
// What it needs to know comes from the client:
//
//   - the private session id (pid) is signed for its user and epoch, and says at which
//     sequence it was issued (pidSigner);
//   - the offset is the position of the last event that the client handled, in the
//     clear: a client may only ever move within its own user's log (Stream).
//
// Its methods may be called concurrently.
type Recoverer struct {
	stream *Stream
	pids   pidSigner
	rooms  roomStore // nil: no room can be joined after the connection
}

// NewRecoverer makes a Recoverer. Every process that has the secret which signs here
// accepts the pids made here, and offsets whatever event names they use. With rooms, a page
// that comes back is in the rooms that it had joined.
func NewRecoverer(stream *Stream, ring keyring.Ring, rooms roomStore) *Recoverer {
	return &Recoverer{stream, newPIDSigner(ring), rooms}
}

// Admit implements socketio.Recovery. The middleware has authenticated the client, so
// the session knows its user and where the user's log ends.
func (r *Recoverer) Admit(ctx context.Context, socket *socketio.Socket, c socketio.Claim) (socketio.Grant, error) {
	if socket.Namespace().Name() != namespace {
		return socketio.Grant{}, nil // the Admin UI has no log to continue
	}
	s := sessionOf(socket)
	from, grant := r.Resume(models.User{ID: s.userID, LogStart: s.logStart, Seq: s.position.Seq}, c)
	s.position = from
	s.pid.Store(&grant.PID)
	if !grant.Recovered || r.rooms == nil {
		return grant, nil
	}
	if kept := s.initial.rooms; kept != nil {
		grant.Rooms = kept.Names
		return grant, nil
	}
	var err error
	if grant.Rooms, err = r.rooms.KeptRooms(ctx, s.userID, pidHash(grant.PID)); err != nil {
		return socketio.Grant{}, fmt.Errorf("%w: %w", socketio.ErrCloseTransport, err)
	}
	return grant, nil
}

// Resume returns where a connection of u begins, with u as it was when the token was
// checked: at the position that the client claims if that is possible, and else at the
// end of the log, with a new pid.
func (r *Recoverer) Resume(u models.User, c socketio.Claim) (StreamPosition, socketio.Grant) {
	if from, ok := r.claimed(u, c); ok {
		return from, socketio.Grant{PID: c.PID, Offset: r.stream.offset(u.ID, from), Recovered: true}
	}
	head := StreamPosition{Seq: u.Seq}
	return head, socketio.Grant{PID: r.newPID(u.ID, u.Seq), Offset: r.stream.offset(u.ID, head)}
}

// claimed returns the position from which the client may continue: the later one of
// its pid and of its offset. ok is false if the pid was not issued to this user, or if
// what follows that position is no longer, or not yet, in the log.
func (r *Recoverer) claimed(u models.User, c socketio.Claim) (from StreamPosition, ok bool) {
	issued, ok := r.pids.verify(*r.stream.epoch.Load(), u.ID, c.PID)
	if !ok {
		return StreamPosition{}, false
	}
	from = r.stream.position(c.Offset, u.ID)
	if from.Seq < issued {
		from = StreamPosition{Seq: issued}
	}
	needed := from.Seq
	if from.NextVariant > 0 {
		needed++
	}
	return from, from.Seq >= u.LogStart && needed <= u.Seq
}

func (r *Recoverer) newPID(userID string, seq int64) string {
	return r.pids.issue(*r.stream.epoch.Load(), userID, seq)
}

// Follow implements socketio.Recovery.
func (r *Recoverer) Follow(socket *socketio.Socket) (stop func()) {
	s := sessionOf(socket)
	s.follow()
	return s.end
}

// errRoomsNotKept refuses a room that would not be there after a recovery: the page
// does not join it again, and nothing would remember it.
var errRoomsNotKept = errors.New("sockets: a socket joins no room after it connected")

// keepTimeout bounds how long joining a room waits for the store.
const keepTimeout = 10 * time.Second

// Remember implements socketio.Recovery: a page that comes back does not join its
// rooms again.
func (r *Recoverer) Remember(socket *socketio.Socket, rooms []string) error {
	if r.rooms == nil {
		return errRoomsNotKept
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepTimeout)
	defer cancel()
	return r.rooms.KeepRooms(ctx, sessionOf(socket).userID, pidHash(socket.PID()), rooms)
}
