package sockets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// presenceEvent tells a user's devices which of them are there (docs/contract.md#live-features).
const presenceEvent = "presence:update"

// grace is how long a device whose last socket has gone still counts as there: a
// page that is loaded anew is back by then.
const grace = 3 * time.Second

// A registry keeps the devices that users come with; *store.Store is one.
type registry interface {
	SeeDevices(ctx context.Context, seen []models.DeviceToken) error
}

// presence knows which devices of which users are there. It counts devices, not
// sockets: who comes back within grace was never away. It is of this process and
// begins empty; devices that come back after a crash make it right by that.
type presence struct {
	tellAll func(userID string, p *socketio.Packet) // of a user's sockets
	tell    func(s *session, p *socketio.Packet)
	note    func(*session)

	mu    sync.Mutex // held while it is told too, so that the newest arrives last
	users map[string]map[string]*device
}

func newPresence(h *Hub) *presence {
	return &presence{
		tellAll: h.tellUser, tell: (*session).tell, note: h.notes.add,
		users: make(map[string]map[string]*device),
	}
}

// A device is one that is there.
type device struct {
	id       string
	since    time.Time
	seen     time.Time // when its last socket went; zero while it has one
	sockets  int
	leaving  *time.Timer         // runs while it has none
	absences int                 // how often its last socket has gone
	tokens   map[string]struct{} // keys that were noted
	stranded bool                // it was given up
}

// deviceOf names a session's device: as it names itself, or after its token.
func deviceOf(named string, id auth.Claims) string {
	if named != "" {
		return named
	}
	sum := sha256.Sum256([]byte(id.Key))
	return "browser-" + hex.EncodeToString(sum[:4])
}

// arrive counts a session in. The first of a device is told to all of the user's
// devices, any other learns how things stand.
func (p *presence) arrive(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, first := p.device(s)
	d.sockets++
	d.seen = time.Time{}
	if d.leaving != nil {
		d.leaving.Stop()
		d.leaving = nil
	}
	if _, noted := d.tokens[s.key]; !noted {
		d.tokens[s.key] = struct{}{}
		p.note(s)
	}
	if first {
		p.tellAll(s.userID, p.packet(s.userID))
	} else {
		p.tell(s, p.packet(s.userID))
	}
}

// device gives the session's device, and whether it has just come. p.mu is held.
func (p *presence) device(s *session) (d *device, first bool) {
	of := p.users[s.userID]
	if of == nil {
		of = make(map[string]*device, 1)
		p.users[s.userID] = of
	}
	if d = of[s.device]; d != nil {
		return d, false
	}
	d = &device{id: s.device, since: time.Now(), tokens: make(map[string]struct{}, 1)}
	of[s.device] = d
	return d, true
}

// depart counts a session out that arrive counted in.
func (p *presence) depart(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.users[s.userID][s.device]
	if d.sockets--; d.sockets > 0 {
		return
	}
	d.seen = time.Now()
	d.absences++
	absence := d.absences
	d.leaving = time.AfterFunc(grace, func() { p.giveUp(s, d, absence) })
}

// giveUp takes a device for gone whose grace is over, unless it was back meanwhile.
func (p *presence) giveUp(s *session, d *device, absence int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.sockets > 0 || d.stranded || d.absences != absence {
		return
	}
	d.stranded = true
	delete(p.users[s.userID], d.id)
	p.tellAll(s.userID, p.packet(s.userID))
	if len(p.users[s.userID]) == 0 {
		delete(p.users, s.userID)
	}
	if !s.out.Load() { // else it would be among the user's devices again
		p.note(s)
	}
}

// end forgets everybody, without a word.
func (p *presence) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, of := range p.users {
		for _, d := range of {
			d.stranded = true
			if d.leaving != nil {
				d.leaving.Stop()
			}
		}
	}
}

// remind tells one socket what it had no room for.
func (p *presence) remind(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell(s, p.packet(s.userID))
}

func (p *presence) packet(userID string) *socketio.Packet {
	return mustEncode(presenceEvent, p.document(userID))
}

// document says who is there. p.mu is held.
func (p *presence) document(userID string) wire.Presence {
	now := models.Millis(time.Now())
	doc := wire.Presence{UserID: userID, Devices: []wire.Present{}}
	for _, d := range p.users[userID] {
		seen := now
		if !d.seen.IsZero() {
			seen = models.Millis(d.seen)
		}
		doc.Devices = append(doc.Devices, wire.Present{DeviceID: d.id, ConnectedAt: wire.Time(models.Millis(d.since)), LastSeen: wire.Time(seen)})
	}
	slices.SortFunc(doc.Devices, func(a, b wire.Present) int {
		return cmp.Or(time.Time(a.ConnectedAt).Compare(time.Time(b.ConnectedAt)), cmp.Compare(a.DeviceID, b.DeviceID))
	})
	doc.Online = len(doc.Devices) > 0
	return doc
}

// Presence says which devices of a user are there, as this process knows.
func (h *Hub) Presence(userID string) wire.Presence {
	h.presence.mu.Lock()
	defer h.presence.mu.Unlock()
	return h.presence.document(userID)
}

// listPresence handles presence:list {room?}: who is in a room, or which devices
// of the user are there.
func (s *session) listPresence(_ context.Context, arg json.RawMessage) (receipt, error) {
	id, err := wire.ParseRoom(arg, false)
	if err != nil {
		return receipt{}, err
	}
	if id == "" {
		p := s.hub.Presence(s.userID)
		return receipt{Presence: &p}, nil
	}
	members, ok := s.hub.rooms.members(s, id)
	if !ok {
		return receipt{}, errForbidden
	}
	return receipt{Room: wire.Room(id), Members: members}, nil
}
