// Package adminui serves the namespace to which the official Admin UI of Socket.IO
// (npm's @socket.io/admin-ui 0.5) connects: how many clients each process has, and, if the
// operator wants it, their sockets, rooms and events.
//
// What it promises:
//
//   - Only who knows the user name and the password gets in, or has a session id that was
//     given to the same address within the last hours. Wrong passwords are limited by
//     address.
//   - Nothing is changed unless Options.Write is set. A command of a read-only admin is
//     refused and logged, and so is every command that is carried out.
//   - Events are shown only as Options.Redact returns them. The headers and the query of a
//     client's first request are never shown.
//   - Without an admin, in this process or in another, nothing is watched: the package has
//     no timer and no socketio.Observer then.
//   - What admins see costs the server a bounded amount, however much happens: see limits.go.
//     What is left out is counted, and said on the page.
//   - Every process of a cluster appears. What is told between processes (Options.Publish)
//     may be lost; the page then shows less, and nothing else depends on it.
//
// # How it works
//
// One goroutine, that of Run, keeps everything that is known about admins, and does what
// others ask it to (UI.do). The Observer puts what happens into a queue, the feed, which Run
// empties five times a second. The sockets that there are already are listed under the lock
// under which memberships change, so that each later change is shown once.
package adminui

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/keyring"
	"expenseflow/internal/socketio"
)

// Options configure a UI.
type Options struct {
	IO *socketio.Server

	// Namespace is where the Admin UI connects to; default "/admin".
	Namespace string

	User, Password string

	// Keys sign and verify session ids. All processes have the same.
	Keys keyring.Keys

	// Development also shows sockets, rooms and events. Otherwise only figures are shown.
	Development bool

	// Write lets admins send events, and have sockets join and leave rooms and disconnect.
	Write bool

	// Allow reports whether the page of a handshake may connect; nil allows all.
	Allow func(*socketio.Handshake) bool

	// Address returns the key of a client's address, which is "host:port": sign-ins are
	// limited by it, and a session id is valid for it alone.
	Address func(remote string) string

	// Guesses limits wrong passwords by Address.
	Guesses Limiter

	// Redact returns what may be shown of an event, a JSON array of its name and arguments,
	// in the same form.
	Redact func(payload json.RawMessage) json.RawMessage

	// Describe returns what may be shown of a socket's data. It is called with the namespace
	// locked, and must be encodable. nil shows nothing.
	Describe func(*socketio.Socket) any

	// Protected reports whether a room is the application's alone: admins may not have
	// sockets join or leave it. nil protects none.
	Protected func(room string) bool

	// Process names this process on the page and to the others; default the host's name.
	Process string

	// Publish tells the other processes something, whose UIs get it by Receive. It must not
	// block. nil: this is the only process.
	Publish func(kind string, data any)

	// Others returns the ids of the other processes.
	Others func() []string

	Logger *slog.Logger // default slog.Default

	// Refused writes a refusal to the log: what was refused, with which code, and the setting
	// that decides, "" for none. default: as a warning to Logger.
	Refused func(ctx context.Context, msg, code, setting string, attrs ...slog.Attr)
}

// A Limiter limits failures by key. Peek reports whether there is room for one, and else how
// long there is none; Take counts one.
type Limiter interface {
	Peek(key string) (wait time.Duration, ok bool)
	Take(key string) (wait time.Duration, ok bool)
}

func (o Options) withDefaults() Options {
	host, _ := os.Hostname() // "" where it cannot be found out
	o.Namespace = cmp.Or(o.Namespace, "/admin")
	o.Process = cmp.Or(o.Process, host, "server")
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Allow == nil {
		o.Allow = func(*socketio.Handshake) bool { return true }
	}
	if o.Describe == nil {
		o.Describe = func(*socketio.Socket) any { return struct{}{} }
	}
	if o.Protected == nil {
		o.Protected = func(string) bool { return false }
	}
	if o.Refused == nil {
		o.Refused = func(ctx context.Context, msg, code, setting string, attrs ...slog.Attr) {
			attrs = append(attrs, slog.String("code", code), slog.String("setting", setting))
			o.Logger.LogAttrs(ctx, slog.LevelWarn, msg, attrs...)
		}
	}
	if o.Others == nil {
		o.Others = func() []string { return nil }
	}
	return o
}

// A UI serves the namespace of the Admin UI. Its methods may be called concurrently.
type UI struct {
	opts  Options
	log   *slog.Logger
	admin *socketio.Namespace
	feed  *feed
	count counters

	sessions sessionIDs
	guessing sync.Mutex // held while a password is compared, so that none escapes the limit

	mu    sync.Mutex
	tasks []func()      // for Run
	wake  chan struct{} // has a token while there are tasks

	orders chan order // of admins of other processes

	// Used by Run's goroutine alone.
	viewers  map[*socketio.Socket]*viewer
	watchers map[string]time.Time // other processes with admins, until when
	sampler  sampler
	watching bool
}

