package sockets

import (
	"context"
	"log/slog"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An event is one thing a browser may say, and how it is answered. Whoever asks
// for an acknowledgement gets {ok:true} or {ok:false, error, code} besides
// (CONTRACT 6.2).
type event struct {
	do   func(*session, context.Context, *socketio.Event) (any, error)
	ok   string // event that carries do's result, unless that is nil; "" sends none
	fail string // event that carries {"error": message}; "" only logs
}

// events is the whole inbound vocabulary, with what is done one after the other;
// the first that fails is the last. TestEventsMatchContract holds it against the
// contract. What is not in it is ignored, as Node does.
var events = map[string][]event{
	"sync_request": {
		{do: (*session).pendingSync, ok: "sync_data", fail: "sync_error"},
		{do: (*session).missedChanges, ok: "sync_changes", fail: "sync_error"},
	},
}

// register binds every event to the namespace. Events of one connection run one
// at a time, in arrival order; connections run beside each other.
func (h *Hub) register(nsp *socketio.Namespace) {
	for name, evs := range events {
		nsp.On(name, func(ctx context.Context, e *socketio.Event) {
			sessionOf(e.Socket()).answer(ctx, evs, e)
		})
	}
}

// answer does what a client asked for. Whether the answer arrives is the
// connection's business: a client that has gone asks again.
func (s *session) answer(ctx context.Context, evs []event, e *socketio.Event) {
	for _, ev := range evs {
		out, err := ev.do(s, ctx, e)
		if err != nil {
			s.fail(ctx, ev, e, err)
			return
		}
		if ev.ok != "" && out != nil {
			_ = s.socket.Emit(ev.ok, out)
		}
	}
	_ = e.Ack(receipt{OK: true})
}

// A receipt is the answer to an acknowledgement that was asked for.
type receipt struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Code  string `json:"code,omitempty"`
}

func (s *session) fail(ctx context.Context, ev event, e *socketio.Event, err error) {
	s.hub.log.WarnContext(ctx, "socket event failed",
		slog.String("event", e.Name), slog.String("user_id", s.userID), slog.Any("error", err))
	message := models.Message(err)
	if ev.fail != "" {
		_ = s.socket.Emit(ev.fail, syncFailure{Error: message})
	}
	_ = e.Ack(receipt{Error: message, Code: wire.Code(err)})
}

// pendingSync answers sync_request, whatever its arguments: the operations that
// wait for a person, oldest first.
func (s *session) pendingSync(ctx context.Context, _ *socketio.Event) (any, error) {
	ops, err := s.hub.opts.Queue.Pending(ctx, s.userID)
	if err != nil {
		return nil, err
	}
	return wire.QueuedList(ops), nil
}

// maxMissed bounds how many changes one answer holds, which is made in memory. It
// is more than one transaction appends (reconcile's chunks), so that going on by
// serverTime always gets further.
const maxMissed = 500

// missedChanges answers a sync_request that names a place in the log, or a
// moment, with what was changed and deleted since; others get nothing.
func (s *session) missedChanges(ctx context.Context, e *socketio.Event) (any, error) {
	if len(e.Args) == 0 {
		return nil, nil
	}
	since, asked, err := wire.ParseSyncRequest(e.Args[0])
	if err != nil || !asked {
		return nil, err
	}
	page, err := s.hub.opts.Queue.Missed(ctx, s.userID, &since, maxMissed)
	if err != nil {
		return nil, err
	}
	return wire.SyncChanges(s.userID, &page), nil
}
