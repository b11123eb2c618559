package main

import (
	"context"
	"slices"
	"strings"
	"time"
)

// A class is a kind of fault that a schedule has.
type class struct {
	name, help string
	on         string        // the database that it needs; "" is any
	needs      string        // what else of a set-up: several, byRedis or without
	span       time.Duration // how long its faults last at least
	once       bool          // one strike is enough
	skewed     bool          // its servers are built so that their clocks can be set
	epochs     bool          // the database may begin a new epoch
	hits       []string      // what is counted when it hits; each must, in a run
	repeat     float64       // how often a batch is sent several times
	split      float64       // how often it is sent in parts, in another order
	strikes    []strike      // one of them is chosen, again and again
}

// A strike is one fault from its beginning to its end.
type strike func(ctx context.Context, s *schedule) error

// Kinds of hits.
const (
	kills, cuts, slowLines        = "kills", "connections cut", "slow lines"
	serverPauses, clientPauses    = "server pauses", "client pauses"
	repeated, reordered           = "batches repeated", "batches split and reordered"
	answersLost                   = "answers lost"
	cutOff                        = "requests cut off"
	deafClients                   = "npm clients deaf until a timeout of theirs"
	fastRestarts, immediateCrashs = "database restarts, fast", "database restarts, immediate"
)

// classes is every class.
var classes = slices.Concat(plainClasses, clusterClasses)

// plainClasses hit a single process too; with several, one of them is hit.
var plainClasses = []class{
	{name: "kill", help: "kill -9 of the server, and its restart", hits: []string{kills}, strikes: []strike{killServer}},
	{name: "cut", help: "lines that are reset, and down for a while", hits: []string{cuts}, strikes: []strike{cutLines}},
	{
		name: "pause", help: "the server, or a process of clients, is stopped for a while", hits: []string{serverPauses, clientPauses},
		strikes: []strike{pauseServer, pauseClients},
	},
	{name: "repeat", help: "batches arrive several times", hits: []string{repeated}, repeat: 0.7},
	{
		name: "reorder", help: "batches arrive in parts, in any order, through any of the user's devices", hits: []string{reordered},
		split: 0.8,
	},
	{
		name: "lost", help: "answers never arrive, and the request is sent again", hits: []string{answersLost},
		strikes: []strike{loseAnswers},
	},
	{
		name: "database", help: "PostgreSQL is stopped and started, politely and not", on: postgres,
		hits: []string{fastRestarts, immediateCrashs}, strikes: []strike{restartFast, restartImmediate},
	},
	{
		name: "slow", help: "a line that carries 20 KiB a second while a hundred changes come", hits: []string{slowLines},
		strikes: []strike{slowDown},
	},
	{name: "mixed", help: "all of these", hits: []string{
		kills, cuts, serverPauses, clientPauses, repeated, reordered, answersLost,
		slowLines,
	}, repeat: 0.2, split: 0.2, strikes: []strike{
		killServer, cutLines, cutLines, pauseServer, pauseClients, loseAnswers, loseAnswers, slowDown, restartAny,
	}},
}

func classNames() []string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	return names
}

// strike makes this schedule's faults until their time is over. One that has begun
// is ended all the same.
func (s *schedule) strike(faults context.Context) error {
	strikes := s.job.class.strikes
	for n := 0; len(strikes) > 0 && sleep(faults, s.some(50, 350)); n++ {
		if n > 0 && s.job.class.once {
			continue
		}
		s.ghostDies()
		if err := strikes[s.rng.IntN(len(strikes))](faults, s); err != nil {
			return err
		}
	}
	return nil
}

// some is a time between low and high milliseconds.
func (s *schedule) some(low, high int) time.Duration {
	return time.Duration(low+s.rng.IntN(high-low)) * time.Millisecond
}

func (s *schedule) someDevice() *device { return s.devices[s.rng.IntN(len(s.devices))] }

// hold lets a fault last.
func hold(t time.Duration) { time.Sleep(t) }

// rush has some devices send a batch at once, and returns a moment later: what
// strikes then finds requests under way.
func (s *schedule) rush() {
	for range 1 + s.rng.IntN(3) {
		s.someDevice().wantBurst(1+s.rng.IntN(30), "")
	}
	hold(s.some(0, 40))
}

