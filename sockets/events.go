package sockets

import (
	"context"
	"encoding/json"
	"log/slog"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An event is one thing a browser may say, and how it is answered. Whoever asks
// for an acknowledgement gets {ok:true} or {ok:false, error, code} besides
// (docs/contract.md#live-features).
type event struct {
	do   func(*session, context.Context, *socketio.Event) (any, error)
	ok   string // event that carries do's result, unless that is nil
	fail string // event that carries {"error": message}
}

// events is what the first frontends may say, with what is done one after the
// other; the first that fails is the last. With commands it is the whole inbound
// vocabulary, which TestEventsMatchContract holds against the contract.
var events = map[string][]event{
	"sync_request": {
		{do: (*session).pendingSync, ok: "sync_data", fail: "sync_error"},
		{do: (*session).missedChanges, ok: "sync_changes", fail: "sync_error"},
	},
}

// hear takes what a client says. Events of one connection come one at a time, in
// arrival order; connections run beside each other. What nobody knows is ignored,
// as Node does, but counts.
func (h *Hub) hear(ctx context.Context, e *socketio.Event) {
	s := sessionOf(e.Socket())
	if wait := s.meter.take(h.opts.Rate, h.opts.Burst); wait > 0 {
		s.refuse(ctx, e, wait)
	} else if evs, ok := events[e.Name]; ok {
		s.answer(ctx, evs, e)
	} else if c, ok := commands[e.Name]; ok {
		s.obey(ctx, c, e)
	}
}

// answer does what a client asked for. Whether the answer arrives is the
// connection's business: a client that has gone asks again.
func (s *session) answer(ctx context.Context, evs []event, e *socketio.Event) {
	for _, ev := range evs {
		out, err := ev.do(s, ctx, e)
		if err != nil {
			s.complain(ctx, e, err)
			_ = s.socket.Emit(ev.fail, syncFailure{Error: models.Message(err)})
			_ = e.Ack(failed(err))
			return
		}
		if out != nil {
			_ = s.socket.Emit(ev.ok, out)
		}
	}
	_ = e.Ack(receipt{OK: true})
}

// A receipt is the answer to an acknowledgement that was asked for.
type receipt struct {
	OK        bool            `json:"ok"`
	Expense   json.RawMessage `json:"expense,omitempty"`
	Dashboard json.RawMessage `json:"dashboard,omitempty"`
	Room      string          `json:"room,omitempty"`
	Members   []wire.Guest    `json:"members,omitempty"`
	Presence  *wire.Presence  `json:"presence,omitempty"`
	*refusal
}

// A refusal says why something was not done.
type refusal struct {
	Error        string `json:"error"`
	Code         string `json:"code"`
	Current      any    `json:"current,omitempty"`      // of a conflict: what is stored
	RetryAfterMs int64  `json:"retryAfterMs,omitempty"` // of RATE_LIMITED: when the next one is taken
}

func refused(err error) *refusal {
	f := wire.NewFailure(err)
	return &refusal{Error: f.Error, Code: wire.Code(err), Current: f.Current}
}

func failed(err error) receipt { return receipt{refusal: refused(err)} }

// complain logs that an event came to nothing.
func (s *session) complain(ctx context.Context, e *socketio.Event, err error) {
	s.hub.log.WarnContext(ctx, "socket event failed",
		slog.String("event", e.Name), slog.String("user_id", s.userID), slog.Any("error", err))
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
