package sockets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// What the members of a room hear (docs/contract.md#live-features).
const (
	joinedEvent   = "presence:joined"
	leftEvent     = "presence:left"
	activityEvent = "room:activity"
)

// errForbidden answers whoever asks for a room of an expense that they do not
// have, whether there is one or not.
var errForbidden = &models.Error{Kind: models.Forbidden, Msg: "Forbidden", Code: ledger.CodeForbidden}

// rooms are where those meet who look at the same expense: expense:<id>. A room
// tells who is there, what they do and what they say, and nothing of the expense,
// whose changes reach everybody by their own log.
//
// Whoever is in a room had a right to the expense when they joined, and is put out
// in the moment in which it ends. A device is there once, however many sockets it
// has, and for grace after the last.
type rooms struct {
	mu        sync.Mutex // held while members are told too, so that the newest arrives last
	byExpense map[string]map[visitor]*guest
	knocking  map[*knock]struct{}
}

// A knock is a user who is about to enter a room, while their right is looked up.
type knock struct {
	userID, expenseID string
	late              bool // the right ended meanwhile
}

// A visitor is a device of a user.
type visitor struct{ userID, device string }

// A guest is a visitor in one room.
type guest struct {
	wire.Guest
	since   time.Time
	sockets map[*session]int64 // with the user's newest change when the right was found good
	leaving *time.Timer        // runs while it has no socket

	typed    time.Time // when its typing was last told, also of another device of the user
	absences int       // how often its last socket has ended
}

// knock begins to enter. Do so before asking for the right; enter or withdraw ends it.
func (r *rooms) knock(userID, expenseID string) *knock {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := &knock{userID: userID, expenseID: expenseID}
	r.knocking[k] = struct{}{}
	return k
}

func (r *rooms) withdraw(k *knock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.knocking, k)
}

// enter lets a session in whose right was found good after it knocked, as of the
// change asOf of its user's log; false if it may have ended since. To enter again
// changes nothing, and one that has ended stays outside, with nobody to tell.
func (r *rooms) enter(s *session, k *knock, asOf int64) (members []wire.Guest, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.knocking, k)
	if k.late {
		return nil, false
	}
	if s.gone {
		return nil, true
	}
	expenseID := k.expenseID
	g, first := r.guest(s, expenseID)
	if g.leaving != nil {
		g.leaving.Stop()
		g.leaving = nil
	}
	g.sockets[s] = max(g.sockets[s], asOf)
	if s.rooms == nil {
		s.rooms = make(map[string]*guest, 1)
	}
	s.rooms[expenseID] = g
	if first {
		r.announce(expenseID, joinedEvent, models.ActivityJoined, g, s)
	}
	return list(r.byExpense[expenseID], s.userID), true
}

// guest gives the session's guest in a room, and whether it has just come. r.mu is
// held.
func (r *rooms) guest(s *session, expenseID string) (g *guest, first bool) {
	of := r.byExpense[expenseID]
	if of == nil {
		of = make(map[visitor]*guest, 1)
		r.byExpense[expenseID] = of
	}
	v := visitor{s.userID, s.device}
	if g = of[v]; g != nil {
		return g, false
	}
	g = &guest{
		Guest: wire.Guest{Room: wire.Room(expenseID), User: wire.Person{ID: s.userID, Name: s.name}, DeviceID: s.device},
		since: time.Now(), sockets: make(map[*session]int64, 1),
	}
	of[v] = g
	return g, true
}

// list is who is in a room as a user is told of them, who came first first: the user's
// own devices, and others by their person alone, once.
func list(guests map[visitor]*guest, userID string) []wire.Guest {
	var all []*guest
	for _, g := range guests {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *guest) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.User.ID, b.User.ID), cmp.Compare(a.DeviceID, b.DeviceID))
	})
	docs, seen := make([]wire.Guest, 0, len(all)), map[string]bool{}
	for _, g := range all {
		switch {
		case g.User.ID == userID:
			docs = append(docs, wire.Guest{User: g.User, DeviceID: g.DeviceID})
		case !seen[g.User.ID]:
			docs = append(docs, wire.Guest{User: g.User})
		}
		seen[g.User.ID] = true
	}
	return docs
}

