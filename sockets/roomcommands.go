package sockets

import (
	"context"
	"encoding/json"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// codeRoomLimit and codeDashboardLimit are the codes of further rooms and dashboards.
const (
	codeRoomLimit      = "ROOM_LIMIT"
	codeDashboardLimit = "DASHBOARD_LIMIT"
)

// errForbidden answers a command for the room of an expense to which the user has no
// right, whether the expense exists or not.
var errForbidden = &models.Error{Kind: models.Forbidden, Msg: "Forbidden", Code: ledger.CodeForbidden}

// forbiddenIfNotFound is errForbidden for an expense to which the user has no right, or
// had one until a moment ago.
func forbiddenIfNotFound(err error) error {
	if models.KindOf(err) == models.NotFound {
		return errForbidden
	}
	return err
}

// roomCommands handles the commands of rooms and of presence
// (docs/contract.md#presence).
type roomCommands struct {
	rooms    *rooms
	presence func(ctx context.Context, userID string) wire.Presence
	expenses expenseService
	relay    *roomRelay
	most     int // Options.MaxRooms
}

// errRoomLimit refuses a room beyond Options.MaxRooms.
var errRoomLimit = &models.Error{
	Kind: models.Conflict, Code: codeRoomLimit, Setting: "MAX_ROOMS_PER_SOCKET",
	Msg: "This socket is in as many rooms as it may be, leave one first",
}

// join handles room:join {room}, for all who have the expense. The answer has the
// members of the room. A socket that is in Options.MaxRooms joins no other.
func (c *roomCommands) join(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	id, err := wire.ParseRoom(arg, true)
	if err != nil {
		return receipt{}, err
	}
	if c.most > 0 && c.rooms.besides(s, id) >= c.most {
		return receipt{}, errRoomLimit
	}
	members, err := c.enter(ctx, s, id)
	if err != nil {
		return receipt{}, err
	}
	if err := s.socket.Join(wire.Room(id)); err != nil { // so that it is remembered for a recovery
		c.rooms.leave(s, id)
		_ = s.socket.Leave(wire.Room(id))
		return receipt{}, err
	}
	return receipt{Room: wire.Room(id), Members: c.rooms.withElsewhere(ctx, s, id, members)}, nil
}

// enter checks the right of a session's user and adds the session to the room. It
// checks again as long as a right of the user ends meanwhile.
func (c *roomCommands) enter(ctx context.Context, s *session, expenseID string) ([]wire.Participant, error) {
	for {
		j := c.rooms.beginJoin(s.userID, expenseID)
		right, err := c.expenses.RightTo(ctx, s.userID, expenseID)
		if err != nil {
			c.rooms.cancelJoin(j)
			return nil, forbiddenIfNotFound(err)
		}
		if members, ok := c.rooms.join(s, j, right.Seq); ok {
			return members, nil
		}
	}
}

// leave handles room:leave {room}. It does nothing for a room that the socket is not in.
func (c *roomCommands) leave(_ context.Context, s *session, arg json.RawMessage) (receipt, error) {
	id, err := wire.ParseRoom(arg, true)
	if err != nil {
		return receipt{}, err
	}
	c.rooms.leave(s, id)
	return receipt{Room: wire.Room(id)}, s.socket.Leave(wire.Room(id))
}

// forget removes the room from what a recovery of an evicted session restores, unless it
// has joined the room again.
func (c *roomCommands) forget(s *session, expenseID string) {
	if _, again := c.rooms.members(s, expenseID); !again {
		_ = s.socket.Leave(wire.Room(expenseID))
	}
}

// list handles presence:list {room?}: the members of a room, or without a room the
// devices of the user that are present.
func (c *roomCommands) list(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	id, err := wire.ParseRoom(arg, false)
	if err != nil {
		return receipt{}, err
	}
	if id == "" {
		p := c.presence(ctx, s.userID)
		return receipt{Presence: &p}, nil
	}
	members, ok := c.rooms.members(s, id)
	if !ok {
		return receipt{}, errForbidden
	}
	return receipt{Room: wire.Room(id), Members: c.rooms.withElsewhere(ctx, s, id, members)}, nil
}

// activity handles room:activity {room, type, data}, of those who are in the room. A
// comment is stored, and then sent to everybody in the room, its author's devices
// included. Typing is sent to the others, once a second at most.
func (c *roomCommands) activity(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	a, err := wire.ParseActivity(arg)
	if err != nil {
		return receipt{}, err
	}
	if _, ok := c.rooms.members(s, a.ExpenseID); !ok {
		return receipt{}, errForbidden
	}
	if a.Type == models.ActivityTyping {
		return receipt{}, c.typing(ctx, s, a)
	}
	_, err = c.expenses.Comment(ctx, s.userID, a.ExpenseID, a.Text)
	return receipt{}, forbiddenIfNotFound(err)
}

func (c *roomCommands) typing(ctx context.Context, s *session, a wire.ActivityCommand) error {
	now := time.Now()
	if !s.sessionTypingDue(now) {
		return nil
	}
	audience, err := c.expenses.Audience(ctx, s.userID, a.ExpenseID)
	if err != nil {
		return forbiddenIfNotFound(err)
	}
	if m, relay := c.rooms.sendTyping(s, a, audience, now); relay {
		c.relay.send(m)
	}
	return nil
}
