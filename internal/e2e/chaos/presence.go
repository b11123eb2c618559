package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// presenceWithin is how soon every device knows which devices of its user are there,
// after the last of them came or went, or a process died (docs/scaling.md).
const presenceWithin = 12 * time.Second

// presenceEvent is how devices are told.
const presenceEvent = "presence:update"

// A ghost is a device that goes for good while things break, without a word. If its
// process dies too, nobody is left who saw it go.
type ghost struct {
	id     string
	user   *user
	client closer
	link   *link
}

// newGhost connects one, of the first user.
func (s *schedule) newGhost() (*ghost, error) {
	l, err := newLink(s.cluster.addr(), s.hit)
	if err != nil {
		return nil, err
	}
	u := s.users[0]
	g := &ghost{id: fmt.Sprintf("ghost_%s_%d_%s", s.job.class.name, s.seed, u.id), user: u, link: l}
	g.client = openClient(l.socket.URL(), u.token, g.id, false, deaf{})
	return g, nil
}

// deaf is the ear of one who notices nothing.
type deaf struct{}

func (deaf) connected(bool)                  {}
func (deaf) disconnected(string)             {}
func (deaf) refused(string)                  {}
func (deaf) event(string, []json.RawMessage) {}

// ghostDies cuts the ghost off for good.
func (s *schedule) ghostDies() {
	if s.ghost == nil {
		return
	}
	if s.ghostSeen() {
		s.hit(ghosts)
	}
	s.ghost.link.setDown(true)
	s.ghost.link.cut()
	s.ghost.client.close()
	s.ghost.link.close()
	s.log("-", "%s is gone for good", s.ghost.id)
	s.ghost = nil
}

// ghostSeen reports whether a device was told of it.
func (s *schedule) ghostSeen() bool {
	return slices.ContainsFunc(s.devices, func(d *device) bool {
		present, _ := d.presence()
		return present[s.ghost.id]
	})
}

// tellPresence takes a presence:update.
func (d *device) tellPresence(args []json.RawMessage) {
	var p struct{ Devices []struct{ DeviceID string } }
	if len(args) == 0 || json.Unmarshal(args[0], &p) != nil {
		d.s.wrong("divergent: %s heard a presence that does not decode", d.name)
		return
	}
	present := make(map[string]bool, len(p.Devices))
	for _, other := range p.Devices {
		present[other.DeviceID] = true
	}
	d.s.log(d.name, "heard of %d devices that are there", len(present))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.present, d.presentAt = present, time.Now()
}

// presence is what the device was told last, and when.
func (d *device) presence() (map[string]bool, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.present, d.presentAt
}

// forPresence waits until every device knows who is there.
func (w *wait) forPresence() {
	if w.s.job.on.processes < 2 {
		return
	}
	since := w.s.mended
	for _, d := range w.s.devices {
		if at := d.lastJoin(); at.After(since) {
			since = at
		}
	}
	for late := since.Add(presenceWithin); ; hold(settling) {
		wrong := w.s.absent()
		if wrong == "" {
			return
		}
		if time.Now().After(late) {
			w.s.wrong("presence: %v after the last change, %s", presenceWithin, wrong)
			return
		}
	}
}

// absent says which device was told something else than who is there; "" if none was.
func (s *schedule) absent() string {
	for _, d := range s.devices {
		want := map[string]bool{}
		for _, other := range s.devices {
			if other.user == d.user {
				want[other.id] = true
			}
		}
		if present, _ := d.presence(); !maps.Equal(present, want) {
			return fmt.Sprintf("%s was told of %v, there are %v", d.name, slices.Sorted(maps.Keys(present)),
				slices.Sorted(maps.Keys(want)))
		}
	}
	return ""
}