// members is who is in a room that the session is in.
func (r *rooms) members(s *session, expenseID string) ([]wire.Guest, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.rooms[expenseID] == nil {
		return nil, false
	}
	return list(r.byExpense[expenseID], s.userID), true
}

// leave takes a session out of a room, at once.
func (r *rooms) leave(s *session, expenseID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := s.rooms[expenseID]
	if g == nil {
		return
	}
	delete(s.rooms, expenseID)
	if delete(g.sockets, s); len(g.sockets) == 0 {
		r.goes(expenseID, g)
	}
}

// end takes a session that has ended out of its rooms. Its device may be back
// within grace.
func (r *rooms) end(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, g := range s.rooms {
		if delete(g.sockets, s); len(g.sockets) == 0 {
			g.absences++
			absence := g.absences
			g.leaving = time.AfterFunc(grace, func() { r.giveUp(id, g, absence) })
		}
	}
	clear(s.rooms)
	s.gone = true
}

// giveUp takes a guest for gone whose grace is over, unless they were back meanwhile.
func (r *rooms) giveUp(expenseID string, g *guest, absence int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g.absences == absence && len(g.sockets) == 0 {
		r.goes(expenseID, g)
	}
}

// goes removes a guest who is there, and tells the others. r.mu is held.
func (r *rooms) goes(expenseID string, g *guest) {
	of, v := r.byExpense[expenseID], visitor{g.User.ID, g.DeviceID}
	if of[v] != g {
		return
	}
	g.leaving = nil
	if delete(of, v); len(of) == 0 {
		delete(r.byExpense, expenseID)
	}
	r.announce(expenseID, leftEvent, models.ActivityLeft, g, nil)
}

// evict puts those of a user out of a room who entered with the right that ended by
// the change seq of the user's log, and gives the sockets that were there. They hear
// that they left. Whoever was given the right anew and entered since then stays.
func (r *rooms) evict(expenseID, userID string, seq int64) (out []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.knocking {
		k.late = k.late || k.userID == userID && k.expenseID == expenseID
	}
	for v, g := range r.byExpense[expenseID] {
		if v.userID != userID {
			continue
		}
		for s, asOf := range g.sockets {
			if asOf < seq {
				delete(g.sockets, s)
				delete(s.rooms, expenseID)
				s.whisper(mustEncode(leftEvent, g.Guest))
				out = append(out, s)
			}
		}
		r.goesIfAlone(expenseID, g)
	}
	return out
}

// goesIfAlone removes a guest of whom no socket is left, within grace or not. r.mu is
// held.
func (r *rooms) goesIfAlone(expenseID string, g *guest) {
	if len(g.sockets) > 0 {
		return
	}
	if g.leaving != nil {
		g.leaving.Stop()
	}
	r.goes(expenseID, g)
}

// announce tells everybody in a room but one session that a guest came or went: the
// guest's own devices of each device by its name, others of the person, with the first
// device that comes and the last that goes. r.mu is held.
func (r *rooms) announce(expenseID, event, activity string, g *guest, but *session) {
	own, others := g.Guest, g.Guest
	others.DeviceID = ""
	did := mustEncode(activityEvent, wire.RoomActivity{
		Room: g.Room, Type: activity, User: g.User, Data: json.RawMessage("{}"), At: wire.Time(models.Millis(time.Now())),
	})
	r.send(expenseID, mustEncode(event, own), but, func(v visitor) bool { return v.userID == g.User.ID })
	r.send(expenseID, did, but, func(v visitor) bool { return v.userID == g.User.ID })
	if r.onlyDevice(expenseID, g) {
		r.send(expenseID, mustEncode(event, others), but, func(v visitor) bool { return v.userID != g.User.ID })
		r.send(expenseID, did, but, func(v visitor) bool { return v.userID != g.User.ID })
	}
}

// onlyDevice tells whether no other device of the guest's person is in the room. r.mu is
// held.
func (r *rooms) onlyDevice(expenseID string, g *guest) bool {
	for v, other := range r.byExpense[expenseID] {
		if v.userID == g.User.ID && other != g {
			return false
		}
	}
	return true
}

