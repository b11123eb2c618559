// Package cluster makes the processes that share a database serve their clients together: each knows which others live,
// and a request may arrive at any of them.
//
// What it promises:
//
//   - Membership is a row per process in the database (table), renewed every beatInterval. Who lives is decided by the
//     database's clock alone: the clocks of processes may differ by any amount.
//   - A process whose secrets do not fit is refused at its start, with a sentence that says what to set. Secrets fit if
//     each process accepts what the other signs, so one can be replaced while processes run (package keyring).
//     Processes of different versions work together.
//   - A request with a session id of another living process is forwarded to it once (Forward): polling with its body
//     and answer as streams, WebSocket as a tunnel of bytes. Whatever arrived by a forward is never forwarded again,
//     and only addresses of the table are forwarded to.
//   - The owner of the session sees the client's own address, scheme and host, because the forwarding process signs
//     them (Receive). What a client sends under the same header is deleted. A signed forward is accepted once, for one
//     request to one process, and depends on no clock.
//   - A process that does not answer a forward within ownerTimeout gets the client a 503, and so does one whose
//     address leads nowhere: each process tries the address of every newcomer and logs when it fails (probe).
//   - When a process is dead for the database, what is still forwarded to it is ended.
//
// A nil *Cluster is that of a process that shares its database with nobody: it forwards nothing.
package cluster

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/keyring"
	"expenseflow/models"
)

// IDLength is the length of the id of a process in characters. Session ids begin with it.
const IDLength = 8

const (
	beatInterval = 3 * time.Second
	beatTimeout  = 3 * time.Second
	deadAfter    = models.ProcessDeadAfter
	// refreshPause is the least time between two heartbeats, however often something asks for one.
	refreshPause = 250 * time.Millisecond
)

// A table has the rows of all processes; *store.Store is one.
type table interface {
	// Heartbeat renews the row of m and returns its generation, which grows if the others
	// may have taken m for dead since the last call, and all living processes, m among them.
	Heartbeat(ctx context.Context, m models.Member) (generation int64, living []models.Member, err error)
	// Leave removes the row of a process.
	Leave(ctx context.Context, id string) error
}

// Options are what a Cluster is made of.
type Options struct {
	Table   table
	URL     string       // where the other processes reach this one (AdvertisedURL)
	Version string       // of the program
	Ring    keyring.Ring // the secrets, which fit those of all processes

	// Certificates returns those that this process serves HTTPS with, now and before the last
	// change; nil without HTTPS. Another process is recognised by one of them, or by one that
	// is valid for the host of its URL, or for a name of theirs: where certificates are
	// renewed, processes get the new one at different times.
	Certificates func() []*tls.Certificate

	// OnGeneration is called when the others may have taken this process for dead: what was
	// written for them must be written again. It is called by Run, and must not block.
	// nil does nothing.
	OnGeneration func(generation int64)

	Logger *slog.Logger // default slog.Default
}

// A Cluster is this process among those that share its database. Its methods may be
// called concurrently; Run is called once.
type Cluster struct {
	opts     Options
	id       string
	keys     keys
	loopback bool // only processes of this machine reach this one
	log      *slog.Logger

	wanted chan struct{} // has a token while somebody waits for a heartbeat

	beating sync.Mutex // held during a heartbeat of Run
	left    bool       // Leave was called; guarded by beating

	mu         sync.Mutex
	round      *round // the next heartbeat
	generation int64
	draining   bool
	failing    bool      // the last heartbeat failed
	settled    time.Time // before, nobody counts as dead: see begin
	peers      map[string]*peer
	noted      map[string]struct{} // what was logged about other processes

	probes  sync.WaitGroup
	forward forwarding
	seen    senders
	stats   stats
}

// A round is one heartbeat.
type round struct{ done chan struct{} }

func newRound() *round { return &round{make(chan struct{})} }

// A peer is another process that lives.
type peer struct {
	id, url string
	address address
	member  models.Member // as its row was last; guarded by Cluster.mu

	// gone ends when the process is dead or has left.
	gone context.Context
	end  context.CancelFunc

	state    atomic.Uint32 // a reachability
	probing  atomic.Bool
	failures atomic.Int32 // probes that failed in a row
}

// Join writes the row of this process and returns its Cluster. While a process lives whose secrets do not fit it waits,
// as long as one that was killed counts as living, and then fails.
func Join(ctx context.Context, o Options) (*Cluster, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnGeneration == nil {
		o.OnGeneration = func(int64) {}
	}
	c := &Cluster{
		opts: o, id: newID(), log: o.Logger, wanted: make(chan struct{}, 1), round: newRound(),
		peers: make(map[string]*peer), noted: make(map[string]struct{}), keys: newKeys(o.Ring), loopback: loopbackURL(o.URL),
	}
	c.forward.init(c)
	if err := c.join(ctx); err != nil {
		_ = c.opts.Table.Leave(ctx, c.id) // else its row dies by itself
		return nil, err
	}
	return c, nil
}

