package hints

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/keyring"
	"expenseflow/internal/pubsub"
	"expenseflow/models"
)

const (
	// helloInterval is how often a process says that it is here: so late the loss of its
	// last hint is noticed.
	helloInterval = 5 * time.Second

	// postgresWindow is the least time between two commits that notify, for each process of
	// the installation: together they make at most 200 in a second. The first after a pause
	// does not wait.
	postgresWindow = 5 * time.Millisecond

	// sendTimeout bounds a round trip, also when the process is about to end.
	sendTimeout = 2 * time.Second

	// silentPause is the longest pause after connections that worked, though nothing came
	// back.
	silentPause = 30 * time.Second
)

// Options describe a process among those of its installation.
type Options struct {
	// Process is the id of this process, 1 to 16 letters and digits. No other has it.
	Process string

	// Installation names the database that the processes share. Hints of others are not
	// received.
	Installation string

	// Ring has the secrets that the processes share.
	Ring keyring.Ring

	Logger *slog.Logger // nil is slog.Default
}

// A Remote is a Bus through a server. Its methods may be called concurrently.
type Remote struct {
	broker  pubsub.Broker
	channel string
	window  time.Duration // least time between two round trips for each process; 0 is none
	self    identity
	keys    keys
	log     pubsub.Log

	out     *outbox
	count   counters
	link    link
	began   atomic.Bool  // hints have flowed, or failed to, since the start
	senders atomic.Int64 // Stats.Senders

	number uint64 // of the last message; used by send alone

	// These are used by the goroutine that receives.
	peers    peers
	believed int // how many peers this process has answered

	received func(from string, h Hint)
	missed   func()
	met      func(believed int) // nil but in Tell
}

// NewRedis makes a Bus through Redis: address is as for pubsub.OpenRedis, and prefix the
// first part of the channel's name. A configuration that will never work is an error of
// kind models.Invalid; a server that cannot be reached now is none.
func NewRedis(ctx context.Context, address, prefix string, o Options) (*Remote, error) {
	broker, err := pubsub.OpenRedis(address)
	if err != nil {
		return nil, err
	}
	return open(ctx, broker, prefix+":"+o.Installation+":hints", 0, o)
}

// NewPostgres makes a Bus through NOTIFY and LISTEN of PostgreSQL. address is that of a
// direct connection, which the setting of that name has. Errors are those of NewRedis.
func NewPostgres(ctx context.Context, address, setting string, o Options) (*Remote, error) {
	broker, err := pubsub.OpenPostgres(address, setting, "expenseflow hints")
	if err != nil {
		return nil, err
	}
	return open(ctx, broker, "expenseflow_hints_"+o.Installation, postgresWindow, o)
}

func open(ctx context.Context, broker pubsub.Broker, channel string, window time.Duration, o Options) (*Remote, error) {
	r, err := newRemote(broker, channel, window, o)
	if err != nil {
		return nil, errors.Join(err, broker.Close())
	}
	if err := broker.Check(ctx, channel); models.KindOf(err) == models.Invalid {
		return nil, errors.Join(err, broker.Close())
	} else if err != nil {
		r.trouble(ctx, err)
	}
	return r, nil
}

func newRemote(broker pubsub.Broker, channel string, window time.Duration, o Options) (*Remote, error) {
	if !isName(o.Process, maxProcess) {
		return nil, errors.New("hints: the id of the process is not 1 to 16 letters and digits")
	}
	return &Remote{
		broker: broker, channel: channel, window: window, self: identity{o.Process, rand.Text()},
		keys: deriveKeys(o.Ring, o.Installation),
		log:  pubsub.Log{Logger: cmp.Or(o.Logger, slog.Default())}, out: newOutbox(), peers: peers{},
	}, nil
}

// Close releases the connections of a Remote whose Run is not called.
func (r *Remote) Close() error { return r.broker.Close() }

// Publish implements Bus.
func (r *Remote) Publish(h Hint) { r.count.drop(r.out.add(h), 1) }

// Run implements Bus.
func (r *Remote) Run(ctx context.Context, received func(from string, h Hint), missed func()) error {
	r.received, r.missed = received, missed
	var parts sync.WaitGroup
	for _, part := range []func(context.Context){r.listenAlways, r.sendAlways, r.sayHello} {
		parts.Go(func() { part(ctx) })
	}
	parts.Wait()
	return r.broker.Close()
}

// Tell publishes a hint for a process that only does this and ends, and is called in place of
// Run. It returns when so many others know of it, or ctx ends. None of them has heard this process
// before, so they take the hint for one that was missed: they compare everything.
func (r *Remote) Tell(ctx context.Context, h Hint, others int) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	r.met = func(believed int) {
		if believed >= others {
			done()
		}
	}
	return r.Run(ctx, func(string, Hint) {}, func() { r.Publish(h) })
}

// Stats returns the counts so far.
func (r *Remote) Stats() Stats {
	s := r.count.stats()
	s.Senders, s.Up = int(r.senders.Load()), r.link.up(time.Now())
	return s
}

// ErrConnecting is the error of Check from the start until hints flow for the first time, or fail
// to.
var ErrConnecting = models.E(models.Unavailable, "Hints between processes are being connected")

var errDown = models.E(models.Unavailable, "Hints do not flow between processes")

// Check returns an error while hints do not flow.
func (r *Remote) Check(context.Context) error {
	switch {
	case r.link.up(time.Now()):
		return nil
	case !r.began.Load():
		return ErrConnecting
	}
	return errDown
}

