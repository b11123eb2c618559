package sockets

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// dashboardEvent carries a dashboard, at once after dashboard:subscribe and then
// whenever it has moved (docs/contract.md#live-features).
const dashboardEvent = "dashboard:update"

// How long a dashboard waits for more changes before it is told anew, and how long
// one that nothing has moved serves newcomers.
const (
	boardQuiet = 250 * time.Millisecond
	boardMost  = time.Second
	boardAge   = time.Second
)

// days are what a dashboard is of, both included; one that is not named is left to
// the store (store.Dashboard).
type days struct{ from, to models.DayRef }

// A board is one dashboard of one user, for all sockets that asked for the same
// days: they share its query and its encoding.
type board struct {
	watcher *watcher
	days    days
	soon    debounce
	stale   atomic.Bool           // the log has grown since the last one was read
	readers map[*session]struct{} // guarded by watcher.mu

	mu   sync.Mutex // held while it is read, so that others wait for the result
	last atomic.Pointer[shown]
}

// shown is a dashboard as it was read.
type shown struct {
	at     time.Time
	doc    json.RawMessage
	packet *socketio.Packet
}

// subscribeDashboard handles dashboard:subscribe {from?, to?}: the answer holds
// the dashboard, dashboard:update follows with it and with each that comes after.
// A socket has one subscription, which a further one replaces. A page that comes
// back has it still.
func (s *session) subscribeDashboard(ctx context.Context, arg json.RawMessage) (receipt, error) {
	from, to, err := wire.ParseDashboardSubscribe(arg)
	if err != nil {
		return receipt{}, err
	}
	d := days{from, to}
	if err := s.keepDashboard(d.room()); err != nil {
		return receipt{}, err
	}
	now, err := s.showDashboard(ctx, d)
	if err != nil {
		_ = s.keepDashboard("") // nothing half done: it is not subscribed
		return receipt{}, err
	}
	return receipt{Dashboard: now.doc}, nil
}

// showDashboard subscribes to a dashboard and tells it.
func (s *session) showDashboard(ctx context.Context, d days) (*shown, error) {
	w := s.watcher()
	if w == nil {
		return nil, socketio.ErrDisconnected
	}
	return w.show(ctx, s, d)
}

// show is showDashboard for a session that had this watcher a moment ago.
func (w *watcher) show(ctx context.Context, s *session, d days) (*shown, error) {
	b := w.subscribe(s, d)
	if s.watcher() == nil { // it ended meanwhile, and nobody would end the subscription
		w.unsubscribe(s)
		return nil, socketio.ErrDisconnected
	}
	now, err := b.read(ctx)
	if err != nil {
		w.unsubscribe(s)
		return nil, err
	}
	s.tell(now.packet)
	return now, nil
}

// dashboardRoom begins the name under which a subscription is kept for a page that
// comes back: it is one of the rooms that its socket is in, and nobody else's.
const dashboardRoom = "dashboard:"

func (d days) room() string { return dashboardRoom + dayText(d.from) + "/" + dayText(d.to) }

func dayText(r models.DayRef) string {
	switch {
	case r.IsZero():
		return ""
	case r.Bare:
		return r.Day.String()
	}
	return r.At.Format(time.RFC3339Nano)
}

