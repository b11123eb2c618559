package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	settling   = 5 * time.Millisecond // between two looks at what is waited for
	heartbeats = 60 * time.Second     // until a client that hears nothing knows, with a margin: 25 s + 20 s
)

// settle waits until every device is through with its work and equal to the
// server, and reads the logs.
func (s *schedule) settle(ctx context.Context, stop func(), acting *sync.WaitGroup, o *outcome) error {
	w := &wait{s: s, late: time.Now().Add(s.job.stuck)}
	if !w.forWork(acting) {
		s.stuck(s.unfinished())
		stop()
		acting.Wait()
		return nil
	}
	if !w.forEpoch() {
		return nil
	}
	if err := s.read(ctx, o); err != nil {
		return err
	}
	o.read = true
	if equal, err := w.forEquality(ctx, o); err != nil || !equal {
		return err
	}
	if w.deaf {
		s.hit(deafClients)
	}
	o.late = s.lateness(o)
	w.forPresence()
	w.forHints()
	return s.cluster.unskew(ctx)
}

// A wait for the devices ends when it is too late.
type wait struct {
	s    *schedule
	late time.Time
	deaf bool // somebody waits for npm's own clock
}

// forWork waits until the devices are through with their work.
func (w *wait) forWork(acting *sync.WaitGroup) bool {
	acted := make(chan struct{})
	go func() { acting.Wait(); close(acted) }()
	for {
		select {
		case <-acted:
			return true
		case <-time.After(100 * time.Millisecond):
			if !w.goesOn(finished) {
				return false
			}
		}
	}
}

// forEpoch waits until every device was told to begin anew, if the database has begun an epoch:
// it may be told when it is through with its work.
func (w *wait) forEpoch() bool {
	anew := func(d *device) bool { return w.s.epoch.IsZero() || d.lastJoin().After(w.s.epoch) }
	for slices.ContainsFunc(w.s.devices, func(d *device) bool { return !anew(d) }) {
		if !w.goesOn(anew) {
			w.s.stuck(fmt.Sprintf("%v after the faults some have not begun anew in the epoch of the new primary", w.s.job.stuck))
			return false
		}
		hold(settling)
	}
	return true
}

// forEquality waits until every device is equal to the logs, which it reads again
// if they grow.
func (w *wait) forEquality(ctx context.Context, o *outcome) (bool, error) {
	for !w.s.equal(o) {
		if !w.goesOn(func(d *device) bool { st := d.state(); return !st.ask && st.equal(o.of(d.user).head()) }) {
			w.s.stuck(w.s.behind(o))
			return false, nil
		}
		sleep(ctx, settling)
		w.s.ask(ctx)
		if err := w.s.heads(ctx, o); err != nil {
			return false, err
		}
	}
	return true, nil
}

// goesOn reports whether there is time left for those of which good does not hold.
//
// There is more if they are clients of npm's that have no connection and do not
// know. So is Engine.IO's client, with any server, if the line breaks between a
// WebSocket's handshake and its first packet, which it finds out by its connect
// timeout (20 s), and if the WebSocket breaks between the answer to its probe and
// the end of the upgrade: polling is paused by then and not resumed, until its
// heartbeat ends (45 s).
func (w *wait) goesOn(good func(d *device) bool) bool {
	over := time.Since(w.late)
	if over <= 0 {
		return true
	}
	w.deaf = w.deaf || !slices.ContainsFunc(w.s.devices, func(d *device) bool {
		return !good(d) && (!strings.HasPrefix(d.how, "npm") || d.link.socket.Len() > 0)
	})
	return w.deaf && over < heartbeats
}

// finished reports whether a device is connected and has an answer to everything.
func finished(d *device) bool {
	st := d.state()
	return st.up && !st.ask && st.waiting == 0
}

// stuck notes who is, and what the server is doing.
func (s *schedule) stuck(who string) {
	for _, server := range s.cluster.servers {
		s.history.attach(server.goroutines())
	}
	s.wrong("stuck: %s", who)
}

