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

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A Trail lets a device go on where its last connection broke off: after any
// time within the log's retention, after a kill, in another process (DESIGN
// section 4). It keeps nothing. What it needs to know comes from the client:
//
//   - the private session id (pid) is signed for its user and epoch, and says at
//     which sequence it was given;
//   - the offset is the position of the last event that the client has handled,
//     in the clear, for a client may only ever move within its own user's log.
//
// Its methods may be called concurrently.
type Trail struct {
	epoch string
	key   []byte
}

// NewTrail makes a Trail for the log of this epoch (store.Store.Epoch). Every
// process with the same secret honours the pids of the others.
func NewTrail(epoch string, secret []byte) (*Trail, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "expenseflow: private session ids", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of private session ids: %w", err)
	}
	return &Trail{epoch: epoch, key: key}, nil
}

// Encode makes the event that announces a change, once for all sockets that get
// it. It ends in its offset.
func (t *Trail) Encode(c models.Change) *socketio.Packet {
	name, payload := wire.Event(c)
	p, err := socketio.EncodeAt(namespace, t.offset(c.UserID, c.Seq), name, payload)
	if err != nil {
		panic(err) // wire made the JSON, and the names are ours
	}
	return p
}

// Admit implements socketio.Recovery. The middleware has authenticated the
// client again, so the session knows its user and where the user's log stands.
func (t *Trail) Admit(_ context.Context, socket *socketio.Socket, c socketio.Claim) (socketio.Grant, error) {
	s := sessionOf(socket)
	from, grant := t.Place(models.User{ID: s.userID, LogStart: s.logStart, Seq: s.position}, c)
	s.position = from
	return grant, nil
}

// Place says where a connection of u, as the user is when the token is looked at,
// begins in the user's log.
func (t *Trail) Place(u models.User, c socketio.Claim) (from int64, _ socketio.Grant) {
	if from, ok := t.claimed(u, c); ok {
		return from, socketio.Grant{PID: c.PID, Offset: t.offset(u.ID, from), Recovered: true}
	}
	return u.Seq, socketio.Grant{PID: t.newPID(u.ID, u.Seq), Offset: t.offset(u.ID, u.Seq)}
}

// claimed is the position from which the client may go on: the later of its
// pid's own and of its offset. It may not if the pid is not one of ours for this
// user, or if what follows that position is no longer, or not yet, in the log.
func (t *Trail) claimed(u models.User, c socketio.Claim) (int64, bool) {
	from, ok := t.openPID(c.PID, u.ID)
	if !ok {
		return 0, false
	}
	from = max(from, t.openOffset(c.Offset, u.ID))
	return from, from >= u.LogStart && from <= u.Seq
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

// Remember implements socketio.Recovery. The only room is user:<id>, which every
// connection joins by itself, so there is nothing to keep.
func (t *Trail) Remember(*socketio.Socket, []string) error { return errRoomsNotKept }

// offset names the position of a user's log after sequence seq.
func (t *Trail) offset(userID string, seq int64) string {
	return wire.Offset(t.epoch, userID, seq)
}

// openOffset gives the sequence of an offset, 0 for one of another epoch or user
// (after an account switch the client sends the old one) and for any other text.
func (t *Trail) openOffset(offset, userID string) int64 {
	c, ok := wire.ParseOffset(offset)
	if !ok || c.Epoch != t.epoch || c.UserID != userID {
		return 0
	}
	return c.Seq
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
	mac.Write([]byte(t.epoch + "\n" + userID + "\n"))
	mac.Write(body)
	return mac.Sum(nil)[:pidCode]
}
