package sockets

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A book is what commands change; *ledger.Ledger is one.
type book interface {
	CreateExpense(ctx context.Context, userID string, c ledger.Creation) (models.Expense, error)
	UpdateExpense(ctx context.Context, userID, id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error)
	DeleteExpense(ctx context.Context, userID, id string, by models.Author) (models.Expense, error)
	// NameZone ignores what is no zone's name, and accounts that have a zone.
	NameZone(ctx context.Context, userID, name string, by models.Author) error
	// RightTo gives models.NotFound for who may nothing.
	RightTo(ctx context.Context, userID, expenseID string) (models.Right, error)
	Comment(ctx context.Context, userID, expenseID, text string) (models.Activity, error)
	// Audience is who has an expense; models.NotFound for who does not.
	Audience(ctx context.Context, userID, expenseID string) ([]string, error)
}

// A command is what the second seed's pages may say: an event with one object,
// and with an acknowledgement if they like. It is answered {ok:true, ...}, or
// {ok:false, error, code} and error:event besides (docs/contract.md#live-features).
type command struct {
	do   func(*session, context.Context, json.RawMessage) (receipt, error)
	bare bool // the object may be left out, or be null
	room bool // the bare name of a room stands for {room}
}

var commands = map[string]command{
	"expense:create": {do: (*session).createExpense},
	"expense:update": {do: (*session).updateExpense},
	"expense:delete": {do: (*session).deleteExpense},

	"dashboard:subscribe":   {do: (*session).subscribeDashboard, bare: true},
	"dashboard:unsubscribe": {do: (*session).unsubscribeDashboard, bare: true},

	"room:join":     {do: (*session).joinRoom, room: true},
	"room:leave":    {do: (*session).leaveRoom, room: true},
	"room:activity": {do: (*session).sayActivity},
	"presence:list": {do: (*session).listPresence, bare: true, room: true},
}

// errorEvent tells a page what came to nothing, whether it asked for an
// acknowledgement or not.
const errorEvent = "error:event"

// A failure is the payload of errorEvent.
type failure struct {
	Event string `json:"event"`
	*refusal
}

// obey carries a command out.
func (s *session) obey(ctx context.Context, c command, e *socketio.Event) {
	arg, err := c.argument(e)
	if err != nil {
		s.deny(e, failed(err))
		return
	}
	out, err := c.do(s, models.WithCredential(ctx, s.token), arg)
	if err != nil {
		s.complain(ctx, e, err)
		s.deny(e, failed(err))
		s.endIfRefused(err)
		return
	}
	out.OK = true
	_ = e.Ack(out)
}

// endIfRefused closes the socket of a token that was found to have ended before the
// user's log said so here.
func (s *session) endIfRefused(err error) {
	if models.KindOf(err) == models.Unauthorized {
		s.out.Store(true)
		go s.hub.errands.run(func(context.Context) { s.socket.Disconnect(true) })
	}
}

// deny says why a command was not carried out.
func (s *session) deny(e *socketio.Event, why receipt) {
	_ = s.socket.Emit(errorEvent, failure{e.Name, why.refusal})
	_ = e.Ack(why)
}

// argument is the one object of a command. An acknowledgement that is no function
// arrives as a further argument.
func (c *command) argument(e *socketio.Event) (json.RawMessage, error) {
	if c.bare && (len(e.Args) == 0 || len(e.Args) == 1 && string(e.Args[0]) == "null") {
		return nil, nil
	}
	switch {
	case len(e.Args) == 0:
		return nil, models.E(models.Invalid, `"`+e.Name+`" needs an object`)
	case len(e.Args) > 1:
		return nil, models.E(models.Invalid, `"`+e.Name+`" takes one object, and a function for the answer`)
	case c.room && len(e.Attachments) == 0 && bytes.HasPrefix(e.Args[0], []byte(`"`)):
		return slices.Concat([]byte(`{"room":`), e.Args[0], []byte("}")), nil
	case len(e.Attachments) > 0, !bytes.HasPrefix(e.Args[0], []byte("{")):
		return nil, models.E(models.Invalid, `"value" must be of type object`)
	}
	return e.Args[0], nil
}

// createExpense handles expense:create {description, amount, category, type?,
// date?, deviceId?, clientId?}. A clientId makes its repetition harmless.
func (s *session) createExpense(ctx context.Context, arg json.RawMessage) (receipt, error) {
	draft, meta, err := wire.ParseCommandDraft(arg)
	if err != nil {
		return receipt{}, err
	}
	return stored(s.hub.opts.Book.CreateExpense(ctx, s.userID,
		ledger.Creation{Draft: draft, Author: s.author(meta), ClientID: meta.ClientID}))
}

// updateExpense handles expense:update {id, version?, deviceId?, and the fields
// that change}.
func (s *session) updateExpense(ctx context.Context, arg json.RawMessage) (receipt, error) {
	patch, meta, err := wire.ParseCommandPatch(arg)
	if err != nil {
		return receipt{}, err
	}
	if meta.ID == "" {
		return receipt{}, errNoID
	}
	return stored(s.hub.opts.Book.UpdateExpense(ctx, s.userID, meta.ID, meta.Version, patch, s.author(meta)))
}

// deleteExpense handles expense:delete {id, deviceId?}.
func (s *session) deleteExpense(ctx context.Context, arg json.RawMessage) (receipt, error) {
	meta, err := wire.ParseMeta(arg)
	if err != nil {
		return receipt{}, err
	}
	if meta.ID == "" {
		return receipt{}, errNoID
	}
	return stored(s.hub.opts.Book.DeleteExpense(ctx, s.userID, meta.ID, s.author(meta)))
}

var errNoID = models.E(models.Invalid, `"id" is required`)

// stored answers with the expense as it is now, or was last.
func stored(e models.Expense, err error) (receipt, error) {
	return receipt{Expense: wire.AppendExpense(nil, &e)}, err
}

// author is who gave a command: the device that it names, else the one that the
// socket named when it connected.
func (s *session) author(m wire.Meta) models.Author {
	by := models.Author{DeviceID: m.DeviceID, TokenID: s.tokenID, TokenIssued: s.issued, Browser: s.browser}
	if by.DeviceID == "" {
		by.DeviceID = s.hello.DeviceID
	}
	return by
}
