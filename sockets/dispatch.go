package sockets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"expenseflow/internal/failure"
	"expenseflow/internal/socketio"
	"expenseflow/internal/trace"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A request is what the first frontends send, with the event that answers it. Whoever
// asks for an acknowledgement gets {ok:true} or {ok:false, error, code, requestId} besides
// (docs/contract.md#live-events).
type request struct {
	do   func(context.Context, *session, *socketio.Event) (any, error)
	ok   string // event that carries do's result, unless that is nil
	fail string // event that carries {"error": message}
}

// A command is an event with one object, and an acknowledgement if the client likes. It
// is answered {ok:true, ...}, or {ok:false, error, code, requestId} and error:event besides
// (docs/contract.md#commands).
type command struct {
	do       func(context.Context, *session, json.RawMessage) (receipt, error)
	optional bool // the object may be left out, or be null
	roomName bool // the bare name of a room stands for {room}
}

// A receipt is the answer to an acknowledgement.
type receipt struct {
	OK        bool               `json:"ok"`
	Expense   json.RawMessage    `json:"expense,omitempty"`
	Dashboard json.RawMessage    `json:"dashboard,omitempty"`
	Room      string             `json:"room,omitempty"`
	Members   []wire.Participant `json:"members,omitempty"`
	Presence  *wire.Presence     `json:"presence,omitempty"`
	ExpiresAt *wire.Time         `json:"expiresAt,omitempty"`
	*rejection
}

// A rejection says why something was not done.
type rejection struct {
	Error        string `json:"error"`
	Code         string `json:"code"`
	RequestID    string `json:"requestId"`              // names the rejection in the log
	Current      any    `json:"current,omitempty"`      // of a conflict: what is stored
	RetryAfterMs int64  `json:"retryAfterMs,omitempty"` // when to send it again; 0 if the server does not know
}

// rejected returns the answer to an event that failed with err.
func rejected(err error, requestID string) receipt {
	f := wire.NewErrorBody(err)
	why := &rejection{Error: f.Error, Code: wire.Code(err), RequestID: requestID, Current: f.Current}
	var e *models.Error
	if errors.As(err, &e) {
		why.RetryAfterMs = wholeMillis(e.RetryAfter).Milliseconds()
	}
	return receipt{rejection: why}
}

// errorEvent tells a client which event was rejected, whether it asked for an
// acknowledgement or not.
const errorEvent = "error:event"

// A rejectedEvent is the payload of errorEvent.
type rejectedEvent struct {
	Event string `json:"event"`
	*rejection
}

// A dispatcher hands the events of clients to their handlers, within the rate.
type dispatcher struct {
	requests map[string][]request // steps run in order until one fails
	commands map[string]command
	rate     float64 // events per second of one socket; 0 is no limit
	burst    int

	failures *failure.Reporter
	count    func(event, code string)       // Options.CountError
	revoke   func(*session)                 // closes a session whose token is not valid any more
	limited  func()                         // Measures.RateLimited; may be nil
	took     map[string]func(time.Duration) // by event, and of Other; nil if nobody asks
}

// onEvent handles an event. Events of one connection come one at a time, in the order
// of arrival; connections are handled concurrently. Unknown events are ignored, as Node
// does, but they count towards the rate.
func (d *dispatcher) onEvent(ctx context.Context, e *socketio.Event) {
	s, began := sessionOf(e.Socket()), time.Now()
	if took := d.observerOf(e.Name); took != nil {
		defer func() { took(time.Since(began)) }()
	}
	ctx = s.traced(ctx)
	if wait := d.meter(s, began); wait > 0 {
		d.rejectTooMany(ctx, s, e, wait)
	} else if steps, ok := d.requests[e.Name]; ok {
		d.handleRequest(ctx, s, steps, e)
	} else if c, ok := d.commands[e.Name]; ok {
		d.handleCommand(ctx, s, c, e)
	}
}

// meter counts an event of a session and returns how long the client has to wait with
// it; 0 if it is within the rate. A session that sends nothing has no rateMeter.
func (d *dispatcher) meter(s *session, now time.Time) time.Duration {
	if d.rate <= 0 {
		return 0
	}
	if s.meter == nil {
		s.meter = newRateMeter(d.rate, d.burst)
	}
	return s.meter.take(now)
}

