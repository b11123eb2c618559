package sockets

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// What the participants of a room receive (docs/contract.md#presence).
const (
	joinedEvent   = "presence:joined"
	leftEvent     = "presence:left"
	activityEvent = "room:activity"
)

// rooms have those together who look at the same expense: room expense:<id>. A room
// carries who is there, what they do and what they say, and nothing of the expense
// itself, whose changes reach everybody through their own log. The methods may be
// called concurrently.
//
// Whoever is in a room had a right to the expense when they joined, and is evicted as
// soon as the right ends. A device participates once, however many sockets it has, and
// for the grace period after the last of them. Those in other processes participate too,
// as long as a device of this one does.
type rooms struct {
	deliver func(*session, *socketio.Packet)
	peers   *peers

	mu        sync.Mutex // held while participants are sent events too, so that the newest arrives last
	byExpense map[string]map[deviceKey]*participant
	unread    map[string]struct{} // expenses of which it is not known yet who is elsewhere
	pending   map[*pendingJoin]struct{}
	stopped   bool
}

func newRooms() *rooms {
	return &rooms{
		deliver:   (*session).sendEphemeral,
		byExpense: make(map[string]map[deviceKey]*participant), unread: make(map[string]struct{}),
		pending: make(map[*pendingJoin]struct{}),
	}
}

// A pendingJoin is a user who is joining a room while their right is looked up.
type pendingJoin struct {
	userID, expenseID string
	evicted           bool // the right ended meanwhile
}

// A deviceKey identifies a device of a user.
type deviceKey struct{ userID, device string }

// A participant is a device in one room.
type participant struct {
	wire.Participant
	since    time.Time
	sessions map[*session]int64 // with the newest change of the user's log when the right was checked
	grace    *graceTimer        // runs while it has no session
	awaited  bool               // its last session ended, and it may come back

	announced  bool  // to other processes
	confirming int64 // the mark with which its absence is confirmed; 0 while it is not
	elsewhere  bool  // it participates in another process

	typingSent time.Time // when its typing was last passed on, or that of another device of the user
}

// beginJoin registers that a user is joining a room, so that an eviction meanwhile is
// noticed. Call it before the right is looked up; join or cancelJoin ends it.
func (r *rooms) beginJoin(userID, expenseID string) *pendingJoin {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := &pendingJoin{userID: userID, expenseID: expenseID}
	r.pending[j] = struct{}{}
	return j
}

func (r *rooms) cancelJoin(j *pendingJoin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, j)
}

// join adds a session to a room and returns who is there. checkedAt is the newest
// change of the user's log when the right was looked up. ok is false if the right may
// have ended since: look it up again. Joining again changes nothing; a session that is
// over does not join.
func (r *rooms) join(s *session, j *pendingJoin, checkedAt int64) (members []wire.Participant, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, j)
	switch {
	case j.evicted:
		return nil, false
	case s.life.over():
		return nil, true
	}
	p, first := r.participant(s, j.expenseID)
	p.grace.cancel()
	p.grace, p.awaited, p.confirming = nil, false, 0
	r.announceElsewhere(j.expenseID, p)
	p.sessions[s] = max(p.sessions[s], checkedAt)
	if s.rooms == nil {
		s.rooms = make(map[string]*participant, 1)
	}
	s.rooms[j.expenseID] = p
	if first {
		r.announce(j.expenseID, joinedEvent, models.ActivityJoined, p, s)
	}
	return memberList(r.byExpense[j.expenseID], s.userID), true
}

// participant returns the session's device in a room, and whether it has just come.
// The caller must hold mu.
func (r *rooms) participant(s *session, expenseID string) (p *participant, first bool) {
	of := r.byExpense[expenseID]
	if of == nil {
		of = make(map[deviceKey]*participant, 1)
		r.byExpense[expenseID] = of
		r.watch(expenseID)
	}
	key := deviceKey{s.userID, s.device}
	if p = of[key]; p != nil {
		return p, false
	}
	p = newParticipant(expenseID, wire.Person{ID: s.userID, Name: s.userName}, s.device, time.Now())
	of[key] = p
	return p, true
}

// rename gives a user, whose sessions these are, another name in all rooms.
func (r *rooms) rename(userID, name string, sessions []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range sessions {
		s.userName = name
	}
	for expenseID, of := range r.byExpense {
		for key, p := range of {
			if key.userID != userID || p.User.Name == name {
				continue
			}
			p.User.Name = name
			if p.announced {
				r.peers.announce(p.present(expenseID))
			}
		}
	}
}

func newParticipant(expenseID string, user wire.Person, device string, since time.Time) *participant {
	return &participant{
		Participant: wire.Participant{Room: wire.Room(expenseID), User: user, DeviceID: device},
		since:       since, sessions: make(map[*session]int64, 1),
	}
}

// memberList returns who is in a room as a user is told: the user's own devices, and of
// others the person, once. Who came first is first.
func memberList(of map[deviceKey]*participant, userID string) []wire.Participant {
	all := make([]*participant, 0, len(of))
	for _, p := range of {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *participant) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.User.ID, b.User.ID), cmp.Compare(a.DeviceID, b.DeviceID))
	})
	members, seen := make([]wire.Participant, 0, len(all)), map[string]bool{}
	for _, p := range all {
		switch {
		case p.User.ID == userID:
			members = append(members, wire.Participant{User: p.User, DeviceID: p.DeviceID})
		case !seen[p.User.ID]:
			members = append(members, wire.Participant{User: p.User})
		}
		seen[p.User.ID] = true
	}
	return members
}