// listenAlways listens, again and again, until ctx ends.
func (r *Remote) listenAlways(ctx context.Context) {
	var pause pubsub.Pauses
	for ctx.Err() == nil {
		attempt, cut := context.WithCancelCause(ctx)
		r.link.begin(cut)
		err := r.broker.Listen(attempt, pubsub.Channels{Names: []string{r.channel}},
			func() { r.subscribed() }, func(_, payload string) { r.receive(payload) })
		if silent := context.Cause(attempt); silent != nil {
			err = silent
		}
		cut(nil)
		if r.link.end() {
			pause = 0
		}
		if ctx.Err() != nil {
			return
		}
		r.trouble(ctx, err)
		longest := pubsub.LongestPause
		if errors.Is(err, errSilent) {
			longest = silentPause
		}
		pubsub.Sleep(ctx, pause.Next(longest))
	}
}

// subscribed begins to hear.
func (r *Remote) subscribed() {
	r.link.subscribe()
	r.out.say(wordHello, struct{}{})
	r.missed()
}

// sayHello says every few seconds that this process is here, and gives up a connection
// that is silent.
func (r *Remote) sayHello(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		r.link.giveUpIfSilent(time.Now())
		if n%int(helloInterval/time.Second) == 0 {
			r.out.say(wordHello, struct{}{})
		}
	}
}

// sendAlways sends what is published until ctx ends, and then the rest.
func (r *Remote) sendAlways(ctx context.Context) {
	var pause pubsub.Pauses
	for {
		select {
		case <-r.out.ready:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			r.send(ctx)
			return
		}
		began := time.Now()
		if !r.send(ctx) {
			pubsub.Sleep(ctx, pause.Next(pubsub.LongestPause))
			continue
		}
		pause = 0
		pubsub.Sleep(ctx, r.window*time.Duration(1+r.senders.Load())-time.Since(began))
	}
}

// send sends what waits, as far as it fits into one round trip, also when ctx has ended. It
// reports false if that failed.
func (r *Remote) send(ctx context.Context) bool {
	batch, lost := r.out.take()
	r.number += lost
	frames, hints := make([]string, len(batch)), 0
	for i, h := range batch {
		r.number++
		frames[i] = r.keys.seal(frame{r.self, r.number, h.Kind, h.Data})
		if isKind(h.Kind) {
			hints++
		}
	}
	if len(frames) == 0 {
		return true
	}
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	err := r.broker.Publish(sending, r.channel, frames)
	r.link.send(r.number, err == nil, time.Now())
	if err != nil {
		r.count.drop(droppedUnsent, hints)
		r.trouble(ctx, err)
		return false
	}
	r.count.sent.Add(int64(hints))
	return true
}

// receive handles one message of the channel.
func (r *Remote) receive(payload string) {
	if payload == "" {
		return // of a Broker's Check
	}
	f, err := r.keys.open(payload)
	switch now := time.Now(); {
	case errors.Is(err, errForged):
		r.count.drop(droppedForged, 1)
	case err != nil:
		r.count.drop(droppedGarbage, 1)
	case f.from == r.self:
		r.echoed(f.number, now)
	default:
		r.receiveFrom(f, now)
	}
}

// echoed handles a message of our own.
func (r *Remote) echoed(number uint64, now time.Time) {
	r.senders.Store(int64(r.peers.living(now)))
	if first := r.link.echo(number, now); first {
		r.began.Store(true)
		r.log.Passed("hints between processes flow again")
	}
}

// receiveFrom handles a message of another process.
func (r *Remote) receiveFrom(f frame, now time.Time) {
	p := r.peers.of(f.from, now)
	if p == nil {
		r.count.drop(droppedUnknown, 1)
		return
	}
	switch p.follow(f.number, now) {
	case replayed:
		r.count.drop(droppedReplay, 1)
		return
	case afterGap:
		r.lost(p)
	case nextOne:
	}
	if p.askNow(now) {
		r.out.say(wordWho, challengeData{f.from.process, f.from.nonce, p.challenge})
	}
	if strings.HasPrefix(f.kind, ".") {
		r.hear(p, f)
		return
	}
	r.take(p, f)
}

// lost handles frames of a process that are missing.
func (r *Remote) lost(p *peer) {
	if !p.trusted {
		p.skipped = true
		return
	}
	r.count.gaps.Add(1)
	r.missed()
}

// take handles a hint.
func (r *Remote) take(p *peer, f frame) {
	if !p.trusted {
		p.skipped = true
		r.count.drop(droppedUnknown, 1)
		return
	}
	r.count.received.Add(1)
	r.received(f.from.process, Hint{f.kind, f.data})
}

// hear handles a word of the protocol. Unknown ones are those of later versions.
func (r *Remote) hear(p *peer, f frame) {
	var d challengeData
	if json.Unmarshal(f.data, &d) != nil || (identity{d.To, d.Nonce}) != r.self {
		return
	}
	switch f.kind {
	case wordWho:
		r.out.say(wordAm, challengeData{f.from.process, f.from.nonce, d.Challenge})
		r.answer(p)
	case wordAm:
		if d.Challenge == p.challenge && !p.trusted {
			r.trust(p)
		}
	}
}

// answer notes that a process has been answered.
func (r *Remote) answer(p *peer) {
	if p.answered {
		return
	}
	p.answered = true
	r.believed++
	if r.met != nil {
		r.met(r.believed)
	}
}

// trust believes a process from now on.
func (r *Remote) trust(p *peer) {
	p.trusted = true
	r.senders.Store(int64(r.peers.living(p.heard)))
	if p.skipped {
		p.skipped = false
		r.missed()
	}
}

// trouble logs an error, at most once a minute.
func (r *Remote) trouble(ctx context.Context, err error) {
	r.began.Store(true)
	r.log.Trouble(ctx, "hints between processes do not flow: until they do, a change in one reaches the devices of another "+
		"about a second later", err)
}