func killServer(ctx context.Context, s *schedule) error {
	s.rush()
	i, server := s.someServer()
	s.log("-", "kill -9 of server %d", i)
	if err := server.kill(); err != nil {
		return err
	}
	s.hit(kills)
	hold(s.some(0, 300))
	defer s.log("-", "server %d is ready again", i)
	return server.start(context.WithoutCancel(ctx))
}

func cutLines(_ context.Context, s *schedule) error {
	s.rush()
	var down []*device
	for range 1 + s.rng.IntN(len(s.devices)) {
		d := s.someDevice()
		d.link.setDown(s.rng.IntN(2) == 0)
		if n := d.link.cut(); n > 0 {
			s.log("-", "the line of %s is cut (%d connections)", d.name, n)
			s.hit(cuts)
		}
		down = append(down, d)
	}
	hold(s.some(10, 300))
	for _, d := range down {
		d.link.setDown(false)
	}
	return nil
}

func pauseServer(_ context.Context, s *schedule) error {
	s.rush()
	i, server := s.someServer()
	s.log("-", "server %d is stopped", i)
	if err := server.pause(); err != nil {
		return err
	}
	s.hit(serverPauses)
	hold(s.some(100, 700))
	s.log("-", "server %d goes on", i)
	return server.resume()
}

func pauseClients(_ context.Context, s *schedule) error {
	i := s.rng.IntN(len(s.cluster.nodes))
	p := s.cluster.nodes[i].cmd.Process
	s.log("-", "clients are stopped (Node process %d)", i)
	if err := pause(p); err != nil {
		return err
	}
	s.hit(clientPauses)
	hold(s.some(100, 700))
	s.log("-", "these clients go on")
	return resume(p)
}

// loseAnswers arms the lines of some devices; a hit is counted when an answer came
// and was lost.
func loseAnswers(_ context.Context, s *schedule) error {
	for range 1 + s.rng.IntN(3) {
		d, n := s.someDevice(), 1+s.rng.IntN(2)
		s.log("-", "the next answers to %s are lost (%d)", d.name, n)
		d.link.loseNext(n)
	}
	return nil
}

func restartFast(ctx context.Context, s *schedule) error {
	return restart(ctx, s, true, fastRestarts)
}

func restartImmediate(ctx context.Context, s *schedule) error {
	return restart(ctx, s, false, immediateCrashs)
}

func restart(_ context.Context, s *schedule, fast bool, kind string) error {
	s.rush()
	s.log("-", "PostgreSQL is stopped (fast %v)", fast)
	if err := s.cluster.postgres.Halt(fast); err != nil {
		return err
	}
	s.hit(kind)
	hold(s.some(0, 300))
	defer s.log("-", "PostgreSQL is there again")
	return s.cluster.postgres.Resume()
}

func restartAny(ctx context.Context, s *schedule) error {
	if s.cluster.postgres == nil {
		return nil
	}
	return []strike{restartFast, restartImmediate}[s.rng.IntN(2)](ctx, s)
}

// slowBurst is how many changes come at once, each of them two events of about
// 1.8 KB; a slow line hits
// when its device is slowBehind of them behind the fastest of its user's.
const (
	slowBurst  = 120
	slowBehind = 40
)

// longNotes are as long as notes may be, and make events large.
var longNotes = strings.Repeat("€", 500)

func slowDown(_ context.Context, s *schedule) error {
	slow := s.someDevice()
	family := slices.DeleteFunc(slices.Clone(s.devices), func(d *device) bool { return d.user != slow.user || d == slow })
	if len(family) == 0 {
		return nil
	}
	slow.link.setSlow(true)
	s.log("-", "the line of %s is slow", slow.name)
	writer := family[s.rng.IntN(len(family))]
	writer.wantBurst(slowBurst, longNotes)
	behind := lag(slow, family)
	late := time.Now().Add(s.job.stuck / 2) // the writer may be slow too
	for ; behind < slowBehind && time.Now().Before(late); behind = lag(slow, family) {
		hold(settling)
	}
	hold(s.some(50, 300))
	s.log("-", "%s is %d changes behind; its line is mended", slow.name, behind)
	if behind >= slowBehind {
		s.hit(slowLines)
	}
	slow.link.setSlow(false)
	return nil
}

// lag is how many changes a device is behind the first of its user's.
func lag(slow *device, family []*device) int64 {
	at := slow.state().pos
	head := at
	for _, d := range family {
		head = max(head, d.state().pos)
	}
	return head - at
}