// members returns who is in a room. ok is false if the session is not in it.
func (r *rooms) members(s *session, expenseID string) (members []wire.Participant, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.rooms[expenseID] == nil {
		return nil, false
	}
	return memberList(r.byExpense[expenseID], s.userID), true
}

// besides returns how many other rooms a session is in.
func (r *rooms) besides(s *session, expenseID string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(s.rooms)
	if s.rooms[expenseID] != nil {
		n--
	}
	return n
}

// leave removes a session from a room, without a grace period.
func (r *rooms) leave(s *session, expenseID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := s.rooms[expenseID]
	if p == nil {
		return
	}
	delete(s.rooms, expenseID)
	delete(p.sessions, s)
	r.removeIfAlone(expenseID, p)
}

// depart removes a session that is over from its rooms. The last session of a device
// begins its grace period. It may be called more than once.
func (r *rooms) depart(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range s.rooms {
		if delete(p.sessions, s); len(p.sessions) == 0 && !r.stopped {
			p.awaited = true
			p.grace = startGraceOf(r.peers.gracePeriod(), &r.mu, func() { r.expire(id, p) })
		}
	}
	clear(s.rooms)
}

// removeIfAlone removes a participant that has no session. The caller must hold mu.
func (r *rooms) removeIfAlone(expenseID string, p *participant) {
	if len(p.sessions) == 0 {
		p.grace.cancel()
		r.remove(expenseID, p)
	}
}

// expire ends the grace period of a participant that did not come back here. The caller
// must hold mu.
func (r *rooms) expire(expenseID string, p *participant) {
	if r.peers == nil {
		r.remove(expenseID, p)
		return
	}
	p.confirming = r.peers.confirm(wire.Room(expenseID)) // setElsewhere removes it
}

// remove removes a participant and tells the others, unless it was removed already or
// participates in another process. The caller must hold mu.
func (r *rooms) remove(expenseID string, p *participant) {
	of, key := r.byExpense[expenseID], deviceKey{p.User.ID, p.DeviceID}
	if of[key] != p {
		return
	}
	r.withdrawElsewhere(expenseID, p)
	if !p.elsewhere {
		delete(of, key)
		r.announce(expenseID, leftEvent, models.ActivityLeft, p, nil)
	}
	r.forgetIfEmpty(expenseID)
}

// evict removes those sessions of a user from a room that joined with the right that
// ended by the change seq of the user's log, and returns them. They are told that they
// left. A session that joined later, with a right that was given again, stays.
func (r *rooms) evict(expenseID, userID string, seq int64) (evicted []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for j := range r.pending {
		j.evicted = j.evicted || j.userID == userID && j.expenseID == expenseID
	}
	for key, p := range r.byExpense[expenseID] {
		if key.userID != userID {
			continue
		}
		for s, checkedAt := range p.sessions {
			if checkedAt < seq {
				delete(p.sessions, s)
				delete(s.rooms, expenseID)
				r.deliver(s, mustEncode(leftEvent, p.Participant))
				evicted = append(evicted, s)
			}
		}
		r.removeIfAlone(expenseID, p)
	}
	return evicted
}

// announce tells everybody in a room but the session except that a participant came or
// went. The user's own devices hear of each device, by its id. Others hear of the person:
// when the first device comes and when the last one goes. The caller must hold mu.
func (r *rooms) announce(expenseID, event, activity string, p *participant, except *session) {
	own, others := p.Participant, p.Participant
	others.DeviceID = ""
	act := mustEncode(activityEvent, wire.RoomActivity{
		Room: p.Room, Type: activity, User: p.User, Data: json.RawMessage("{}"), At: wire.Time(models.Millis(time.Now())),
	})
	ofUser := func(key deviceKey) bool { return key.userID == p.User.ID }
	ofOthers := func(key deviceKey) bool { return key.userID != p.User.ID }
	r.send(expenseID, mustEncode(event, own), except, ofUser)
	r.send(expenseID, act, except, ofUser)
	if r.onlyDevice(expenseID, p) {
		r.send(expenseID, mustEncode(event, others), except, ofOthers)
		r.send(expenseID, act, except, ofOthers)
	}
}

// onlyDevice reports whether no other device of the participant's user is in the room.
// The caller must hold mu.
func (r *rooms) onlyDevice(expenseID string, p *participant) bool {
	for key, other := range r.byExpense[expenseID] {
		if key.userID == p.User.ID && other != p {
			return false
		}
	}
	return true
}

// send sends to all sessions in a room whose device is included, but for the session
// except. The caller must hold mu.
func (r *rooms) send(expenseID string, packet *socketio.Packet, except *session, included func(deviceKey) bool) {
	for key, p := range r.byExpense[expenseID] {
		if !included(key) {
			continue
		}
		for s := range p.sessions {
			if s != except {
				r.deliver(s, packet)
			}
		}
	}
}

// stop ends all grace periods: nobody is reported as gone any more.
func (r *rooms) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, of := range r.byExpense {
		for _, p := range of {
			p.grace.cancel()
		}
	}
}
