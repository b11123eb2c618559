package sockets

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// presenceEvent tells a user's devices which of them are present
// (docs/contract.md#presence).
const presenceEvent = "presence:update"

// presence knows which devices of the users with devices in this process are present, here
// or in another process. It counts devices, not sockets: one that comes back within the
// grace period, wherever, was never absent. It begins empty; after a crash the devices that
// reconnect are present again. Its methods may be called concurrently.
//
// A device of which the last socket closed is removed, beside other processes, only after
// these were asked whether they have it (peers.confirm): while the database cannot be
// reached, it stays present.
type presence struct {
	send   func(userID string, p *socketio.Packet) // to all sessions of the user
	sendTo func(*session, *socketio.Packet)
	record func(*session) // records that the session's device was there
	peers  *peers

	mu      sync.Mutex // held while it is sent too, so that the newest arrives last
	users   map[string]deviceSet
	unread  map[string]struct{} // users of whom it is not known yet who is elsewhere: they are sent nothing before
	stopped bool
}

// A deviceSet has the devices of one user, who has few.
type deviceSet []*device

// find returns the device of an id; nil if there is none.
func (of deviceSet) find(id string) *device {
	if i := slices.IndexFunc(of, func(d *device) bool { return d.id == id }); i >= 0 {
		return of[i]
	}
	return nil
}

// A device is one that is present.
type device struct {
	id       string
	since    time.Time // when it came here
	lastSeen time.Time // when its last socket here went; zero while it has one, or is not here
	sessions int
	grace    *graceTimer // runs while it has no session
	tokens   []string    // keys that were recorded
	last     *session    // the one that ended last, while absence is confirmed

	announced  bool  // to other processes,
	inSteps    int   // with so many sockets
	confirming int64 // the mark with which its absence is confirmed; 0 while it is not awaited

	elsewhere        time.Time // since when it is in other processes; zero if it is in none
	socketsElsewhere int
}

// here reports whether a device has a socket in this process or is within its grace period.
func (d *device) here() bool { return d.sessions > 0 || !d.lastSeen.IsZero() }

// connectedAt returns since when a device is present.
func (d *device) connectedAt() time.Time {
	if d.elsewhere.IsZero() || d.here() && d.since.Before(d.elsewhere) {
		return d.since
	}
	return d.elsewhere
}

// arrive adds a session that has been greeted. The first of a device is announced to
// all devices of the user; any other is sent the presence as it is.
func (p *presence) arrive(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.life.over() || s.presentAs != nil {
		return
	}
	d, first := p.device(s)
	s.presentAs = d
	d.sessions++
	d.lastSeen, d.confirming, d.last = time.Time{}, 0, nil
	d.grace.cancel()
	d.grace = nil
	p.announce(s.userID, d)
	if key := s.token.Load().credential.Key; !slices.Contains(d.tokens, key) {
		d.tokens = append(d.tokens, key)
		p.record(s)
	}
	switch _, unread := p.unread[s.userID]; {
	case unread: // setElsewhere sends it
	case first:
		p.send(s.userID, p.packet(s.userID))
	default:
		p.sendTo(s, p.packet(s.userID))
	}
}

// device returns the session's device, and whether it was not present anywhere. The caller
// must hold mu.
func (p *presence) device(s *session) (d *device, first bool) {
	of := p.users[s.userID]
	if of == nil {
		p.watch(s.userID)
	}
	d = of.find(s.device)
	if first = d == nil; first {
		d = &device{id: s.device}
		p.users[s.userID] = append(of, d)
	}
	if !d.here() {
		d.since, d.tokens = time.Now(), nil
	}
	return d, first
}

// depart removes a session that is over. The last session of a device begins its grace
// period. It may be called more than once.
func (p *presence) depart(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := s.presentAs
	if d == nil {
		return
	}
	s.presentAs = nil
	if d.sessions--; d.sessions > 0 || p.stopped {
		p.announce(s.userID, d)
		return
	}
	d.lastSeen = time.Now()
	d.grace = startGraceOf(p.peers.gracePeriod(), &p.mu, func() { p.expire(d, s) })
}

// expire ends the grace period of a device that did not come back here; last was its last
// session. The caller must hold mu.
func (p *presence) expire(d *device, last *session) {
	if p.peers == nil {
		p.remove(d, last)
		return
	}
	d.last, d.confirming = last, p.peers.confirm(userRoom(last.userID)) // setElsewhere removes it
}

// remove removes a device that did not come back; last was its last session. The caller
// must hold mu.
func (p *presence) remove(d *device, last *session) {
	p.users[last.userID] = slices.DeleteFunc(p.users[last.userID], func(other *device) bool { return other == d })
	p.send(last.userID, p.packet(last.userID))
	if len(p.users[last.userID]) == 0 {
		delete(p.users, last.userID)
	}
	if last.life.get() != revoked { // else a device that was signed out would be listed again
		p.record(last)
	}
}

// stop ends all grace periods: nobody is reported as gone any more.
func (p *presence) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	for _, of := range p.users {
		for _, d := range of {
			d.grace.cancel()
		}
	}
}

// resync sends a session the presence again.
func (p *presence) resync(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, unread := p.unread[s.userID]; !unread {
		p.sendTo(s, p.packet(s.userID))
	}
}

func (p *presence) packet(userID string) *socketio.Packet {
	return mustEncode(presenceEvent, p.document(userID))
}

// document returns the presence of a user. The caller must hold mu.
func (p *presence) document(userID string) wire.Presence { return documentOf(userID, p.users[userID]) }

func documentOf(userID string, devices deviceSet) wire.Presence {
	now := models.Millis(time.Now())
	doc := wire.Presence{UserID: userID, Devices: []wire.OnlineDevice{}}
	for _, d := range devices {
		seen := now
		if !d.lastSeen.IsZero() && d.elsewhere.IsZero() {
			seen = models.Millis(d.lastSeen)
		}
		doc.Devices = append(doc.Devices,
			wire.OnlineDevice{DeviceID: d.id, ConnectedAt: wire.Time(models.Millis(d.connectedAt())), LastSeen: wire.Time(seen)})
	}
	slices.SortFunc(doc.Devices, func(a, b wire.OnlineDevice) int {
		return cmp.Or(time.Time(a.ConnectedAt).Compare(time.Time(b.ConnectedAt)), cmp.Compare(a.DeviceID, b.DeviceID))
	})
	doc.Online = len(doc.Devices) > 0
	return doc
}
