// Package sockets is the Socket.IO side of the program: what clients may send, and
// which events they receive.
//
// What it promises:
//
//   - Only a valid token opens a socket. A refusal is a CONNECT_ERROR, after which a
//     client stays away for good, so it is sent only if the token will never be valid
//     again; on a failure of the server the transport is closed, and the client
//     reconnects by itself (docs/contract.md#d19, docs/contract.md#tokens).
//   - A socket receives the changes of its user's log and of no other, each once and in
//     the log's order, from the time at which its token was checked
//     (docs/contract.md#live-events). Events are made from the log, never from a request.
//   - A socket whose queue is full keeps its position in the log and continues from there
//     when there is room. It is not closed for being behind; only for reading nothing for
//     10 s (engineio), or for sending commands without reading the replies.
//   - A device that reconnects continues where it was, as long as the log reaches back
//     that far (Recoverer, docs/contract.md#recovery).
//   - A socket does not outlive its token: it ends when the token expires, is signed out,
//     or the password is changed (docs/contract.md#d33). A minute before the token expires
//     the client is told, and may give the socket another token of the same user, by which
//     it goes on from then on.
//   - States (balance, unread count, dashboards, presence, service status) are sent after
//     each connect and whenever they have changed. They are in no log. A socket whose
//     queue is full gets the newest when it has room.
//   - Presence is reported per device. A device that reconnects within three seconds is
//     not reported. Those who look at the same expense share its room as long as they
//     have a right to it (docs/contract.md#presence).
//   - Beside other processes (Options.Cluster), presence, rooms and the operator's status
//     are of all of them. The database has them; hints between processes make them fast,
//     and a hint that is lost is made good for within seconds.
//   - A command goes through the same rules as an HTTP request, and its effect comes
//     back to every device as an event of the log (docs/contract.md#commands).
//   - No event that is not made from the log ends in a string or is without an argument:
//     clients would take that for their offset (docs/contract.md#recovery).
//
// The parts know each other as little as possible: a session knows its socket and its
// position in the log; sessionRegistry, watchers, presence, rooms, serviceStatus and
// deviceWriter each keep one thing about sessions under one lock, and call each other
// only through functions that the Hub gives them; the Hub decides the order of things.
// So do announcer, elsewhere, roomRelay, sharedStatus and survey with what they keep about
// other processes; presence and rooms call announcer and elsewhere, under their locks.
package sockets

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/failure"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Options are what a Hub is made of.
type Options struct {
	IO       *socketio.Server
	Auth     authenticator
	Feed     feed // encodes with Encoder.Encode
	Queue    operationQueue
	Expenses expenseService

	// Reader reads the states of users, Devices records the devices that they use.
	Reader  reader
	Devices deviceRegistry

	// Rates convert what is in other currencies than the account's; nil converts nothing.
	Rates *models.Rates

	// MaxPerUser is how many sockets one user may have open; further ones are
	// refused for good. 0 is no limit. MAX_CONNECTIONS_PER_USER.
	MaxPerUser int

	// MaxRooms is how many rooms of expenses a socket may be in. 0 is no limit.
	// MAX_ROOMS_PER_SOCKET.
	MaxRooms int

	// MaxDashboards is how many different dashboards the sockets of one user may be
	// subscribed to: each is read from the database whenever something has changed. A socket
	// has one at most. 0 is no limit. MAX_DASHBOARDS_PER_USER.
	MaxDashboards int

	// SuppressSelf does not send a socket the changes that were made with its own token
	// and without naming a device (SUPPRESS_SELF_BY_TOKEN, docs/contract.md#d23).
	SuppressSelf bool

	// MaxAge is the age at which a socket's transport is closed, so that its client connects
	// anew, perhaps to another process: some time in the last fifth of it. 0 is no limit.
	// CONNECTION_MAX_AGE.
	MaxAge time.Duration

	// Rate is how many events a socket may send in a second, after Burst at once.
	// 0 is no limit. SOCKET_RATE.
	Rate  float64
	Burst int

	// Cluster connects the Hub with those of other processes; nil if this is the only one.
	Cluster *Cluster

	Measures Measures

	Logger *slog.Logger // default slog.Default

	// Failures is told of each event that fails and of each socket that is refused; default
	// one that writes to Logger.
	Failures *failure.Reporter

	// CountError counts an event that failed. event is one that clients may send, or
	// "other", and code a constant of the program. It may be called concurrently. nil counts
	// nothing.
	CountError func(event, code string)
}