// handleRequest answers a request. An answer that does not arrive is not repeated: a
// client that reconnects asks again.
func (d *dispatcher) handleRequest(ctx context.Context, s *session, steps []request, e *socketio.Event) {
	for _, step := range steps {
		out, err := step.do(ctx, s, e)
		if err != nil {
			why := d.reject(ctx, s, e, err)
			_ = s.socket.Emit(step.fail, syncFailure{Error: models.Message(err)})
			_ = e.Ack(why)
			return
		}
		if out != nil {
			_ = s.socket.Emit(step.ok, out)
		}
	}
	_ = e.Ack(receipt{OK: true})
}

func (d *dispatcher) handleCommand(ctx context.Context, s *session, c command, e *socketio.Event) {
	arg, err := c.argument(e)
	if err != nil {
		d.rejectCommand(ctx, s, e, err)
		return
	}
	out, err := c.do(models.WithCredential(ctx, s.token.Load().credential), s, arg)
	if err != nil {
		d.rejectCommand(ctx, s, e, err)
		if models.KindOf(err) == models.Unauthorized { // it was signed out, and the user's log has not said so here yet
			d.revoke(s)
		}
		return
	}
	out.OK = true
	_ = e.Ack(out)
}

// rejectCommand tells the client why a command was not carried out.
func (d *dispatcher) rejectCommand(ctx context.Context, s *session, e *socketio.Event, err error) {
	why := d.reject(ctx, s, e, err)
	_ = s.socket.Emit(errorEvent, rejectedEvent{e.Name, why.rejection})
	_ = e.Ack(why)
}

// rejectTooMany rejects an event that is over the rate. A client that goes on all the
// same is disconnected for good: it would go on after a reconnection.
func (d *dispatcher) rejectTooMany(ctx context.Context, s *session, e *socketio.Event, wait time.Duration) {
	d.rejectCommand(ctx, s, e, &models.Error{
		Kind: models.TooMany, Code: codeRateLimited, Msg: "Too many events", RetryAfter: wholeMillis(wait), Setting: settingSocketRate,
	})
	if d.limited != nil {
		d.limited()
	}
	if s.meter.abused() {
		d.failures.Refused(ctx, "socket floods and is closed", codeRateLimited, settingSocketRate, slog.String("user_id", s.userID))
		s.socket.Disconnect(true)
	}
}

// settingSocketRate decides how many events a socket may send; codeRateLimited refuses more.
const (
	settingSocketRate = "SOCKET_RATE"
	codeRateLimited   = "RATE_LIMITED"
)

// reject counts a failed event, writes its line of the log, and returns its answer, which
// has the id of that line.
func (d *dispatcher) reject(ctx context.Context, s *session, e *socketio.Event, err error) receipt {
	name, id := d.known(e.Name), trace.From(ctx)
	id.RequestID = trace.NewID()
	why := rejected(err, id.RequestID)
	d.count(name, why.Code)
	d.failures.Report(trace.With(ctx, id), "socket event failed", why.Code, err,
		slog.String("event", name), slog.String("user_id", s.userID))
	return why
}

// known returns the name of an event, "other" if there is none of this name: clients could
// write into the log by it.
func (d *dispatcher) known(name string) string {
	_, request := d.requests[name]
	if _, command := d.commands[name]; command || request {
		return name
	}
	return "other"
}

// argument returns the one object of a command. An acknowledgement that is no function
// arrives as a further argument.
func (c *command) argument(e *socketio.Event) (json.RawMessage, error) {
	if c.optional && (len(e.Args) == 0 || len(e.Args) == 1 && string(e.Args[0]) == "null") {
		return nil, nil
	}
	switch {
	case len(e.Args) == 0:
		return nil, models.E(models.Invalid, `"`+e.Name+`" needs an object`)
	case len(e.Args) > 1:
		return nil, models.E(models.Invalid, `"`+e.Name+`" takes one object, and a function for the answer`)
	case c.roomName && len(e.Attachments) == 0 && bytes.HasPrefix(e.Args[0], []byte(`"`)):
		return slices.Concat([]byte(`{"room":`), e.Args[0], []byte("}")), nil
	case len(e.Attachments) > 0, !bytes.HasPrefix(e.Args[0], []byte("{")):
		return nil, models.E(models.Invalid, `"value" must be of type object`)
	}
	return e.Args[0], nil
}