// lateness is how long after the last CONNECT of a user's devices, the last change
// and the end of the faults the last device was equal.
func (s *schedule) lateness(o *outcome) (most time.Duration) {
	for _, d := range s.devices {
		ready := s.mended
		if log := o.of(d.user).log; len(log) > 0 && log[len(log)-1].At.After(ready) {
			ready = log[len(log)-1].At
		}
		for _, other := range s.devices {
			if at := other.lastJoin(); other.user == d.user && at.After(ready) {
				ready = at
			}
		}
		most = max(most, d.state().posAt.Sub(ready))
	}
	return most
}

func (s *schedule) unfinished() string {
	var who []string
	for _, d := range s.devices {
		if st := d.state(); !finished(d) {
			who = append(who, fmt.Sprintf("%s (connected %v by %d lines, %d in its queue, refused %q)", d.name, st.up, d.link.socket.Len(),
				st.waiting, st.gone))
		}
	}
	return fmt.Sprintf("%v after the faults: %s", s.job.stuck, strings.Join(who, ", "))
}

func (s *schedule) behind(o *outcome) string {
	var who []string
	for _, d := range s.devices {
		if st, head := d.state(), o.of(d.user).head(); st.ask || !st.equal(head) {
			who = append(who, fmt.Sprintf("%s (knows %d and has heard %d of %d)", d.name, st.pos, st.heard, head))
		}
	}
	return fmt.Sprintf("%v after the faults: not equal: %s", s.job.stuck, strings.Join(who, ", "))
}

func (o *outcome) of(u *user) *userLog {
	for i := range o.users {
		if o.users[i].user == u {
			return &o.users[i]
		}
	}
	panic("a device of nobody's")
}

func (l *userLog) head() int64 {
	if len(l.log) == 0 {
		return l.base.Seq
	}
	return l.log[len(l.log)-1].Seq
}

// equal reports whether every device knows everything.
func (s *schedule) equal(o *outcome) bool {
	for _, d := range s.devices {
		if st := d.state(); st.ask || !st.equal(o.of(d.user).head()) {
			return false
		}
	}
	return true
}

// ask has devices ask that came back on a new connection when they were through with their work.
func (s *schedule) ask(ctx context.Context) {
	for _, d := range s.devices {
		if st := d.state(); st.up && st.ask {
			d.catchUp(ctx)
		}
	}
}

// heads reads again if a request that nobody waits for any more was applied late.
func (s *schedule) heads(ctx context.Context, o *outcome) error {
	for i := range o.users {
		var p page
		if err := s.call(ctx, o.users[i].user, fmt.Sprintf("/api/sync/changes?limit=1&since=%d", o.users[i].head()), &p); err != nil {
			return err
		}
		if len(p.Changes) > 0 || p.Snapshot {
			return s.read(ctx, o)
		}
	}
	return nil
}

// read reads logs and lists, from before and behind: they belong together if
// nothing was added between.
func (s *schedule) read(ctx context.Context, o *outcome) error {
	for i := range o.users {
		l := &o.users[i]
		for whole := false; !whole; {
			if err := s.readLog(ctx, l); err != nil {
				return err
			}
			before := l.head()
			if err := s.call(ctx, l.user, "/api/expenses", &l.list); err != nil {
				return err
			}
			if err := s.readLog(ctx, l); err != nil {
				return err
			}
			whole = before == l.head()
		}
	}
	return nil
}

func (s *schedule) readLog(ctx context.Context, l *userLog) error {
	l.log = nil
	for more := true; more; {
		var p page
		if err := s.call(ctx, l.user, fmt.Sprintf("/api/sync/changes?limit=500&since=%d", l.head()), &p); err != nil {
			return err
		}
		if p.Snapshot {
			return fmt.Errorf("the log of user %s does not reach back to %d", l.user.id, l.base.Seq)
		}
		l.log, more = append(l.log, p.Changes...), p.More
	}
	return nil
}