// A Hub serves the sockets of all users. Its methods may be called concurrently.
type Hub struct {
	opts Options
	log  *slog.Logger
	send broadcaster
	deps *sessionDeps

	sessions *sessionRegistry
	status   *serviceStatus
	watchers *watchers
	presence *presence
	rooms    *rooms
	devices  *deviceWriter
	recent   recentTokens
	tasks    *taskGroup
	events   *dispatcher
	counts   *counters

	survey *survey
	shared *sharedStatus // nil, as the next two, if this is the only process
	peers  *peers
	relay  *roomRelay

	tokenCommand      *tokenCommand
	roomCommands      *roomCommands
	dashboardCommands *dashboardCommands
}

// New makes the Hub and has it serve the sockets of o.IO.
func New(o Options) *Hub {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Failures == nil {
		o.Failures = failure.New(o.Logger)
	}
	if o.CountError == nil {
		o.CountError = func(_, _ string) {}
	}
	h := &Hub{
		opts: o, log: o.Logger, send: broadcaster{o.IO.Of(namespace)},
		sessions: newSessionRegistry(o.MaxPerUser), rooms: newRooms(), tasks: newTaskGroup(),
		counts: newCounters(),
	}
	h.deps = &sessionDeps{
		owner: h, feed: o.Feed, suppressOwn: o.SuppressSelf, maxAge: o.MaxAge, delivery: o.Measures.Delivery, counts: h.counts,
	}
	h.deps.timers.Ring = (*session).deadlineReached
	h.status = newServiceStatus(h.send.toAll)
	h.devices = newDeviceWriter(o.Devices, h.tasks, h.log)
	h.presence = &presence{
		send: h.send.toUser, sendTo: (*session).sendState, record: h.devices.addSession,
		users: make(map[string]deviceSet),
	}
	h.watchers = &watchers{
		dashboardReader: &dashboardReader{o.Reader, o.Rates, h.tasks, h.log, o.MaxDashboards},
		feed:            o.Feed, send: h.send.toUser, onChange: h.onChange, byUser: make(map[string]*watcher),
	}
	h.joinCluster(o.Cluster)
	h.tokenCommand = &tokenCommand{o.Auth, h.sessions, h.devices}
	h.roomCommands = &roomCommands{h.rooms, h.presenceOf, o.Expenses, h.relay, o.MaxRooms}
	h.dashboardCommands = &dashboardCommands{h.watchers}
	h.serve()
	return h
}

// serve registers the Hub with the namespace.
func (h *Hub) serve() {
	admission := &admission{h.opts.Auth, h.sessions, h.opts.Expenses, h.counts, h.opts.Failures, h.newSession}
	h.events = &dispatcher{
		requests: h.requestTable(), commands: h.commandTable(),
		rate: h.opts.Rate, burst: h.opts.Burst, revoke: h.revoke,
		failures: h.opts.Failures, count: h.opts.CountError, limited: h.opts.Measures.RateLimited,
	}
	h.events.observe(h.opts.Measures.Event)
	h.send.nsp.CountEvents(h.events.names(), sentEvents)
	h.send.nsp.Use(admission.admit)
	h.send.nsp.OnConnect(h.onConnect)
	h.send.nsp.OnDisconnect(h.onDisconnect)
	h.send.nsp.OnDrain(func(socket *socketio.Socket) { sessionOf(socket).resume() })
	h.send.nsp.OnAny(h.events.onEvent)
}

