package sockets

import (
	"context"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// here reports whether a participant has a session in this process, or may come back.
func (p *participant) here() bool { return len(p.sessions) > 0 || p.awaited }

func (p *participant) present(expenseID string) models.Present {
	return models.Present{
		Room: wire.Room(expenseID), UserID: p.User.ID, UserName: p.User.Name, DeviceID: p.DeviceID, Since: p.since,
	}
}

// watch follows who participates in other processes. The caller must hold mu.
func (r *rooms) watch(expenseID string) {
	if r.peers != nil {
		r.unread[expenseID] = struct{}{}
		r.peers.watch(wire.Room(expenseID))
	}
}

// announceElsewhere tells other processes of a participant that is here. The caller must
// hold mu.
func (r *rooms) announceElsewhere(expenseID string, p *participant) {
	if r.peers != nil && !p.announced {
		p.announced = true
		r.peers.announce(p.present(expenseID))
	}
}

// withdrawElsewhere ends that a participant is here. The caller must hold mu.
func (r *rooms) withdrawElsewhere(expenseID string, p *participant) {
	p.awaited, p.confirming = false, 0
	if p.announced {
		p.announced = false
		r.peers.withdraw(p.present(expenseID))
	}
}

// announceAll tells other processes of all participants that are here.
func (r *rooms) announceAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, of := range r.byExpense {
		for _, p := range of {
			if p.announced {
				r.peers.announce(p.present(id))
			}
		}
	}
}

// forgetIfEmpty forgets a room that nobody is in here. The caller must hold mu.
func (r *rooms) forgetIfEmpty(expenseID string) {
	for _, p := range r.byExpense[expenseID] {
		if p.here() {
			return
		}
	}
	delete(r.byExpense, expenseID)
	delete(r.unread, expenseID)
	r.peers.unwatch(wire.Room(expenseID))
}

// setElsewhere takes over who participates in other processes, as it was read with this
// mark, and tells those who are here what is new. They are not told who was there before
// them: that is in the answer to their joining.
func (r *rooms) setElsewhere(expenseID string, there []models.Present, mark int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.byExpense[expenseID]
	if of == nil || r.stopped {
		return
	}
	_, first := r.unread[expenseID]
	delete(r.unread, expenseID)
	r.addElsewhere(expenseID, there, !first)
	for _, p := range of {
		switch {
		case 0 < p.confirming && p.confirming <= mark, !p.here() && !p.elsewhere:
			r.remove(expenseID, p)
		}
	}
}

// addElsewhere sets who participates elsewhere, and announces those who are new if tell is
// true. The caller must hold mu.
func (r *rooms) addElsewhere(expenseID string, there []models.Present, tell bool) {
	of := r.byExpense[expenseID]
	for _, p := range of {
		p.elsewhere = false
	}
	for _, t := range there {
		key := deviceKey{t.UserID, t.DeviceID}
		p := of[key]
		isNew := p == nil
		if isNew {
			p = newParticipant(expenseID, wire.Person{ID: t.UserID, Name: t.UserName}, t.DeviceID, t.Since)
			of[key] = p
		} else if !p.here() {
			p.User.Name = t.UserName
		}
		p.elsewhere = true
		if isNew && tell {
			r.announce(expenseID, joinedEvent, models.ActivityJoined, p, nil)
		}
	}
}

// elsewhereUnknown notes that it cannot be read who is elsewhere: when it can, they are
// announced.
func (r *rooms) elsewhereUnknown(expenseID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.unread, expenseID)
}

// anybodyElsewhere reports whether a room has participants in other processes. The caller
// must hold mu.
func (r *rooms) anybodyElsewhere(expenseID string) bool {
	for _, p := range r.byExpense[expenseID] {
		if p.elsewhere {
			return true
		}
	}
	return false
}

// withElsewhere returns the members of a room as they are when it was read who is in it
// elsewhere; here are those before. If it takes too long, those elsewhere are announced when
// it was read.
func (r *rooms) withElsewhere(ctx context.Context, s *session, expenseID string, here []wire.Participant) []wire.Participant {
	if r.peers == nil {
		return here
	}
	if !r.peers.await(ctx, wire.Room(expenseID)) {
		r.elsewhereUnknown(expenseID)
	}
	if members, ok := r.members(s, expenseID); ok {
		return members
	}
	return here
}
