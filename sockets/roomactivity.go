package sockets

import (
	"slices"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// typingPause is how long further typing is dropped: of a socket, and of a user in one
// room. A user with a hundred sockets types in one of them.
const typingPause = time.Second

// sendActivity tells those in an expense's room who are in the activity's audience what
// was done or said. It does not block.
func (r *rooms) sendActivity(a models.Activity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byExpense[a.ExpenseID]) == 0 {
		return // as with most expenses: nothing needs to be encoded
	}
	r.send(a.ExpenseID, mustEncode(activityEvent, wire.NewRoomActivity(a)), nil, ofUsers(a.Audience))
}

// ofUsers includes the devices of these users. Somebody who lost the right in another
// process is still in the room here until the log says so, but is not in the audience any
// more.
func ofUsers(users []string) func(deviceKey) bool {
	return func(key deviceKey) bool { return slices.Contains(users, key.userID) }
}

// sendTyping tells the others in a room that the user of a session is typing, unless
// that was said within typingPause. relay reports whether other processes are to be told.
func (r *rooms) sendTyping(s *session, a wire.ActivityCommand, audience []string, now time.Time) (m roomHinted, relay bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.rooms[a.ExpenseID] == nil || !r.roomTypingDue(s.userID, a.ExpenseID, now) {
		return m, false
	}
	m = roomHinted{a.ExpenseID, s.userID, s.userName, a.Type, a.Data, models.Millis(now)}
	r.send(a.ExpenseID, mustEncode(activityEvent, m.document()), s, ofUsers(audience))
	return m, r.anybodyElsewhere(a.ExpenseID)
}

// pass sends those in a room who are in the audience a message of another process.
func (r *rooms) pass(m roomHinted, audience []string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.Type == models.ActivityTyping && !r.roomTypingDue(m.UserID, m.ExpenseID, now) {
		return
	}
	r.send(m.ExpenseID, mustEncode(activityEvent, m.document()), nil, ofUsers(audience))
}

// inUse reports whether anybody in this process is in the room of an expense.
func (r *rooms) inUse(expenseID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byExpense[expenseID]) > 0
}

// roomTypingDue reports whether typing of a user in a room is to be sent now, and remembers
// it if so. The caller must hold mu.
func (r *rooms) roomTypingDue(userID, expenseID string, now time.Time) bool {
	var own *participant
	for key, p := range r.byExpense[expenseID] {
		if key.userID != userID {
			continue
		}
		if now.Sub(p.typingSent) < typingPause {
			return false
		}
		own = p
	}
	if own != nil {
		own.typingSent = now
	}
	return true
}

// sessionTypingDue reports whether typing of this session is to be sent now, and
// remembers it if so.
func (s *session) sessionTypingDue(now time.Time) bool {
	if now.UnixMilli()-s.typingSent < typingPause.Milliseconds() {
		return false
	}
	s.typingSent = now.UnixMilli()
	return true
}
