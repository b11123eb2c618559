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
	"sync"
	"time"
)

// A job names a schedule: the same job does the same things.
type job struct {
	on      setup
	class   class
	seed    uint64
	devices int // 0: as the seed says
	span    time.Duration
	stuck   time.Duration // after the faults
	bug     string        // that the servers have; "" is none
}

// again is the command that runs the job once more.
func (j job) again() string {
	bug := ""
	if j.bug != "" {
		bug = " -bug " + j.bug
	}
	return fmt.Sprintf("go run ./internal/e2e/chaos %s -fault %s -seed %d -devices %d -duration %v -schedules 1%s",
		j.on.flags(), j.class.name, j.seed, j.devices, j.span, bug)
}

// A schedule is one run of a job.
type schedule struct {
	job     job
	seed    uint64
	cluster *cluster
	history *history
	rng     *rand.Rand // of the goroutine that makes faults
	users   []*user
	devices []*device
	ghost   *ghost    // nil with one process, or when it has died
	mended  time.Time // when the faults were over
	epoch   time.Time // when the database began a new one; zero if it did not

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

// runSchedule runs a job. An error is one of the harness, after which its cluster is
// of no more use; what the server did wrong is in the outcome.
func runSchedule(ctx context.Context, h *cluster, j job) (*outcome, *history, error) {
	s := &schedule{job: j, seed: j.seed, cluster: h, hits: make(map[string]int), history: &history{began: time.Now()}}
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
	broken, mended := context.WithCancel(ctx) // a strike that has begun may take longer than its time
	defer mended()
	for _, d := range s.devices {
		acting.Go(func() { d.act(live, broken, pause) })
	}
	err = s.strike(faults)
	<-faults.Done()
	s.mend()
	mended()
	if err == nil {
		err = s.settle(ctx, stop, &acting, o)
	}
	stop()
	acting.Wait()
	return err
}

// begin brings users and devices together and waits until the first are connected.
func (s *schedule) begin(ctx context.Context, o *outcome) error {
	all, err := s.cluster.welcome(ctx)
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
	if s.job.on.processes > 1 {
		if s.ghost, err = s.newGhost(); err != nil {
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
	l, err := newLink(s.cluster.addr(), s.hit)
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
	return s.cluster.nodes[slices.Index(s.devices, d)%len(s.cluster.nodes)]
}

// mend ends what faults may have left.
func (s *schedule) mend() {
	s.ghostDies()
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
	s.ghostDies()
}

func (s *schedule) call(ctx context.Context, u *user, path string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.cluster.call(ctx, http.MethodGet, path, u.token, nil, v)
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
// trouble of the server's is 503 (docs/contract.md#status-codes).
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
