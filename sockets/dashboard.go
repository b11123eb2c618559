package sockets

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// dashboardEvent carries a dashboard: at once after dashboard:subscribe, and then
// whenever it has changed (docs/contract.md#dashboard).
const dashboardEvent = "dashboard:update"

// dashboardWaits is how long a dashboard waits for more changes before it is read again.
var dashboardWaits = debounceWaits{quiet: 250 * time.Millisecond, most: time.Second}

// dashboardMaxAge is how long a dashboard that did not change is sent to further subscribers
// without being read again.
const dashboardMaxAge = time.Second

// A dayRange is the days of a dashboard, both included. The zero DayRef leaves a bound
// to the store (store.Dashboard).
type dayRange struct{ from, to models.DayRef }

// A dashboardReader is what all dashboards are read with.
type dashboardReader struct {
	reader reader
	rates  *models.Rates
	tasks  *taskGroup
	log    *slog.Logger
	most   int // Options.MaxDashboards
}

// errDashboardLimit refuses a dashboard beyond Options.MaxDashboards.
var errDashboardLimit = &models.Error{
	Kind: models.Conflict, Code: codeDashboardLimit, Setting: "MAX_DASHBOARDS_PER_USER",
	Msg: "Your other pages watch as many different dashboards as there may be, close one of them first",
}

// dashboards are the dashboards of one user that sessions are subscribed to. A session
// has one subscription. Its methods may be called concurrently.
type dashboards struct {
	*dashboardReader
	userID string

	mu      sync.Mutex
	byRange map[dayRange]*dashboardSubscription
}

// A dashboardSubscription is one dashboard with all sessions that asked for the same
// days: they share its query and its encoding.
type dashboardSubscription struct {
	of       *dashboards
	days     dayRange
	update   debounce
	stale    atomic.Bool           // the log has grown since the dashboard was read
	sessions map[*session]struct{} // guarded by dashboards.mu

	reading sync.Mutex // held while it is read: others wait for the result
	last    atomic.Pointer[dashboard]
}

// A dashboard is the encoded result of one query.
type dashboard struct {
	readAt time.Time
	doc    json.RawMessage
	packet *socketio.Packet
}

// show subscribes a session to a dashboard, sends it and returns it. The error is
// socketio.ErrDisconnected if the session is over, and errDashboardLimit.
func (ds *dashboards) show(ctx context.Context, s *session, days dayRange) (*dashboard, error) {
	sub, err := ds.subscribe(s, days)
	if err != nil {
		return nil, err
	}
	d, err := sub.read(ctx)
	if err != nil {
		ds.unsubscribe(s)
		return nil, err
	}
	s.sendState(d.packet)
	return d, nil
}

// subscribe moves a session to the dashboard of these days. On an error it has none.
func (ds *dashboards) subscribe(s *session, days dayRange) (*dashboardSubscription, error) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	ds.remove(s)
	if s.life.over() {
		return nil, socketio.ErrDisconnected
	}
	sub := ds.byRange[days]
	if sub == nil && ds.most > 0 && len(ds.byRange) >= ds.most {
		return nil, errDashboardLimit
	}
	if sub == nil {
		sub = &dashboardSubscription{of: ds, days: days, sessions: make(map[*session]struct{}, 1)}
		sub.update = debounce{waits: &dashboardWaits, do: sub.refresh}
		if ds.byRange == nil {
			ds.byRange = make(map[dayRange]*dashboardSubscription, 1)
		}
		ds.byRange[days] = sub
	}
	sub.sessions[s] = struct{}{}
	s.dashboard = sub
	return sub, nil
}

func (ds *dashboards) unsubscribe(s *session) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	ds.remove(s)
}

// remove ends a session's subscription, and drops a dashboard without sessions. The
// caller must hold mu.
func (ds *dashboards) remove(s *session) {
	sub := s.dashboard
	if sub == nil {
		return
	}
	s.dashboard = nil
	delete(sub.sessions, s)
	if len(sub.sessions) == 0 {
		sub.update.stop()
		delete(ds.byRange, sub.days)
	}
}

// invalidate says that an expense or a setting of the user has changed.
func (ds *dashboards) invalidate() {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for _, sub := range ds.byRange {
		sub.stale.Store(true)
		sub.update.trigger()
	}
}

// resync sends a session its dashboard again, as it was last read. It does not block.
func (ds *dashboards) resync(s *session) {
	ds.mu.Lock()
	sub := s.dashboard
	ds.mu.Unlock()
	if sub == nil {
		return
	}
	if last := sub.last.Load(); last != nil {
		s.sendState(last.packet)
	}
}

// read returns the dashboard: the last one if it is new enough and nothing has changed
// since, or else a new one. What changes afterwards comes as an update.
func (sub *dashboardSubscription) read(ctx context.Context) (*dashboard, error) {
	sub.reading.Lock()
	defer sub.reading.Unlock()
	if last := sub.last.Load(); last != nil && time.Since(last.readAt) < dashboardMaxAge && !sub.stale.Load() {
		return last, nil
	}
	sub.stale.Store(false) // before the query: a change that comes during it may not be in it
	d, err := sub.query(ctx)
	if err != nil {
		sub.stale.Store(true)
		return nil, err
	}
	sub.last.Store(d)
	return d, nil
}

func (sub *dashboardSubscription) query(ctx context.Context) (*dashboard, error) {
	d, err := sub.of.reader.Dashboard(ctx, sub.of.userID, sub.days.from, sub.days.to)
	if err != nil {
		return nil, fmt.Errorf("read a dashboard: %w", err)
	}
	doc, err := json.Marshal(wire.NewDashboard(d, sub.of.rates))
	if err != nil {
		return nil, fmt.Errorf("encode a dashboard: %w", err)
	}
	return &dashboard{time.Now(), doc, mustEncode(dashboardEvent, json.RawMessage(doc))}, nil
}

// refresh reads the dashboard and sends it to its sessions.
func (sub *dashboardSubscription) refresh() (retry time.Duration) {
	sub.of.tasks.run(func(ctx context.Context) {
		d, err := sub.read(ctx)
		if err != nil {
			if models.KindOf(err) != models.NotFound && ctx.Err() == nil {
				logStateError(sub.of.log, sub.of.userID, err)
				retry = stateRetry
			}
			return
		}
		for _, s := range sub.all() {
			s.sendState(d.packet)
		}
	})
	return retry
}

func (sub *dashboardSubscription) all() []*session {
	sub.of.mu.Lock()
	defer sub.of.mu.Unlock()
	return slices.Collect(maps.Keys(sub.sessions))
}
