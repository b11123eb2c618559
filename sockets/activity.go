package sockets

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// typingPause is how long further typing of a socket, and in one room of its user, is
// of no interest: a user with a hundred sockets types with one of them.
const typingPause = time.Second

// Activity tells everybody in an expense's room what the ledger did
// (ledger.Options.Activity): a comment, or that somebody changed the expense. It
// does not block.
func (h *Hub) Activity(a models.Activity) {
	h.rooms.mu.Lock()
	defer h.rooms.mu.Unlock()
	if len(h.rooms.byExpense[a.ExpenseID]) == 0 {
		return // as with most expenses: nothing is to be encoded
	}
	h.rooms.send(a.ExpenseID, mustEncode(activityEvent, wire.NewRoomActivity(a)), nil, among(a.Audience))
}

// among tells of visitors whether they are of these users. Rooms are a process's own,
// and whoever lost a right in another process is still in them until the log says so.
func among(users []string) func(visitor) bool {
	return func(v visitor) bool { return slices.Contains(users, v.userID) }
}

// sayActivity handles room:activity {room, type, data}, of those who are in the
// room. A comment is kept and comes to everybody, its author's devices included,
// when it is stored; typing comes to the others, once a second at most.
func (s *session) sayActivity(ctx context.Context, arg json.RawMessage) (receipt, error) {
	a, err := wire.ParseActivity(arg)
	if err != nil {
		return receipt{}, err
	}
	if _, ok := s.hub.rooms.members(s, a.ExpenseID); !ok {
		return receipt{}, errForbidden
	}
	if a.Type == models.ActivityTyping {
		return receipt{}, s.tellTyping(ctx, a)
	}
	_, err = s.hub.opts.Book.Comment(ctx, s.userID, a.ExpenseID, a.Text)
	return receipt{}, forbiddenIfGone(err)
}

// forbiddenIfGone is what somebody is told whose right ended a moment ago.
func forbiddenIfGone(err error) error {
	if models.KindOf(err) == models.NotFound {
		return errForbidden
	}
	return err
}

// types tells whether it is of interest that somebody types now.
func (s *session) types(now time.Time) bool {
	if now.Sub(s.typed) < typingPause {
		return false
	}
	s.typed = now
	return true
}

// types tells whether it is of interest that a user types in a room now. The caller
// must hold mu.
func (r *rooms) types(userID, expenseID string, now time.Time) bool {
	var own *guest
	for v, g := range r.byExpense[expenseID] {
		if v.userID != userID {
			continue
		}
		if now.Sub(g.typed) < typingPause {
			return false
		}
		own = g
	}
	if own != nil {
		own.typed = now
	}
	return true
}

// tellTyping tells the others in a room that somebody types.
func (s *session) tellTyping(ctx context.Context, a wire.ActivitySent) error {
	now := time.Now()
	if !s.types(now) {
		return nil
	}
	audience, err := s.hub.opts.Book.Audience(ctx, s.userID, a.ExpenseID)
	if err != nil {
		return forbiddenIfGone(err)
	}
	r := &s.hub.rooms
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.rooms[a.ExpenseID] == nil || !r.types(s.userID, a.ExpenseID, now) {
		return nil
	}
	r.send(a.ExpenseID, mustEncode(activityEvent, wire.RoomActivity{
		Room: wire.Room(a.ExpenseID), Type: a.Type, User: wire.Person{ID: s.userID, Name: s.name},
		Data: a.Data, At: wire.Time(models.Millis(now)),
	}), s, among(audience))
	return nil
}
