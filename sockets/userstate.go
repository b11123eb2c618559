package sockets

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"expenseflow/internal/changes"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// The states of a user (docs/contract.md#live-features).
const (
	balanceEvent = "account:balance"
	countEvent   = "notification_count"
)

// stateWaits is how long a watcher waits for more changes before it sends states: a batch
// moves the balance once, unless it takes longer than a second to be stored.
var stateWaits = debounceWaits{quiet: 50 * time.Millisecond, most: time.Second}

// stateRetry is how long it waits after the store failed.
const stateRetry = time.Second

// A reader reads the states of users; *store.Store is one.
type reader interface {
	UserByID(ctx context.Context, id string) (models.User, error)
	Dashboard(ctx context.Context, userID string, from, to models.DayRef) (models.Dashboard, error)
}

// A userState is the balance and the unread count of a user at one moment.
type userState struct {
	seq     int64 // of the newest change that is in it
	balance models.Balance
	unread  int64
}

// An initialState is what was read together with the token of a session.
type initialState struct {
	userState
	rooms *models.KeptRooms // of a page that comes back; nil if they were not read
}

func userStateOf(u *models.User) userState {
	return userState{seq: u.Seq, balance: u.Balance(), unread: u.Unread}
}

// watchers has the watcher of each user with sessions. Its methods may be called
// concurrently.
type watchers struct {
	*dashboardReader
	feed feed

	send     func(userID string, p *socketio.Packet) // to all sessions of the user
	onChange func(*models.Change)                    // is called for each change of the watched logs; must not block

	mu     sync.Mutex
	byUser map[string]*watcher
}

// A watcher keeps the sessions of one user informed of the user's states: balance,
// unread count and dashboards. States are caused by changes, but they are not in the
// log and move no offset: they are read again after a change, and a session whose queue
// is full gets the newest when it has room.
//
// A watcher exists as long as its user has sessions in this process. It follows the log
// as sessions do, and needs no goroutine.
type watcher struct {
	all        *watchers
	userID     string
	sessions   int // guarded by watchers.mu
	log        *changes.Subscription[EncodedChange]
	update     debounce
	dashboards dashboards

	mu    sync.Mutex // held while states are sent too, so that the newest arrives last
	sent  userState  // what the sessions were sent last
	cause *models.Change
}

// join adds a session to the watcher of its user, which begins at the state in which
// the session found the user. It returns nil if the session is over.
func (ws *watchers) join(s *session, found userState) *watcher {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if s.life.over() || s.watcher != nil {
		return s.watcher
	}
	w := ws.byUser[s.userID]
	if w == nil {
		w = ws.newWatcher(s.userID, found)
		ws.byUser[s.userID] = w
	}
	w.sessions++
	s.watcher = w
	return w
}

func (ws *watchers) newWatcher(userID string, found userState) *watcher {
	w := &watcher{all: ws, userID: userID, sent: found}
	w.dashboards.dashboardReader, w.dashboards.userID = ws.dashboardReader, userID
	w.update = debounce{waits: &stateWaits, do: w.refresh}
	w.log = ws.feed.Subscribe(userID, found.seq, found.seq, w.onPage, nil)
	return w
}

// of returns the watcher of a session; nil if the session is over or not greeted yet.
func (ws *watchers) of(s *session) *watcher {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return s.watcher
}

// leave removes a session that is over. The last session of a user ends the watcher.
// It may be called more than once.
func (ws *watchers) leave(s *session) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := s.watcher
	if w == nil {
		return
	}
	s.watcher = nil
	w.dashboards.unsubscribe(s)
	if w.sessions--; w.sessions > 0 {
		return
	}
	delete(ws.byUser, w.userID)
	w.log.Close()
	w.update.stop()
}

// greet sends a session the states of its user: those that it found, or newer ones that
// others were sent meanwhile.
func (w *watcher) greet(s *session, found userState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent.seq > found.seq {
		found = w.sent
	}
	s.sendState(countPacket(found))
	s.sendState(w.balancePacket(found, models.Sum{}, nil))
}

// resync sends a session the newest states again.
func (ws *watchers) resync(s *session) {
	if w := ws.of(s); w != nil {
		w.greet(s, userState{})
		w.dashboards.resync(s)
	}
}

// onPage takes a page of the log. It takes all of it and does not block.
func (w *watcher) onPage(page []changes.Item[EncodedChange]) (taken int) {
	dashboardsMoved := false
	for i := range page {
		c := page[i].Change
		w.all.onChange(c)
		own := w.changesBalance(c)
		if own {
			w.setCause(c)
		}
		dashboardsMoved = dashboardsMoved || own || c.Kind == models.SettingsChanged
	}
	w.update.trigger()
	if dashboardsMoved {
		w.dashboards.invalidate()
	}
	return len(page)
}

// changesBalance reports whether a change is of the user's own expense: those of others
// are in the log too, but not in the sums.
func (w *watcher) changesBalance(c *models.Change) bool {
	return c.Kind.IsExpense() && c.Expense.UserID == w.userID
}

// setCause remembers the newest change of the balance, which the next account:balance
// names.
func (w *watcher) setCause(c *models.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Seq > w.sent.seq {
		w.cause = &models.Change{Kind: c.Kind, EntityID: c.EntityID}
	}
}

// refresh reads the state of the user and sends what has changed to all sessions.
func (w *watcher) refresh() (retry time.Duration) {
	w.all.tasks.run(func(ctx context.Context) {
		user, err := w.all.reader.UserByID(ctx, w.userID)
		switch {
		case err == nil:
			w.broadcast(userStateOf(&user))
		case models.KindOf(err) != models.NotFound && ctx.Err() == nil: // a deleted account has no state
			logStateError(w.all.log, w.userID, err)
			retry = stateRetry
		}
	})
	return retry
}

func (w *watcher) broadcast(now userState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, cause := w.sent, w.cause
	w.sent, w.cause = now, nil
	sameCurrency := before.balance.Currency == now.balance.Currency
	if cause != nil || !sameCurrency {
		var delta models.Sum // stays zero after a change of currency
		if sameCurrency {
			delta = now.balance.Balance().Minus(before.balance.Balance())
		}
		w.all.send(w.userID, w.balancePacket(now, delta, cause))
	}
	if before.unread != now.unread {
		w.all.send(w.userID, countPacket(now))
	}
}

func (w *watcher) balancePacket(u userState, delta models.Sum, cause *models.Change) *socketio.Packet {
	return mustEncode(balanceEvent, wire.NewBalanceChange(u.balance, w.all.rates, delta, cause))
}

func countPacket(u userState) *socketio.Packet {
	return mustEncode(countEvent, wire.UnreadCount{Count: u.unread})
}

// logStateError logs that a state of a user could not be read.
func logStateError(log *slog.Logger, userID string, err error) {
	log.Warn("state of a user cannot be read now", slog.String("user_id", userID), slog.Any("error", err))
}
