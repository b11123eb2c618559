package sockets

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A Trail lets a device go on where its last connection broke off: after any
// time within the log's retention, after a kill, in another process
// (docs/contract.md#recovery). It keeps nothing. What it needs to know comes from the client:
//
//   - the private session id (pid) is signed for its user and epoch, and says at
//     which sequence it was given;
//   - the offset is the position of the last event that the client has handled,
//     in the clear, for a client may only ever move within its own user's log.
//
// Its methods may be called concurrently.
type Trail struct {
	epoch atomic.Pointer[string]
	key   []byte
	names Spellings
	kept  memory // nil: no room of run time can be kept
}

// A memory keeps the rooms that a page joined; *store.Store is one. sessionKey is
// a name of the pid from which nobody learns the pid.
type memory interface {
	KeepRooms(ctx context.Context, userID, sessionKey string, rooms []string) error
	KeptRooms(ctx context.Context, userID, sessionKey string) ([]string, error)
}

// KeepIn has the rooms that pages join kept, so that a page which comes back is in
// them again. Call it before the Trail is used.
func (t *Trail) KeepIn(m memory) { t.kept = m }

// NewTrail makes a Trail for the log of this epoch (store.Store.Epoch). Every
// process with the same secret honours the pids of the others, and its offsets
// whatever names it told changes by.
func NewTrail(epoch string, secret []byte, names Spellings) (*Trail, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "expenseflow: private session ids", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of private session ids: %w", err)
	}
	t := &Trail{key: key, names: names}
	t.Begin(epoch)
	return t, nil
}

// Begin has the Trail go on in another epoch: no pid and no offset of the one before is
// honoured any more. Close the sockets that are open then (Hub.BeginAnew).
func (t *Trail) Begin(epoch string) { t.epoch.Store(&epoch) }

// Admit implements socketio.Recovery. The middleware has authenticated the
// client again, so the session knows its user and where the user's log stands.
func (t *Trail) Admit(ctx context.Context, socket *socketio.Socket, c socketio.Claim) (socketio.Grant, error) {
	s := sessionOf(socket)
	from, grant := t.Place(models.User{ID: s.userID, LogStart: s.logStart, Seq: s.position}, c)
	s.position, s.heard = from.Seq, from.Heard
	s.hub.members.name(s, grant.PID)
	if !grant.Recovered || t.kept == nil {
		return grant, nil
	}
	var err error
	if grant.Rooms, err = t.kept.KeptRooms(ctx, s.userID, sessionKey(grant.PID)); err != nil {
		return socketio.Grant{}, fmt.Errorf("%w: %w", socketio.ErrCloseTransport, err)
	}
	return grant, nil
}

// sessionKey names a pid without giving it away.
func sessionKey(pid string) string {
	sum := sha256.Sum256([]byte(pid))
	return pidText.EncodeToString(sum[:])
}

// A Place in a user's log is after the change Seq and, of the next one, after its
// parts below Heard.
type Place struct {
	Seq   int64
	Heard int
}

// Place says where a connection of u, as the user is when the token is looked at,
// begins in the user's log.
func (t *Trail) Place(u models.User, c socketio.Claim) (Place, socketio.Grant) {
	if from, ok := t.claimed(u, c); ok {
		return from, socketio.Grant{PID: c.PID, Offset: t.offset(u.ID, from), Recovered: true}
	}
	head := Place{Seq: u.Seq}
	return head, socketio.Grant{PID: t.newPID(u.ID, u.Seq), Offset: t.offset(u.ID, head)}
}

// claimed is the place from which the client may go on: the later of its pid's
// own and of its offset. It may not if the pid is not one of ours for this user,
// or if what follows that place is no longer, or not yet, in the log.
func (t *Trail) claimed(u models.User, c socketio.Claim) (Place, bool) {
	given, ok := t.openPID(c.PID, u.ID)
	if !ok {
		return Place{}, false
	}
	from := t.openOffset(c.Offset, u.ID)
	if from.Seq < given {
		from = Place{Seq: given}
	}
	head := from.Seq
	if from.Heard > 0 {
		head++
	}
	return from, from.Seq >= u.LogStart && head <= u.Seq
}

// Follow implements socketio.Recovery.
func (t *Trail) Follow(socket *socketio.Socket) (stop func()) {
	s := sessionOf(socket)
	s.start()
	return s.end
}

// errRoomsNotKept refuses to join a room that a recovered page would not join
// again and nobody would remember.
var errRoomsNotKept = errors.New("sockets: a socket joins no room after it was welcomed")

// keepTimeout bounds how long joining a room waits for the store.
const keepTimeout = 10 * time.Second

// Remember implements socketio.Recovery: a page that comes back does not join its
// rooms again.
func (t *Trail) Remember(socket *socketio.Socket, rooms []string) error {
	if t.kept == nil {
		return errRoomsNotKept
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepTimeout)
	defer cancel()
	return t.kept.KeepRooms(ctx, sessionOf(socket).userID, sessionKey(socket.PID()), rooms)
}

// offset names a place in a user's log.
func (t *Trail) offset(userID string, p Place) string {
	if p.Heard == 0 {
		return wire.Offset(*t.epoch.Load(), userID, p.Seq)
	}
	return wire.OffsetOf(*t.epoch.Load(), userID, p.Seq+1, p.Heard-1)
}

// openOffset gives the place of an offset, the beginning for one of another epoch
// or user (after an account switch the client sends the old one) and for any
// other text. Whoever heard the last part that is told has heard all of a change.
func (t *Trail) openOffset(offset, userID string) Place {
	c, part, ok := wire.ParseOffset(offset)
	switch {
	case !ok || c.Epoch != *t.epoch.Load() || c.UserID != userID:
		return Place{}
	case part == wire.Whole || part >= t.names.last() || c.Seq == 0:
		return Place{Seq: c.Seq}
	}
	return Place{c.Seq - 1, part + 1}
}

// The parts of a pid, in bytes. Behind them stands their code.
const (
	pidSeq    = 8
	pidRandom = 12
	pidBody   = pidSeq + pidRandom
	pidCode   = 16
)

var pidText = base64.RawURLEncoding.Strict()

// newPID makes a private session id of the user for a client that stands at seq.
func (t *Trail) newPID(userID string, seq int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, pidBody+pidCode), uint64(seq))[:pidBody]
	_, _ = rand.Read(b[pidSeq:]) // never fails
	return pidText.EncodeToString(append(b, t.code(userID, b)...))
}

// openPID gives the sequence at which a pid was given to the user; false if it
// was not, or in another epoch.
func (t *Trail) openPID(pid, userID string) (int64, bool) {
	if len(pid) != pidText.EncodedLen(pidBody+pidCode) {
		return 0, false
	}
	b, err := pidText.DecodeString(pid)
	if err != nil || !hmac.Equal(b[pidBody:], t.code(userID, b[:pidBody])) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b)), true
}

// code signs the body of a pid, for this user and epoch.
func (t *Trail) code(userID string, body []byte) []byte {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(*t.epoch.Load() + "\n" + userID + "\n"))
	mac.Write(body)
	return mac.Sum(nil)[:pidCode]
}
