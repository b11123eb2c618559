package adminui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"expenseflow/internal/rawjson"
	"expenseflow/internal/socketio"
)

// An order is a command of an admin, as processes tell it to each other.
type order struct {
	Command   string            `json:"command"`
	Namespace string            `json:"nsp"`
	Filter    string            `json:"filter,omitempty"` // a room or the id of a socket; "" is everybody
	Room      string            `json:"room,omitempty"`   // of join and leave
	Event     string            `json:"event,omitempty"`  // of emit
	Args      []json.RawMessage `json:"args,omitempty"`
	Close     bool              `json:"close,omitempty"` // of _disconnect: the connection too
}

// commands are what admins may send, with how each takes its arguments and is carried out.
var commands = map[string]struct {
	parse   func(*order, []json.RawMessage) error
	execute func(*UI, *socketio.Broadcast, order) error
}{
	"emit":        {parseEmit, (*UI).emit},
	"join":        {parseRoom, (*UI).join},
	"leave":       {parseRoom, (*UI).leave},
	"_disconnect": {parseDisconnect, (*UI).disconnect},
}

// The reasons for which a command is not carried out.
var (
	errReadOnly  = errors.New("admins may only look: ADMIN_UI_WRITE is not set")
	errNamespace = errors.New("no such namespace")
	errArguments = errors.New("the arguments are not those of the Admin UI")
	errProtected = errors.New("the server itself decides who is in this room")
	errTooWide   = fmt.Errorf("it concerns more than %d sockets", maxCommand)
	errLarge     = errors.New("it is too large for the other processes")
)

// command carries out or refuses what an admin sent.
func (u *UI) command(ctx context.Context, e *socketio.Event) {
	o, err := u.parse(e)
	if err == nil {
		err = u.execute(o)
	}
	attrs := []slog.Attr{
		slog.String("command", e.Name), slog.String("address", e.Socket().Handshake().RemoteAddr),
		slog.String("filter", o.Filter), slog.String("room", o.Room), slog.String("event", o.Event),
	}
	if err != nil {
		code, setting := codeCommand, ""
		if errors.Is(err, errReadOnly) {
			code, setting = codeReadOnly, settingWrite
		}
		u.opts.Refused(ctx, "an admin's command was refused", code, setting, append(attrs, slog.Any("error", err))...)
		_ = e.Ack(commandReply{Error: err.Error(), Code: code})
		return
	}
	u.log.LogAttrs(ctx, slog.LevelInfo, "an admin's command was carried out", attrs...)
	u.publish(orderHint, o)
	_ = e.Ack(commandReply{OK: true})
}

// A commandReply acknowledges a command. The Admin UI asks for none.
type commandReply struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Code  string `json:"code,omitempty"`
}

// parse returns the order of an event, unless the admin may not give it.
func (u *UI) parse(e *socketio.Event) (order, error) {
	o := order{Command: e.Name}
	if !u.opts.Write {
		return o, errReadOnly
	}
	if len(e.Args) == 0 {
		return o, errArguments
	}
	o.Namespace = rawjson.Text(e.Args[0])
	if err := commands[e.Name].parse(&o, e.Args[1:]); err != nil {
		return o, err
	}
	if b, err := json.Marshal(o); err != nil || len(b) > maxHint && u.opts.Publish != nil {
		return o, errLarge
	}
	return o, nil
}

// execute carries out an order in this process.
func (u *UI) execute(o order) error {
	c, known := commands[o.Command]
	if !known || o.Namespace == u.opts.Namespace {
		return errNamespace
	}
	for _, n := range u.opts.IO.Namespaces() {
		if n.Name() != o.Namespace {
			continue
		}
		if o.Filter == "" {
			return c.execute(u, n.To(), o)
		}
		return c.execute(u, n.To(o.Filter), o)
	}
	return errNamespace
}

// parseEmit parses emit(nsp, filter, event, ...args).
func parseEmit(o *order, args []json.RawMessage) error {
	if len(args) < 2 {
		return errArguments
	}
	o.Event, o.Args = rawjson.Text(args[1]), args[2:]
	if o.Event == "" || len(o.Event) > maxName {
		return errArguments
	}
	return parseFilter(o, args)
}

// parseRoom parses join(nsp, room, filter) and leave(nsp, room, filter).
func parseRoom(o *order, args []json.RawMessage) error {
	if len(args) == 0 {
		return errArguments
	}
	o.Room = rawjson.Text(args[0])
	if o.Room == "" || len(o.Room) > maxName {
		return errArguments
	}
	return parseFilter(o, args[1:])
}

// parseDisconnect parses _disconnect(nsp, close, filter).
func parseDisconnect(o *order, args []json.RawMessage) error {
	if len(args) == 0 {
		return errArguments
	}
	o.Close = string(args[0]) == "true"
	return parseFilter(o, args[1:])
}

// parseFilter parses a filter, which may be left out or null. Any other value would be taken
// for everybody.
func parseFilter(o *order, args []json.RawMessage) error {
	if len(args) == 0 || string(args[0]) == "null" {
		return nil
	}
	o.Filter = rawjson.Text(args[0])
	if o.Filter == "" || len(o.Filter) > maxName {
		return errArguments
	}
	return nil
}

func (u *UI) emit(to *socketio.Broadcast, o order) error {
	p, err := socketio.Encode(o.Namespace, o.Event, rawArgs(o.Args)...)
	if err != nil {
		return err
	}
	for _, s := range to.FetchSockets() {
		s.TrySend(p) // whoever does not read misses it
	}
	return nil
}

func (u *UI) join(to *socketio.Broadcast, o order) error {
	return u.each(to, o, func(s *socketio.Socket) error { return s.Join(o.Room) })
}

func (u *UI) leave(to *socketio.Broadcast, o order) error {
	return u.each(to, o, func(s *socketio.Socket) error { return s.Leave(o.Room) })
}

// each changes the rooms of sockets, which may wait for the application's database.
func (u *UI) each(to *socketio.Broadcast, o order, do func(*socketio.Socket) error) error {
	list := to.FetchSockets()
	switch {
	case u.opts.Protected(o.Room):
		return errProtected
	case len(list) > maxCommand:
		return errTooWide
	}
	var failed error
	for _, s := range list {
		failed = errors.Join(failed, do(s))
	}
	return failed
}

func (u *UI) disconnect(to *socketio.Broadcast, o order) error {
	for _, s := range to.FetchSockets() {
		s.Disconnect(o.Close)
	}
	return nil
}
