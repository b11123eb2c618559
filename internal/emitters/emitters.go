// Package emitters receives what other programs of the application publish by
// @socket.io/redis-emitter and @socket.io/postgres-emitter, and gives it to the sockets of
// this process.
//
// What it promises:
//
//   - An event reaches the sockets of the rooms that it names, at most once each, and is in
//     no log: it is the application's own, and whoever is away misses it. Every process of
//     an installation receives it by itself; none passes it on.
//   - Rooms are those of users (Sockets). Without a room it is for everybody; if only rooms
//     are named that do not exist here, it is for nobody.
//   - Disconnecting sockets is obeyed. Joining and leaving rooms, events for servers, and
//     what servers ask each other is refused.
//   - Nothing that arrives stops the receiver: what is malformed, too large or of another
//     kind is counted and dropped.
//
// Whoever can publish there can send events to all users: the servers are as trusted as the
// programs that use them. Therefore nothing is received unless it is configured.
package emitters

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"expenseflow/internal/pubsub"
	"expenseflow/internal/socketio"
)

// Sockets are those of this process; *sockets.Hub has these methods. They return how many of
// the rooms do not exist, and must not block.
type Sockets interface {
	Emit(rooms, except []string, p *socketio.Packet) (unknown int)
	DisconnectSockets(rooms, except []string, closing bool) (unknown int)
}

// MaxPayload is the maximum size of a message in bytes.
const MaxPayload = 1 << 20

// namespace is the only one that has sockets.
const namespace = "/"

// A source is where messages come from.
type source struct {
	name     string // "redis" or "postgres"
	broker   pubsub.Broker
	channels pubsub.Channels

	// decode returns the message of a payload, or the result that is counted instead.
	decode func(ctx context.Context, channel, payload string) (message, result)

	// maintain runs beside the listening; nil does nothing.
	maintain func(ctx context.Context)

	listening atomic.Bool
}

// A message is what is to be done.
type message struct {
	rooms, except []string
	packet        *socketio.Packet // nil disconnects the sockets
	closing       bool             // and closes their connections
}

// A result is what became of a message.
type result int

const (
	emitted      result = iota
	disconnected        // sockets, as it said
	unknownRoom         // counted for each room that nobody can be in
	refused             // a command that is not obeyed
	foreign             // of a server, not of an emitter, or for another namespace
	malformed
	tooLarge
	missing // its payload was not in the table
	results // how many there are
)

// Results are the keys of Stats.Messages.
var Results = []string{"emitted", "disconnected", "unknown_room", "refused", "foreign", "malformed", "too_large", "missing"}

// Stats count messages since the start of the process.
type Stats struct {
	Messages map[string]int64 // by result
	Up       map[string]bool  // whether each source is listened to
}

// A Receiver receives from its sources. Its methods may be called concurrently.
type Receiver struct {
	sockets Sockets
	log     pubsub.Log
	sources []*source
	count   [results]atomic.Int64
}

// New makes a Receiver without sources. A nil log is slog.Default.
func New(to Sockets, log *slog.Logger) *Receiver {
	return &Receiver{sockets: to, log: pubsub.Log{Logger: cmp.Or(log, slog.Default())}}
}

// Run receives until ctx ends, and closes the sources. It is called once.
func (r *Receiver) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	for _, s := range r.sources {
		parts.Go(func() { r.listenAlways(ctx, s) })
		if s.maintain != nil {
			parts.Go(func() { s.maintain(ctx) })
		}
	}
	<-ctx.Done()
	parts.Wait()
	return r.Close()
}

// Close closes the sources of a Receiver whose Run is not called.
func (r *Receiver) Close() (err error) {
	for _, s := range r.sources {
		err = errors.Join(err, s.broker.Close())
	}
	return err
}

// Stats returns the counts so far.
func (r *Receiver) Stats() Stats {
	s := Stats{Messages: map[string]int64{}, Up: map[string]bool{}}
	for i, name := range Results {
		s.Messages[name] = r.count[i].Load()
	}
	for _, from := range r.sources {
		s.Up[from.name] = from.listening.Load()
	}
	return s
}

// listenAlways listens to a source, again and again, until ctx ends.
func (r *Receiver) listenAlways(ctx context.Context, s *source) {
	var pause pubsub.Pauses
	for ctx.Err() == nil {
		err := s.broker.Listen(ctx, s.channels, func() {
			pause = 0
			s.listening.Store(true)
			r.log.Passed("emitters are heard again")
		}, func(channel, payload string) { r.receive(ctx, s, channel, payload) })
		s.listening.Store(false)
		if ctx.Err() != nil {
			return
		}
		r.log.Trouble(ctx, "emitters are not heard: events that other programs send now are lost", err)
		pubsub.Sleep(ctx, pause.Next(pubsub.LongestPause))
	}
}

// receive does what a message says.
func (r *Receiver) receive(ctx context.Context, s *source, channel, payload string) {
	if len(payload) > MaxPayload {
		r.count[tooLarge].Add(1)
		return
	}
	m, what := s.decode(ctx, channel, payload)
	unknown := 0
	switch what {
	case emitted:
		unknown = r.sockets.Emit(m.rooms, m.except, m.packet)
	case disconnected:
		unknown = r.sockets.DisconnectSockets(m.rooms, m.except, m.closing)
	}
	r.count[what].Add(1)
	r.count[unknownRoom].Add(int64(unknown))
}
