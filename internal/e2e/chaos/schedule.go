package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A job names a schedule: the same job does the same things.
type job struct {
	db      string
	class   class
	seed    uint64
	devices int // 0: as the seed says
	span    time.Duration
	race    bool // the server has the race detector
}

// patience is how long after the faults a device may be unequal.
func (j job) patience() time.Duration {
	if j.race {
		return stuckRaced
	}
	return stuckAfter
}

// again is the command that runs the job once more.
func (j job) again() string {
	return fmt.Sprintf("go run ./internal/e2e/chaos -db %s -fault %s -seed %d -devices %d -duration %v -schedules 1",
		j.db, j.class.name, j.seed, j.devices, j.span)
}

// A schedule is one run of a job.
type schedule struct {
	job     job
	seed    uint64
	house   *house
	history *history
	rng     *rand.Rand // of the goroutine that makes faults
	users   []*user
	devices []*device
	mended  time.Time // when the faults were over

	mu      sync.Mutex
	ops     []*operation
	hits    map[string]int
	wrongs  []string
	failure error // of the harness itself
}

// An outcome is what a schedule left: what happened, and what was wrong with it.
type outcome struct {
	job     job
	users   []userLog
	devices []*device
	ops     []*operation
	hits    map[string]int
	late    time.Duration // from the last CONNECT, or answer, to the last device's being equal
	took    time.Duration
	read    bool     // logs and lists were read: they can be checked
	wrong   []string // each begins with lost, duplicated, divergent, stuck or foreign
}

// A userLog is all that the server knows of a user at the end.
type userLog struct {
	user *user
	base snapshot // before the schedule
	log  []change // since then
	list []document
}

// The clock of a schedule.
const (
	stuckAfter = 10 * time.Second // after the faults
	stuckRaced = 60 * time.Second // the same, of a server with the race detector
	settling   = 5 * time.Millisecond
	heartbeats = 60 * time.Second // until a client that hears nothing knows, with a margin: 25 s + 20 s
)

// runSchedule runs a job. An error is one of the harness, after which its house is
// of no more use; what the server did wrong is in the outcome.
func runSchedule(ctx context.Context, h *house, j job) (*outcome, *history, error) {
	s := &schedule{job: j, seed: j.seed, house: h, hits: make(map[string]int), history: &history{began: time.Now()}}
	s.rng = rand.New(rand.NewPCG(j.seed, fnv(j.class.name)))
	o := &outcome{job: j}
	err := s.run(ctx, o)
	o.devices, o.ops, o.hits, o.took = s.devices, s.ops, s.hits, time.Since(s.history.began)
	o.wrong = append(o.wrong, s.wrongs...)
	if err == nil && o.read {
		o.wrong = append(o.wrong, check(o)...)
	}
	return o, s.history, errors.Join(err, s.failure)
}

// fnv makes a second seed of a name.
func fnv(name string) uint64 {
	sum := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return sum
}

func (s *schedule) run(ctx context.Context, o *outcome) (err error) {
	if err := s.begin(ctx, o); err != nil {
		return err
	}
	defer s.end()
	faults, over := context.WithTimeout(ctx, s.job.span)
	defer over()
	live, stop := context.WithCancel(ctx)
	defer stop()
	var acting sync.WaitGroup
	rate := 10 + 30*s.rng.Float64() // operations a second, of all devices
	pause := time.Duration(float64(len(s.devices)) / rate * float64(time.Second))
	for _, d := range s.devices {
		acting.Go(func() { d.act(live, faults, pause) })
	}
	err = s.strike(faults)
	<-faults.Done()
	s.mend()
	if err == nil {
		err = s.settle(ctx, stop, &acting, o)
	}
	stop()
	acting.Wait()
	return err
}

// begin brings users and devices together and waits until the first are connected.
func (s *schedule) begin(ctx context.Context, o *outcome) error {
	all, err := s.house.welcome(ctx)
	if err != nil {
		return err
	}
	s.users = all[:2+s.rng.IntN(len(all)-1)]
	for _, u := range s.users {
		l := userLog{user: u}
		if err := s.call(ctx, u, "/api/sync/changes", &l.base); err != nil {
			return err
		}
		o.users = append(o.users, l)
	}
	n := 5 + s.rng.IntN(6)
	if s.job.devices > 0 {
		n = s.job.devices
	}
	for i := range n {
		if err := s.addDevice(i); err != nil {
			return err
		}
	}
	return s.awaitConnected(ctx)
}

