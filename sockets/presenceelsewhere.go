package sockets

import (
	"context"
	"slices"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// watch follows the devices that a user has in other processes. The caller must hold mu.
func (p *presence) watch(userID string) {
	if p.peers == nil {
		return
	}
	if p.unread == nil {
		p.unread = make(map[string]struct{})
	}
	p.unread[userID] = struct{}{}
	p.peers.watch(userRoom(userID))
}

// announce tells other processes of a device that is here, unless they know it with about
// as many sockets. The caller must hold mu.
func (p *presence) announce(userID string, d *device) {
	inSteps := d.sessions / socketsStep * socketsStep
	if p.peers == nil || d.announced && d.inSteps == inSteps {
		return
	}
	d.announced, d.inSteps = true, inSteps
	p.peers.announce(d.present(userID))
}

func (d *device) present(userID string) models.Present {
	return models.Present{Room: userRoom(userID), UserID: userID, DeviceID: d.id, Since: d.since, Sockets: d.inSteps}
}

// announceAll tells other processes of all devices that are here.
func (p *presence) announceAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for userID, of := range p.users {
		for _, d := range of {
			if d.announced {
				p.peers.announce(d.present(userID))
			}
		}
	}
}

// setElsewhere takes over which devices a user has in other processes, as it was read with
// this mark, and tells the user's devices what is new. A device that is neither there nor
// came back here is removed.
func (p *presence) setElsewhere(userID string, there []models.Present, mark int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of, known := p.users[userID]
	if !known || p.stopped {
		return
	}
	_, changed := p.unread[userID]
	delete(p.unread, userID)
	of, more := mergeElsewhere(of, there)
	p.users[userID] = slices.DeleteFunc(of, func(d *device) bool {
		if 0 < d.confirming && d.confirming <= mark {
			p.leave(userID, d)
		}
		return !d.here() && d.elsewhere.IsZero()
	})
	if changed || more || len(p.users[userID]) < len(of) {
		p.send(userID, p.packet(userID))
	}
	p.forgetIfAway(userID)
}

// mergeElsewhere sets what is known of devices elsewhere, adds those that are new, and reports
// whether there are such.
func mergeElsewhere(of deviceSet, there []models.Present) (merged deviceSet, changed bool) {
	for _, d := range of {
		d.elsewhere, d.socketsElsewhere = time.Time{}, 0
	}
	for _, t := range there {
		d := of.find(t.DeviceID)
		if d == nil {
			d, changed = &device{id: t.DeviceID}, true
			of = append(of, d)
		}
		if d.elsewhere.IsZero() || t.Since.Before(d.elsewhere) {
			d.elsewhere = t.Since
		}
		d.socketsElsewhere += t.Sockets
	}
	return of, changed
}

// leave ends that a device is here. The caller must hold mu.
func (p *presence) leave(userID string, d *device) {
	p.peers.withdraw(d.present(userID))
	last := d.last
	d.lastSeen, d.confirming, d.last, d.tokens, d.announced = time.Time{}, 0, nil, nil, false
	if last.life.get() != revoked { // as in remove
		p.record(last)
	}
}

// forgetIfAway forgets a user who has no device here any more. The caller must hold mu.
func (p *presence) forgetIfAway(userID string) {
	for _, d := range p.users[userID] {
		if d.here() {
			return
		}
	}
	delete(p.users, userID)
	delete(p.unread, userID)
	p.peers.unwatch(userRoom(userID))
}

// elsewhereUnknown has the user's devices sent what is known, until it can be read who is
// elsewhere.
func (p *presence) elsewhereUnknown(userID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, unread := p.unread[userID]; unread && !p.stopped {
		delete(p.unread, userID)
		p.send(userID, p.packet(userID))
	}
}

// socketsElsewhere returns about how many sockets a user has in other processes, as far as
// that is known here.
func (p *presence) socketsElsewhere(userID string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.users[userID] {
		n += d.socketsElsewhere
	}
	return n
}

// known returns the presence of a user. ok is false if it is not known who is elsewhere.
func (p *presence) known(userID string) (doc wire.Presence, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, unread := p.unread[userID]
	return p.document(userID), p.peers == nil || p.users[userID] != nil && !unread
}

// lookUp returns the presence of a user of whom it is not known here who is elsewhere:
// a user without a socket in this process, or with one that has just connected.
func (p *presence) lookUp(ctx context.Context, userID string) wire.Presence {
	return p.with(userID, p.peers.lookUp(ctx, userRoom(userID)))
}

// with returns the presence of a user with these devices elsewhere.
func (p *presence) with(userID string, there []models.Present) wire.Presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all deviceSet
	for _, d := range p.users[userID] {
		if d.here() {
			same := *d
			all = append(all, &same)
		}
	}
	all, _ = mergeElsewhere(all, there)
	return documentOf(userID, all)
}