// requestTable and commandTable are all events that clients may send.
// TestEventsMatchContract (dispatch_test.go) compares them with lists of its own, and
// TestEventsPageSaysWhatIsHeard with docs/events.md.
//
// A new command also needs: expenseService, the tests' fakeExpenses, eventRights in
// internal/app/rooms_test.go, docs/events.md, static/expense-events.d.ts.
func (h *Hub) requestTable() map[string][]request {
	sync := &syncRequests{h.opts.Queue}
	return map[string][]request{
		"sync_request": {
			{do: sync.pending, ok: "sync_data", fail: "sync_error"},
			{do: sync.missed, ok: "sync_changes", fail: "sync_error"},
		},
	}
}

func (h *Hub) commandTable() map[string]command {
	expenses := &expenseCommands{h.opts.Expenses}
	return map[string]command{
		"auth:refresh": {do: h.tokenCommand.refresh},

		"expense:create": {do: expenses.create},
		"expense:update": {do: expenses.update},
		"expense:delete": {do: expenses.remove},

		"dashboard:subscribe":   {do: h.dashboardCommands.subscribe, optional: true},
		"dashboard:unsubscribe": {do: h.dashboardCommands.unsubscribe, optional: true},

		"room:join":     {do: h.roomCommands.join, roomName: true},
		"room:leave":    {do: h.roomCommands.leave, roomName: true},
		"room:activity": {do: h.roomCommands.activity},
		"presence:list": {do: h.roomCommands.list, optional: true, roomName: true},
	}
}

// newSession makes the session of a socket whose token is id's.
func (h *Hub) newSession(socket *socketio.Socket, sent connectAuth, id auth.Identity) *session {
	initial := &initialState{userStateOf(&id.User), id.User.KeptRooms}
	s := &session{
		sessionDeps: h.deps, socket: socket, userID: id.User.ID, userName: id.User.Name,
		browser: auth.BrowserID(socket.Handshake().Header), client: sent.client, trace: sent.trace,
		device:     deviceOf(sent.client.DeviceID, id.Claims),
		clientName: auth.ClientName(socket.Handshake().Header.Get("User-Agent")),
		returning:  sent.pid != "",
		logStart:   id.User.LogStart, position: StreamPosition{Seq: id.User.Seq}, initial: initial,
	}
	s.token.Store(newSessionToken(&id))
	return s
}

// onConnect starts the session of a socket that has connected: first its changes, then
// the states, and then what it was in before a recovery.
func (h *Hub) onConnect(socket *socketio.Socket) {
	s := sessionOf(socket)
	h.counts.connected(s, socket.Recovered())
	if err := socket.Join(userRoom(s.userID)); err != nil {
		h.log.Error("socket cannot join its user's room", slog.String("user_id", s.userID), slog.Any("error", err))
		socket.CloseTransport()
		return
	}
	s.follow()
	h.greet(s)
	if socket.Recovered() {
		h.restore(h.tasks.ctx, s)
	}
}

// onDisconnect ends the session of a socket for which onConnect was called.
func (h *Hub) onDisconnect(socket *socketio.Socket, reason string) {
	s := sessionOf(socket)
	h.counts.disconnects.add(reason)
	h.log.DebugContext(s.traced(context.Background()), "socket disconnected",
		slog.String("user_id", s.userID), slog.String("reason", reason))
	s.end()
}

// greet sends the session all states, recovered or not: they are in no log. Its device
// is present from now on.
func (h *Hub) greet(s *session) {
	if !s.life.move(following, current) {
		return
	}
	initial := s.initial.userState
	s.initial = nil
	w := h.watchers.join(s, initial)
	if w == nil {
		return
	}
	h.status.sendTo(s)
	w.greet(s, initial)
	h.presence.arrive(s)
}

// restore lets a recovered session into what its page does not ask for again: its
// rooms, as far as the user still has the right, and its dashboard. On failure the
// transport is closed, and the client reconnects by itself.
func (h *Hub) restore(ctx context.Context, s *session) {
	for _, name := range s.socket.Rooms() {
		err := h.restoreRoom(ctx, s, name)
		switch {
		case errors.Is(err, errForbidden), errors.Is(err, errDashboardLimit):
			_ = s.socket.Leave(name)
		case err != nil:
			h.log.Warn("rooms cannot be restored, connection closed", slog.String("user_id", s.userID), slog.Any("error", err))
			s.socket.CloseTransport()
			return
		}
	}
}

