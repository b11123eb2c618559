package sockets

import (
	"context"
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

// How long a watcher waits for more of the same before it tells: a batch moves the
// balance once, unless it takes longer than tellMost to be stored.
const (
	tellQuiet = 50 * time.Millisecond
	tellMost  = time.Second
	tellAgain = time.Second // after the store was in trouble
)

// A reader knows how a user stands; *store.Store is one.
type reader interface {
	UserByID(ctx context.Context, id string) (models.User, error)
	Dashboard(ctx context.Context, userID string, from, to models.DayRef) (models.Dashboard, error)
}

// A standing is how a user stood at one moment.
type standing struct {
	seq     int64 // of the newest change that is in it
	balance models.Balance
	unread  int64
}

func standingOf(u *models.User) standing {
	return standing{seq: u.Seq, balance: u.Balance(), unread: u.Unread}
}

// A watcher tells the sockets of one user how things stand: balance, unread count
// and dashboards. These are states, not happenings. They are caused by the log,
// read anew when it has grown, and lost for a socket that is behind until it has
// room again; so none of them is in the log or moves an offset.
//
// There is one as long as the user has sockets in this process. It follows the
// log as sockets do, and costs no goroutine.
type watcher struct {
	hub      *Hub
	userID   string
	sessions int // guarded by watchers.mu
	log      *changes.Subscription
	soon     debounce

	mu     sync.Mutex // held while states are sent too, so that the newest arrives last
	told   standing   // what the sockets were told last
	cause  *models.Change
	boards map[days]*board
}

// watchers are those of all users.
type watchers struct {
	mu     sync.Mutex
	byUser map[string]*watcher
}

// watch gives the watcher of a session's user, which begins where the session
// found the user.
func (h *Hub) watch(s *session, begin standing) *watcher {
	h.watchers.mu.Lock()
	defer h.watchers.mu.Unlock()
	w := h.watchers.byUser[s.userID]
	if w == nil {
		w = &watcher{hub: h, userID: s.userID, told: begin}
		w.soon = debounce{quiet: tellQuiet, most: tellMost, do: w.tellAll}
		w.log = h.opts.Feed.Subscribe(s.userID, begin.seq, w.notice, nil)
		h.watchers.byUser[s.userID] = w
	}
	w.sessions++
	return w
}

// release lets go of a watcher. The last session ends it.
func (w *watcher) release(s *session) {
	w.unsubscribe(s)
	all := &w.hub.watchers
	all.mu.Lock()
	defer all.mu.Unlock()
	if w.sessions--; w.sessions > 0 {
		return
	}
	delete(all.byUser, w.userID)
	w.log.Close()
	w.soon.stop()
}

// greet tells one socket how its user stands: as its session found it, or as
// others were told since.
func (w *watcher) greet(s *session, found standing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told.seq > found.seq {
		found = w.told
	}
	s.tell(countPacket(found))
	s.tell(w.hub.balancePacket(found, models.Sum{}, nil))
}

// remind tells one socket again what it had no room for.
func (w *watcher) remind(s *session) {
	w.greet(s, standing{})
	if b := s.board.Load(); b != nil {
		b.remind(s)
	}
}

// notice takes a page of the log. It takes all of it and does nothing itself.
func (w *watcher) notice(page []changes.Item[Announcement]) (taken int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	moved := false
	for i := range page {
		c := page[i].Change
		switch c.Kind {
		case models.ExpenseDeleted:
			w.hub.Evict(c)
		case models.SignedOut:
			w.hub.signedOut(c)
		}
		// Somebody else's expense is in the log too, but not in the sums.
		own := c.Kind.OfExpense() && c.Expense.UserID == w.userID
		if own && c.Seq > w.told.seq {
			w.cause = &models.Change{Kind: c.Kind, EntityID: c.EntityID}
		}
		moved = moved || own || c.Kind == models.SettingsChanged
	}
	w.soon.touch()
	if moved {
		w.touchBoards()
	}
	return len(page)
}

// tellAll reads how the user stands and tells all of the user's sockets what has
// moved.
func (w *watcher) tellAll() (again time.Duration) {
	w.hub.errands.run(func(ctx context.Context) {
		user, err := w.hub.opts.Reader.UserByID(ctx, w.userID)
		switch {
		case err == nil:
			w.broadcast(standingOf(&user))
		case models.KindOf(err) != models.NotFound && ctx.Err() == nil: // an account that is gone has no state
			w.hub.logTrouble(w.userID, err)
			again = tellAgain
		}
	})
	return again
}

func (w *watcher) broadcast(now standing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, cause := w.told, w.cause
	w.told, w.cause = now, nil
	sameCurrency := before.balance.Currency == now.balance.Currency
	if cause != nil || !sameCurrency {
		var delta models.Sum // of nothing else
		if sameCurrency {
			delta = now.balance.Balance().Minus(before.balance.Balance())
		}
		w.hub.tellUser(w.userID, w.hub.balancePacket(now, delta, cause))
	}
	if before.unread != now.unread {
		w.hub.tellUser(w.userID, countPacket(now))
	}
}

func (h *Hub) balancePacket(s standing, delta models.Sum, cause *models.Change) *socketio.Packet {
	return mustEncode(balanceEvent, wire.NewBalanceChange(s.balance, h.opts.Rates, delta, cause))
}

func countPacket(s standing) *socketio.Packet {
	return mustEncode(countEvent, wire.Count{Count: s.unread})
}