// newID returns a random id of letters and digits.
func newID() string { return rand.Text()[:IDLength] }

// join sends the first heartbeat, and waits while there is a process whose secrets do not fit.
func (c *Cluster) join(ctx context.Context) error {
	for patience := time.Now().Add(deadAfter + beatInterval); ; {
		living, err := c.heartbeat(ctx)
		if err != nil {
			return fmt.Errorf("this process cannot join the others of its database: %w", err)
		}
		stranger := c.stranger(living)
		if stranger == nil {
			c.update(living)
			return nil
		}
		c.noteWaiting(*stranger)
		if time.Now().After(patience) {
			return fmt.Errorf("a process with another secret (%s) serves the same database: "+
				"set JWT_SECRET to the same value for all of them, or end that one first; to change the secret, first start all of them "+
				"with the new one as JWT_SECRET_PREVIOUS, and then all of them with the two swapped", stranger.URL)
		}
		if !sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// noteWaiting logs once that the start waits for a process whose secrets do not fit.
func (c *Cluster) noteWaiting(m models.Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteOnceLocked("waiting", slog.LevelWarn, "a process with another secret uses this database, or was killed a moment ago: "+
		"the start waits for its end, 13 s at most", m)
}

// stranger returns a process whose secrets do not fit; nil if there is none.
func (c *Cluster) stranger(living []models.Member) *models.Member {
	for i := range living {
		if !c.keys.fits(living[i].Secret) {
			return &living[i]
		}
	}
	return nil
}

// Run sends heartbeats until ctx ends. When it returns, everything that it started has
// ended.
func (c *Cluster) Run(ctx context.Context) error {
	if c == nil {
		return nil
	}
	defer c.probes.Wait()
	tick := time.NewTicker(beatInterval)
	defer tick.Stop()
	for last := (time.Time{}); ; last = time.Now() {
		select {
		case <-tick.C:
		case <-c.wanted:
			if !sleep(ctx, refreshPause-time.Since(last)) {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
		c.beat(ctx)
	}
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// beat sends a heartbeat and tells those who wait for it.
func (c *Cluster) beat(ctx context.Context) {
	c.mu.Lock()
	now := c.round
	c.round = newRound()
	before := c.generation
	c.mu.Unlock()
	defer close(now.done)
	c.beating.Lock()
	defer c.beating.Unlock()
	if c.left {
		return
	}
	living, err := c.heartbeat(ctx)
	if err != nil {
		c.noteFailure(ctx, err)
		return
	}
	c.noteFailure(ctx, nil)
	generation := c.Generation()
	if generation != before {
		c.begin(ctx, generation)
	}
	c.update(living)
	c.probeNewcomers(ctx)
}

// begin begins another generation of this process. If the database was away, the heartbeats
// of the others are old too, though they live: until they have had the time for one, none
// counts as dead.
func (c *Cluster) begin(ctx context.Context, generation int64) {
	c.log.InfoContext(ctx, "this process was silent for so long that the others may have counted it as dead: it joins them again",
		slog.Int64("generation", generation))
	c.mu.Lock()
	c.settled = time.Now().Add(deadAfter)
	c.mu.Unlock()
	c.opts.OnGeneration(generation)
}

func (c *Cluster) heartbeat(ctx context.Context) ([]models.Member, error) {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	c.mu.Lock()
	m := models.Member{
		ID: c.id, Generation: c.generation, URL: c.opts.URL, Version: c.opts.Version,
		Secret: c.keys.fingerprint, Draining: c.draining,
	}
	c.mu.Unlock()
	generation, living, err := c.opts.Table.Heartbeat(ctx, m)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation = generation
	return living, nil
}

// noteFailure logs when heartbeats begin to fail, and when they succeed again.
func (c *Cluster) noteFailure(ctx context.Context, err error) {
	c.mu.Lock()
	changed := c.failing != (err != nil)
	c.failing = err != nil
	c.mu.Unlock()
	switch {
	case !changed || ctx.Err() != nil:
	case err != nil:
		c.log.WarnContext(ctx, "the heartbeat of this process cannot be written: 10 s after the last one the others "+
			"count it as dead", slog.Any("error", err))
	default:
		c.log.InfoContext(ctx, "the heartbeat of this process is written again")
	}
}

// update makes peers of the processes that live.
func (c *Cluster) update(living []models.Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := make(map[string]*peer, len(living))
	for _, m := range living {
		if m.ID == c.id {
			continue
		}
		c.noteOddLocked(m)
		if !c.keys.fits(m.Secret) {
			continue
		}
		if p := c.updatedLocked(m); p != nil {
			now[m.ID] = p
		}
	}
	unsettled := time.Now().Before(c.settled)
	for id, p := range c.peers {
		switch {
		case now[id] != nil:
		case unsettled:
			now[id] = p
		default:
			p.end()
			c.logGone(p.member)
		}
	}
	c.peers = now
	c.seen.prune(time.Now(), func(id string) bool { return now[id] != nil })
}

// updatedLocked returns the peer of a process as its row is now; nil if its address is none.
func (c *Cluster) updatedLocked(m models.Member) *peer {
	if p := c.peers[m.ID]; p != nil {
		p.member = m
		return p
	}
	a, err := parseAddress(m.URL)
	if err != nil {
		c.noteOnceLocked("address "+m.ID, slog.LevelWarn, "a process announces an address that is no URL: set its ADVERTISE_URL", m)
		return nil
	}
	p := &peer{id: m.ID, url: m.URL, address: a, member: m}
	p.gone, p.end = context.WithCancel(context.Background())
	c.log.Info("another process serves the same database", memberAttrs(m)...)
	return p
}

// noteOddLocked logs once that the secrets of a process do not fit, that it is of another version, or cannot
// reach this one.
func (c *Cluster) noteOddLocked(m models.Member) {
	if c.loopback && !loopbackURL(m.URL) {
		c.noteOnceLocked("loopback", slog.LevelWarn, "another process is on another machine, and cannot reach this one at "+
			c.opts.URL+": set ADVERTISE_URL to an address that the other machine reaches", m)
	}
	switch {
	case !c.keys.fits(m.Secret):
		c.noteOnceLocked("secret "+m.ID, slog.LevelWarn,
			"a process with another secret uses this database: set JWT_SECRET to the same value for all", m)
	case m.Version != c.opts.Version:
		c.noteOnceLocked("version "+m.ID, slog.LevelInfo, "a process of another version uses this database", m)
	}
}

// maxNoted bounds how much is remembered of what was logged; beyond it, it is forgotten.
const maxNoted = 1000

func (c *Cluster) noteOnceLocked(key string, level slog.Level, msg string, m models.Member) {
	if _, done := c.noted[key]; done {
		return
	}
	if len(c.noted) >= maxNoted {
		clear(c.noted)
	}
	c.noted[key] = struct{}{}
	c.log.Log(context.Background(), level, msg, memberAttrs(m)...)
}

// logGone logs that a process does not live any more. One that ended between two heartbeats
// looks like one that was killed.
func (c *Cluster) logGone(m models.Member) {
	msg := "another process is gone: it ended, or sent no heartbeat for 10 s"
	if m.Draining {
		msg = "another process has ended"
	}
	c.log.Info(msg, memberAttrs(m)...)
}

// memberAttrs names a process in the log.
func memberAttrs(m models.Member) []any {
	return []any{slog.String("process", m.ID), slog.String("url", m.URL), slog.String("version", m.Version)}
}

// refresh waits for a heartbeat that begins after the call.
func (c *Cluster) refresh(ctx context.Context) {
	c.mu.Lock()
	next := c.round
	c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}:
	default:
	}
	select {
	case <-next.done:
	case <-ctx.Done():
	}
}

// peer returns a living process. One that is not known yet may have started a moment ago:
// then the table is read.
func (c *Cluster) peer(ctx context.Context, id string) *peer {
	if p := c.known(id); p != nil {
		return p
	}
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	c.refresh(ctx)
	return c.known(id)
}

func (c *Cluster) known(id string) *peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peers[id]
}

// ID returns the id of this process, which is random; "" if it is alone.
func (c *Cluster) ID() string {
	if c == nil {
		return ""
	}
	return c.id
}

// URL returns where the other processes reach this one.
func (c *Cluster) URL() string { return c.opts.URL }

// Generation returns the generation under which this process announces itself. The first
// is 1; 0 if it is alone.
func (c *Cluster) Generation() int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation
}

// Others returns the other processes that live, as of the last heartbeat.
func (c *Cluster) Others() []models.Member {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	others := make([]models.Member, 0, len(c.peers))
	for _, p := range c.peers {
		others = append(others, p.member)
	}
	return others
}

// Replaced reports whether there is another process that does not end too.
func (c *Cluster) Replaced() bool {
	for _, m := range c.Others() {
		if !m.Draining {
			return true
		}
	}
	return false
}

// StartDraining tells the other processes that this one ends, and waits until they can read
// it or ctx ends.
func (c *Cluster) StartDraining(ctx context.Context) {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.draining = true
	c.mu.Unlock()
	c.refresh(ctx)
}

// Leave removes the row of this process: it and all that it announced are gone for the
// others. No heartbeat follows.
func (c *Cluster) Leave(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.beating.Lock()
	defer c.beating.Unlock()
	c.left = true
	if err := c.opts.Table.Leave(ctx, c.id); err != nil {
		return fmt.Errorf("leave the other processes: %w", err)
	}
	return nil
}

// isForward reports whether r arrived by a forward, which Receive has verified.
func isForward(r *http.Request) bool { return r.Header[forwardHeader] != nil }