func (h *Hub) restoreRoom(ctx context.Context, s *session, name string) error {
	if id, ok := wire.RoomOf(name); ok {
		_, err := h.roomCommands.enter(ctx, s, id)
		return err
	}
	if days, ok := dayRangeOf(name); ok {
		_, err := h.dashboardCommands.show(ctx, s, days)
		return err
	}
	return nil
}

// resync implements sessionOwner.
func (h *Hub) resync(s *session) {
	h.status.sendTo(s)
	h.watchers.resync(s)
	h.presence.resync(s)
}

// release implements sessionOwner. The registry is last: Shutdown waits for it.
func (h *Hub) release(s *session) {
	h.rooms.depart(s)
	h.presence.depart(s)
	h.watchers.leave(s)
	h.sessions.remove(s)
}

// onChange handles what a change of a user's log means for the user's sessions beside
// being sent to them. It may have been made by another process.
func (h *Hub) onChange(c *models.Change) {
	switch c.Kind {
	case models.ExpenseDeleted:
		h.Evict(c)
	case models.SettingsChanged:
		if c.Settings.Name != "" {
			h.rooms.rename(c.UserID, c.Settings.Name, h.sessions.of(c.UserID))
		}
	case models.SignedOut:
		for _, s := range h.sessions.signOut(c.UserID, c.EntityID) {
			if s.token.Load().checkedAt < c.Seq { // else the token was checked after the sign-out
				h.revoke(s)
			}
		}
	}
}

// revoke closes the session of a token that was signed out. It does not block.
func (h *Hub) revoke(s *session) {
	s.life.finish(revoked)
	go h.tasks.run(func(context.Context) { s.socket.Disconnect(true) })
}

// SignOut closes the sockets of the user's token with that revocation key
// (auth.Claims.Key), and of all the user's tokens if key is "". Call it after the
// sign-out is stored: then no socket is opened between the two.
func (h *Hub) SignOut(userID, key string) {
	for _, s := range h.sessions.signOut(userID, key) {
		s.life.finish(revoked)
		s.socket.Disconnect(true)
	}
}

// Evict removes a user from the room of an expense to which they lost the right, by
// this change of their log. It does not block.
//
// It is called twice: by the ledger before whoever ended the right is answered
// (ledger.Options.OnAccessLost), so that later messages do not reach the user who lost
// access; and for each change of the log, which may have been made by another process. The
// second call, which may come late, does nothing.
func (h *Hub) Evict(c *models.Change) {
	for _, s := range h.rooms.evict(c.EntityID, c.UserID, c.Seq) {
		go h.tasks.run(func(context.Context) { h.roomCommands.forget(s, c.EntityID) })
	}
}

// SendActivity tells those in an expense's room what the ledger did
// (ledger.Options.OnActivity): a comment, or a change of the expense. It does not block.
func (h *Hub) SendActivity(a models.Activity) {
	h.rooms.sendActivity(a)
	h.relay.sendActivity(a)
}

// SendParked tells a user's devices of operations that were parked
// (reconcile.Options.OnParked). It does not block. A device may miss it if its queue is
// full; sync_request returns the parked operations.
func (h *Hub) SendParked(userID string, ops []models.QueuedOperation) {
	sendParked(h.send.userSockets(userID), ops, h.log)
}

// importProgressEvent tells a user's devices how far an import is.
const importProgressEvent = "import_progress"

// SendImportProgress tells a user's devices that are connected to this process how far an import
// is (importer.Options.Progress). It does not block; a device may miss it.
func (h *Hub) SendImportProgress(userID string, progress wire.ImportProgress) {
	h.tryTell(userID, importProgressEvent, progress)
}

