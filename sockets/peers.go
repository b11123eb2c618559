package sockets

import (
	"log/slog"
	"strings"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// peers connects presence and rooms with those of other processes: it tells them who is
// here, and reads who is there. A nil *peers is that of the only process: nobody is
// elsewhere. announce, withdraw, watch, unwatch and confirm may be called while a lock of
// presence or rooms is held.
//
// A device is stored when it comes and when it goes, and is not touched between: a process
// that does not live any more takes all of its devices with it. How many sockets it has is
// told in steps of socketsStep, so that the tabs of ordinary people cost nothing.
type peers struct {
	*announcer
	*elsewhere
}

// socketsStep is in which steps other processes hear of the number of a device's sockets.
const socketsStep = 10

// moveTime is how much longer than the grace period a device that left is waited for, when
// it may have come back in another process: that process has to store it.
const moveTime = time.Second

func newPeers(c *Cluster, tasks *taskGroup, log *slog.Logger) *peers {
	return &peers{newAnnouncer(c, tasks, log), newElsewhere(c, log)}
}

// gracePeriod returns how long a device that left is waited for.
func (p *peers) gracePeriod() time.Duration {
	if p == nil {
		return gracePeriod
	}
	return gracePeriod + moveTime
}

func (p *peers) announce(here models.Present) {
	if p != nil {
		p.put(announcement{Present: here})
	}
}

func (p *peers) withdraw(gone models.Present) {
	if p != nil {
		p.put(announcement{Present: gone, gone: true})
	}
}

func (p *peers) watch(room string) {
	if p != nil {
		p.elsewhere.watch(room)
	}
}

func (p *peers) unwatch(room string) {
	if p != nil {
		p.elsewhere.unwatch(room)
	}
}

func (p *peers) stop() {
	if p != nil {
		p.soon.stop()
	}
}

// watchedUser returns the user whose room this is.
func watchedUser(room string) (userID string, ok bool) { return strings.CutPrefix(room, userRoom("")) }

// watchedExpense returns the expense whose room this is.
func watchedExpense(room string) (expenseID string, ok bool) {
	return strings.CutPrefix(room, wire.Room(""))
}