type counters struct{ refused, dropped atomic.Int64 }

// Stats are figures of a UI.
type Stats struct {
	Admins  int   // who are connected to this process
	Refused int64 // sign-ins since the start
	Dropped int64 // sockets and events that were not shown since the start
}

// New makes the namespace. Nobody sees anything in it before Run is called.
func New(o Options) *UI {
	o = o.withDefaults()
	u := &UI{
		opts: o, log: o.Logger, admin: o.IO.Of(o.Namespace), sessions: newSessionIDs(&o),
		wake: make(chan struct{}, 1), orders: make(chan order, maxOrders),
		viewers: map[*socketio.Socket]*viewer{}, watchers: map[string]time.Time{},
	}
	u.feed = newFeed(o.Namespace, o.Describe)
	u.admin.Use(u.admit)
	u.admin.OnConnect(u.connected)
	for name := range commands {
		u.admin.On(name, u.command)
	}
	return u
}

// Stats returns the figures. Those of a nil *UI are zero.
func (u *UI) Stats() Stats {
	return Stats{Admins: u.admin.Len(), Refused: u.count.refused.Load(), Dropped: u.count.dropped.Load()}
}

// connected begins to show an admin what there is.
func (u *UI) connected(s *socketio.Socket) {
	if u.admin.Len() > maxAdmins { // several came at once
		s.Disconnect(true)
		return
	}
	address := u.opts.Address(s.Handshake().RemoteAddr)
	_ = s.Emit("session", u.sessions.issue(address, time.Now()))
	_ = s.Emit("config", struct {
		Features []string `json:"supportedFeatures"`
	}{u.features()})
	s.OnDisconnect(func(string) { u.do(func() { delete(u.viewers, s) }) })
	u.do(func() { u.welcome(s) })
}

// features are those of the Admin UI that work here.
func (u *UI) features() []string {
	var list []string
	if u.opts.Write {
		list = append(list, "EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")
	}
	list = append(list, "AGGREGATED_EVENTS")
	if u.opts.Development {
		list = append(list, "ALL_EVENTS")
	}
	return list
}

// do has Run's goroutine call task. It never blocks. It reports false if too many tasks
// wait.
func (u *UI) do(task func()) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.tasks) >= maxTasks {
		return false
	}
	u.tasks = append(u.tasks, task)
	select {
	case u.wake <- struct{}{}:
	default:
	}
	return true
}

// runTasks calls what do was given.
func (u *UI) runTasks() {
	u.mu.Lock()
	tasks := u.tasks
	u.tasks = nil
	u.mu.Unlock()
	for _, task := range tasks {
		task()
	}
}

// Run shows admins what happens until ctx ends, and then returns nil.
func (u *UI) Run(ctx context.Context) error {
	var obeying sync.WaitGroup
	obeying.Go(func() { u.obeyAlways(ctx) })
	defer obeying.Wait()
	for {
		select {
		case <-u.wake:
			u.runTasks()
			u.watch(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// obeyAlways carries out commands of other processes until ctx ends.
func (u *UI) obeyAlways(ctx context.Context) {
	for {
		select {
		case o := <-u.orders:
			if err := u.execute(o); err != nil {
				u.log.WarnContext(ctx, "an admin's command of another process was refused",
					slog.String("command", o.Command), slog.Any("error", err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// watch shows what happens as long as somebody looks.
func (u *UI) watch(ctx context.Context) {
	defer u.endWatching()
	if u.watched(time.Now()) {
		u.beginWatching()
	}
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for n := 1; u.watched(time.Now()); n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		u.runTasks()
		u.flush(u.feed.position())
		u.greetLate(time.Now())
		if n%ticksPerSample == 0 {
			u.sampler.sample(u.opts.IO.Engine().Stats(), time.Now())
			u.sayDropped()
		}
		if n%ticksPerStats == 0 {
			u.followUpgrades()
			u.sendStats()
			u.renew()
		}
	}
}

// watched reports whether an admin looks, here or in another process.
func (u *UI) watched(now time.Time) bool {
	for process, until := range u.watchers {
		if now.After(until) {
			delete(u.watchers, process)
		}
	}
	return len(u.viewers) > 0 || len(u.watchers) > 0
}

// beginWatching has the feed filled.
func (u *UI) beginWatching() {
	if !u.watching {
		u.watching = true
		u.sampler.begin(u.opts.IO.Engine().Stats())
		if u.opts.Development {
			u.opts.IO.Observe(u.feed)
		}
	}
}

func (u *UI) endWatching() {
	u.watching = false
	u.opts.IO.Observe(nil)
	u.feed.clear()
}
