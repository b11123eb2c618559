package app

import (
	"context"
	"os"
	"runtime"
	"time"

	"expenseflow/internal/observe"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
)

// overviewTimeout bounds how long an overview waits for the database and for the other
// processes. What did not answer by then is left out.
const overviewTimeout = 2 * time.Second

// An overviewer makes the answer of GET /api/admin/overview.
type overviewer struct {
	app *App
	io  *socketio.Server
}

// overview returns how this process is doing. It always answers: what cannot be found out
// in time is null.
func (o *overviewer) overview(ctx context.Context) wire.ServerOverview {
	ctx, cancel := context.WithTimeout(ctx, overviewTimeout)
	defer cancel()
	a := o.app
	connected := a.hub.Connections(ctx)
	progress := a.tail.Progress()
	return wire.ServerOverview{
		At: wire.Time(time.Now()), Process: o.process(), Connected: connected, Parked: a.parked(ctx),
		Sockets: o.sockets(progress.Full), Logs: a.logFigures(progress.Logs, progress.Queued),
		Hints: a.hintFigures(), Processes: a.clusterFigures(), Database: a.databaseFigures(),
		AdminUI: a.adminUIFigures(), Errors: lastErrors(a.recentErrors),
	}
}

func (o *overviewer) process() wire.ProcessFigures {
	host, _ := os.Hostname() // "" where it cannot be found out
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return wire.ProcessFigures{
		ID: o.app.cluster.ID(), Version: Version(), Host: host, PID: os.Getpid(), Started: wire.Time(o.app.started),
		Draining: o.app.draining.Load(), Goroutines: runtime.NumGoroutine(), HeapBytes: memory.HeapAlloc,
	}
}

func (o *overviewer) sockets(slow int) wire.SocketFigures {
	engine := o.io.Engine().Stats()
	hub := o.app.hub.Stats()
	return wire.SocketFigures{
		Open: hub.Sockets, Users: hub.Users, Polling: engine.Polling, WebSocket: engine.WebSocket, Slow: slow,
		Opened: engine.Opened, Closed: engine.Closed, ClosedSlow: engine.Slow, PingTimeouts: engine.PingTimeouts,
		Refused: engine.Refused,
	}
}

// parked returns how many operations are parked; nil if the database does not answer.
func (a *App) parked(ctx context.Context) *int64 {
	n, err := a.store.CountParked(ctx)
	if err != nil {
		return nil
	}
	return &n
}

func (a *App) logFigures(followed, queued int) wire.LogFigures {
	tail := a.tail.Stats()
	return wire.LogFigures{
		Epoch: a.stream.Load().Epoch(), Position: a.store.MovesRead(), Followed: followed, Queued: queued,
		Comparisons: tail.Comparisons, ComparisonsFound: tail.Found,
	}
}

func (a *App) hintFigures() *wire.HintFigures {
	if a.remoteHints == nil {
		return nil
	}
	s := a.remoteHints.Stats()
	return &wire.HintFigures{
		Up: s.Up, Senders: s.Senders, Sent: s.Sent, Received: s.Received, Gaps: s.Gaps, Dropped: s.Dropped,
	}
}

func (a *App) clusterFigures() *wire.ClusterFigures {
	if a.cluster == nil {
		return nil
	}
	s := a.cluster.Stats()
	return &wire.ClusterFigures{
		Others: s.Others, Unreachable: s.Unreachable, Forwarded: s.Forwarded, ForwardsFailed: s.Failed,
	}
}

func (a *App) databaseFigures() wire.DatabaseFigures {
	p := a.store.PoolStats()
	return wire.DatabaseFigures{
		Kind: a.store.Dialect(), Max: p.Max, Open: p.Open, InUse: p.InUse, Idle: p.Idle,
		Waits: p.Waits, WaitSeconds: p.Waited.Seconds(),
	}
}

func lastErrors(r *observe.RecentErrors) []wire.RecentlyLogged {
	list := []wire.RecentlyLogged{}
	for _, e := range r.List() {
		list = append(list, wire.RecentlyLogged{At: wire.Time(e.At), Message: e.Message, Attrs: e.Attrs})
	}
	return list
}