// send sends to everybody in a room of whom to tells so, but one session. r.mu is held.
func (r *rooms) send(expenseID string, p *socketio.Packet, but *session, to func(visitor) bool) {
	for v, g := range r.byExpense[expenseID] {
		if !to(v) {
			continue
		}
		for s := range g.sockets {
			if s != but {
				s.whisper(p)
			}
		}
	}
}

// whisper sends what is of no use later: a socket that is behind misses it.
func (s *session) whisper(p *socketio.Packet) { _ = s.socket.TrySend(p) }

// stop ends all waiting for guests to come back.
func (r *rooms) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.byExpense {
		for _, g := range of {
			if g.leaving != nil {
				g.leaving.Stop()
			}
		}
	}
}

// Evict puts a user out of the room of an expense that they have no more, by this
// change of their log. It does not block.
//
// It is called twice: by the ledger before whoever ended the right is answered
// (ledger.Options.Rights), so that nothing said afterwards is heard by who lost it;
// and by the watchers of the log, for what another process did. The second time, which
// may come late, does nothing.
func (h *Hub) Evict(c *models.Change) {
	for _, s := range h.rooms.evict(c.EntityID, c.UserID, c.Seq) {
		go h.errands.run(func(context.Context) { h.leave(s, c.EntityID) })
	}
}

// leave has a page that comes back not be in a room, unless it has entered it anew.
func (h *Hub) leave(s *session, expenseID string) {
	if _, again := h.rooms.members(s, expenseID); !again {
		_ = s.socket.Leave(wire.Room(expenseID))
	}
}

// joinRoom handles room:join {room}, for all who have the expense; the answer says
// who is there.
func (s *session) joinRoom(ctx context.Context, arg json.RawMessage) (receipt, error) {
	id, err := wire.ParseRoom(arg, true)
	if err != nil {
		return receipt{}, err
	}
	members, err := s.enter(ctx, id)
	if err != nil {
		return receipt{}, err
	}
	if err := s.socket.Join(wire.Room(id)); err != nil { // a page that comes back is in it
		s.hub.rooms.leave(s, id)
		_ = s.socket.Leave(wire.Room(id))
		return receipt{}, err
	}
	return receipt{Room: wire.Room(id), Members: members}, nil
}

// enter looks the right up until nobody loses one meanwhile.
func (s *session) enter(ctx context.Context, expenseID string) ([]wire.Guest, error) {
	for {
		k := s.hub.rooms.knock(s.userID, expenseID)
		right, err := s.hub.opts.Book.RightTo(ctx, s.userID, expenseID)
		if err != nil {
			s.hub.rooms.withdraw(k)
			if models.KindOf(err) == models.NotFound {
				err = errForbidden
			}
			return nil, err
		}
		if members, ok := s.hub.rooms.enter(s, k, right.Seq); ok {
			return members, nil
		}
	}
}

// comeBack lets a recovered page into what it does not join again: its rooms, as
// far as its user still may, and its dashboard. In trouble it has to connect anew,
// which it does by itself.
func (s *session) comeBack(ctx context.Context) {
	for _, name := range s.socket.Rooms() {
		err := s.rejoin(ctx, name)
		switch {
		case errors.Is(err, errForbidden):
			_ = s.socket.Leave(name)
		case err != nil:
			s.hub.logTrouble(s.userID, err)
			s.socket.CloseTransport()
			return
		}
	}
}

func (s *session) rejoin(ctx context.Context, name string) error {
	if id, ok := wire.RoomOf(name); ok {
		_, err := s.enter(ctx, id)
		return err
	}
	if d, ok := daysOf(name); ok {
		_, err := s.showDashboard(ctx, d)
		return err
	}
	return nil
}

// leaveRoom handles room:leave {room}. To leave where one is not does nothing.
func (s *session) leaveRoom(_ context.Context, arg json.RawMessage) (receipt, error) {
	id, err := wire.ParseRoom(arg, true)
	if err != nil {
		return receipt{}, err
	}
	s.hub.rooms.leave(s, id)
	return receipt{Room: wire.Room(id)}, s.socket.Leave(wire.Room(id))
}