// SendSettled tells a user's devices that are connected to this process that parked operations
// were retried or discarded (reconcile.Options.OnSettled). It does not block; a device may miss it.
func (h *Hub) SendSettled(userID string, how models.OperationState) {
	h.tryTell(userID, settledEvent, newSettling(how))
}

// tryTell sends an event that is in no log to a user's sockets, but for those whose queue is full.
func (h *Hub) tryTell(userID, event string, payload any) {
	p, err := socketio.Encode(namespace, event, payload)
	if err != nil {
		h.log.Error("event cannot be encoded", slog.String("event", event), slog.Any("error", err))
		return
	}
	for _, socket := range h.send.userSockets(userID) {
		socket.TrySend(p)
	}
}

// Presence returns which devices of a user are present. Those in other processes are looked
// up if the user has none here; if that fails they are left out.
func (h *Hub) Presence(userID string) wire.Presence { return h.presenceOf(h.tasks.ctx, userID) }

func (h *Hub) presenceOf(ctx context.Context, userID string) wire.Presence {
	if doc, ok := h.presence.known(userID); ok {
		return doc
	}
	return h.presence.lookUp(ctx, userID)
}

// FlushDevices writes at once which devices have come so far: the registry then has all
// devices that Presence returns.
func (h *Hub) FlushDevices() { h.devices.flush() }

// RecordToken records that a user's token is in use, by a client with this User-Agent. It
// does not block.
func (h *Hub) RecordToken(id *auth.Identity, userAgent string) {
	if h.recent.due(id.Claims.Key, time.Now()) {
		h.devices.add(models.DeviceToken{
			UserID: id.User.ID, Key: id.Claims.Key, ExpiresAt: id.Claims.ExpiresAt, Client: auth.ClientName(userAgent),
			Generation: id.Claims.Generation,
		})
	}
}

// SetStatus tells every socket of every process, and those that connect later, what the
// operator says. That the database cannot be reached, or that the server shuts down, is
// said instead as long as it is so.
func (h *Hub) SetStatus(said wire.Status) {
	if h.shared == nil {
		h.status.setOperator(said)
		return
	}
	h.shared.set(said)
}

// SetStorageDown tells every socket whether the database cannot be reached. To say the
// same again sends nothing.
func (h *Hub) SetStorageDown(down bool) { h.status.setStorageDown(down) }

// DisconnectAll closes the transport of every socket: clients reconnect by themselves.
// It is for a log that has begun another epoch (Stream.Begin).
func (h *Hub) DisconnectAll() {
	for _, closeTransport := range h.Closers() {
		closeTransport()
	}
}

// Closers returns a function for each socket that closes its transport: the client
// reconnects by itself and continues where it was.
func (h *Hub) Closers() []func() {
	sessions := h.sessions.all()
	closers := make([]func(), len(sessions))
	for i, s := range sessions {
		closers[i] = s.socket.CloseTransport
	}
	return closers
}

// Len returns how many sockets are open or being opened.
func (h *Hub) Len() int { return h.sessions.len() }

// shutdownNotice is how long Shutdown waits for clients to learn that the server shuts
// down. A polling client learns it by its next request, within a round trip, or never
// if it has gone.
const shutdownNotice = 2 * time.Second

// Shutdown tells every socket that the server shuts down, refuses new ones and closes
// every transport, so that clients reconnect later, here or elsewhere. When it returns
// nil, nothing of the Hub runs any more; clients that were not reached in time find out
// by themselves.
func (h *Hub) Shutdown(ctx context.Context) error {
	polite, cancel := context.WithTimeout(ctx, shutdownNotice)
	defer cancel()
	h.status.setShuttingDown()
	h.presence.stop()
	h.devices.stop()
	h.rooms.stop()
	h.peers.stop()
	h.relay.stop()
	h.shared.stop()
	h.tasks.stop()
	err := h.opts.IO.Shutdown(polite)
	if err != nil && ctx.Err() == nil {
		err = h.opts.IO.Shutdown(ctx) // the rest was cut off; wait until its listeners have run
	}
	if err != nil {
		return err
	}
	return h.sessions.wait(ctx)
}