func (s *schedule) addDevice(i int) error {
	u := i % len(s.users)
	d := &device{
		s: s, name: fmt.Sprintf("%c%d", 'A'+u, i), id: fmt.Sprintf("device_%s_%d_%d_%s", s.job.class.name, s.seed, i, s.users[u].id),
		user: s.users[u], how: clientKinds[(i+int(s.seed))%len(clientKinds)], named: i%3 == 2,
		rng:  rand.New(rand.NewPCG(s.seed, fnv(fmt.Sprint(s.job.class.name, i)))),
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience},
		poke: make(chan struct{}, 1), told: make(map[int64]change), known: make(map[string]int64),
	}
	l, err := newLink(s.house.server.addr, s.hit)
	if err != nil {
		return err
	}
	d.link = l
	s.devices = append(s.devices, d)
	s.log(d.name, "is %s of user %s by %s", d.id, d.user.id, d.how)
	return d.load()
}

func (s *schedule) awaitConnected(ctx context.Context) error {
	late := time.Now().Add(patience)
	for _, d := range s.devices {
		for !d.state().up {
			if time.Now().After(late) || !sleep(ctx, settling) {
				return fmt.Errorf("%s is not connected (%s)", d.name, d.state().gone)
			}
		}
	}
	return nil
}

// nodeOf is the Node process that hosts a device.
func (s *schedule) nodeOf(d *device) *node {
	return s.house.nodes[slices.Index(s.devices, d)%len(s.house.nodes)]
}

// mend ends what faults may have left.
func (s *schedule) mend() {
	for _, d := range s.devices {
		d.link.mend()
	}
	s.mended = time.Now()
	s.log("-", "the faults are over")
}

func (s *schedule) end() {
	for _, d := range s.devices {
		d.client.close()
		d.link.close()
	}
}

// settle waits until every device is through with its work and equal to the
// server, and reads the logs.
func (s *schedule) settle(ctx context.Context, stop func(), acting *sync.WaitGroup, o *outcome) error {
	w := &wait{s: s, late: time.Now().Add(s.job.patience())}
	if !w.forWork(acting) {
		s.stuck(s.unfinished())
		stop()
		acting.Wait()
		return nil
	}
	if err := s.read(ctx, o); err != nil {
		return err
	}
	o.read = true
	for !s.equal(o) {
		if !w.goesOn(func(d *device) bool { return d.state().equal(o.of(d.user).head()) }) {
			s.stuck(s.behind(o))
			return nil
		}
		sleep(ctx, settling)
		if err := s.heads(ctx, o); err != nil {
			return err
		}
	}
	if w.deaf {
		s.hit(deafClients)
	}
	o.late = s.lateness(o)
	return nil
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

// goesOn tells whether there is time left for those of which good does not hold.
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
		return !good(d) && (!strings.HasPrefix(d.how, "npm") || d.link.live() > 0)
	})
	return w.deaf && over < heartbeats
}

// finished tells whether a device is connected and has an answer to everything.
func finished(d *device) bool {
	st := d.state()
	return st.up && !st.ask && st.waiting == 0
}

// stuck notes who is, and what the server is doing.
func (s *schedule) stuck(who string) {
	s.history.attach(s.house.server.goroutines())
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
			who = append(who, fmt.Sprintf("%s (connected %v by %d lines, %d in its queue, refused %q)", d.name, st.up, d.link.live(), st.waiting, st.gone))
		}
	}
	return fmt.Sprintf("%v after the faults: %s", s.job.patience(), strings.Join(who, ", "))
}

func (s *schedule) behind(o *outcome) string {
	var who []string
	for _, d := range s.devices {
		if st, head := d.state(), o.of(d.user).head(); !st.equal(head) {
			who = append(who, fmt.Sprintf("%s (knows %d and has heard %d of %d)", d.name, st.pos, st.heard, head))
		}
	}
	return fmt.Sprintf("%v after the faults: not equal: %s", s.job.patience(), strings.Join(who, ", "))
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

// equal tells whether every device knows everything.
func (s *schedule) equal(o *outcome) bool {
	for _, d := range s.devices {
		if !d.state().equal(o.of(d.user).head()) {
			return false
		}
	}
	return true
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

func (s *schedule) call(ctx context.Context, u *user, path string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.house.call(ctx, http.MethodGet, path, u.token, nil, v)
}

func decode(b []byte, v any) error {
	return json.NewDecoder(bytes.NewReader(b)).Decode(v)
}

func (s *schedule) log(who, format string, args ...any) { s.history.add(who, format, args...) }

// wrong notes a broken promise. Its first word is the kind.
func (s *schedule) wrong(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.log("!", "%s", text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrongs = append(s.wrongs, text)
}

// expect503 notes an answer that no page may get for what it rightly asks:
// trouble of the server's is 503 (CONTRACT decision 9).
func (s *schedule) expect503(a answer, what string) {
	if a.status != http.StatusServiceUnavailable {
		s.wrong("lost: %s was answered %s", what, a)
	}
}

func (s *schedule) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = errors.Join(s.failure, err)
}

func (s *schedule) note(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, op)
}

// hit counts a fault that really hit.
func (s *schedule) hit(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits[kind]++
}