// dayOf reads what dayText wrote.
func dayOf(text string) (models.DayRef, bool) {
	if text == "" {
		return models.DayRef{}, true
	}
	if d, ok := models.ParseDay(text); ok {
		return models.OnDay(d), true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return models.DayRef{At: at.UTC()}, err == nil
}

// daysOf reads what room wrote.
func daysOf(room string) (days, bool) {
	text, ok := strings.CutPrefix(room, dashboardRoom)
	from, to, _ := strings.Cut(text, "/")
	first, okFirst := dayOf(from)
	last, okLast := dayOf(to)
	return days{first, last}, ok && okFirst && okLast
}

// keepDashboard has the socket be in this one of its dashboard rooms, none if it is "".
func (s *session) keepDashboard(room string) error {
	for _, name := range s.socket.Rooms() {
		if strings.HasPrefix(name, dashboardRoom) && name != room {
			if err := s.socket.Leave(name); err != nil {
				return err
			}
		}
	}
	if room == "" {
		return nil
	}
	return s.socket.Join(room)
}

// unsubscribeDashboard handles dashboard:unsubscribe. Without a subscription it
// does nothing.
func (s *session) unsubscribeDashboard(context.Context, json.RawMessage) (receipt, error) {
	if w := s.watcher(); w != nil {
		w.unsubscribe(s)
	}
	return receipt{}, s.keepDashboard("")
}

// subscribe has a session hear of the dashboard of these days, and of no other.
func (w *watcher) subscribe(s *session, d days) *board {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave(s)
	b := w.boards[d]
	if b == nil {
		b = &board{watcher: w, days: d, readers: make(map[*session]struct{}, 1)}
		b.soon = debounce{quiet: boardQuiet, most: boardMost, do: b.tellAll}
		if w.boards == nil {
			w.boards = make(map[days]*board, 1)
		}
		w.boards[d] = b
	}
	b.readers[s] = struct{}{}
	s.board.Store(b)
	return b
}

func (w *watcher) unsubscribe(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave(s)
}

// leave ends a session's subscription, and a board that nobody reads. w.mu is
// held.
func (w *watcher) leave(s *session) {
	b := s.board.Swap(nil)
	if b == nil {
		return
	}
	delete(b.readers, s)
	if len(b.readers) == 0 {
		b.soon.stop()
		delete(w.boards, b.days)
	}
}

// touchBoards says that an expense has changed. w.mu is held.
func (w *watcher) touchBoards() {
	for _, b := range w.boards {
		b.stale.Store(true)
		b.soon.touch()
	}
}

// read gives the dashboard as it is, which may be one that was read a moment ago
// if nothing has moved since: what moves it later comes as an update.
func (b *board) read(ctx context.Context) (*shown, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.last.Load(); last != nil && time.Since(last.at) < boardAge && !b.stale.Load() {
		return last, nil
	}
	b.stale.Store(false) // before it is read: what comes meanwhile may not be in it
	now, err := b.query(ctx)
	if err != nil {
		b.stale.Store(true)
		return nil, err
	}
	b.last.Store(now)
	return now, nil
}

func (b *board) query(ctx context.Context) (*shown, error) {
	d, err := b.watcher.hub.opts.Reader.Dashboard(ctx, b.watcher.userID, b.days.from, b.days.to)
	if err != nil {
		return nil, fmt.Errorf("read a dashboard: %w", err)
	}
	doc, err := json.Marshal(wire.NewDashboard(d, b.watcher.hub.opts.Rates))
	if err != nil {
		return nil, fmt.Errorf("encode a dashboard: %w", err)
	}
	return &shown{time.Now(), doc, mustEncode(dashboardEvent, json.RawMessage(doc))}, nil
}

// tellAll tells everybody who reads the board what it has become.
func (b *board) tellAll() (again time.Duration) {
	b.watcher.hub.errands.run(func(ctx context.Context) {
		now, err := b.read(ctx)
		if err != nil {
			if models.KindOf(err) != models.NotFound && ctx.Err() == nil {
				b.watcher.hub.logTrouble(b.watcher.userID, err)
				again = tellAgain
			}
			return
		}
		for _, s := range b.all() {
			s.tell(now.packet)
		}
	})
	return again
}

func (b *board) all() []*session {
	b.watcher.mu.Lock()
	defer b.watcher.mu.Unlock()
	return slices.Collect(maps.Keys(b.readers))
}

// remind tells one socket again what it had no room for. It does not wait.
func (b *board) remind(s *session) {
	if last := b.last.Load(); last != nil {
		s.tell(last.packet)
	}
}
