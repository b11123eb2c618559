package wire

import (
	"encoding/json"
	"slices"
	"strings"

	"expenseflow/models"
)

// roomPrefix is the prefix of a room's name (docs/contract.md#live-features).
const roomPrefix = "expense:"

// Room returns the name of an expense's room.
func Room(expenseID string) string { return roomPrefix + expenseID }

// RoomOf returns the id of the expense that a room is for; false for an invalid name.
func RoomOf(room string) (expenseID string, ok bool) {
	id, ok := strings.CutPrefix(room, roomPrefix)
	return id, ok && models.IsID(id)
}

// A Participant is a device in a room. DeviceID is sent to the user's own devices only; others
// see just the person.
type Participant struct {
	Room     string `json:"room,omitempty"` // absent in the list of a room
	User     Person `json:"user"`
	DeviceID string `json:"deviceId,omitempty"`
}

// A RoomActivity is an activity in a room (docs/contract.md#live-features). Data is what
// a client sent, or {text} of a comment. It is plain text, never markup.
type RoomActivity struct {
	Room string          `json:"room"`
	Type string          `json:"type"`
	User Person          `json:"user"`
	Data json.RawMessage `json:"data"`
	At   Time            `json:"at"`
}

// NewRoomActivity returns the document of an activity from the ledger.
func NewRoomActivity(a models.Activity) RoomActivity {
	data := json.RawMessage("{}")
	if a.Type == models.ActivityComment {
		data, _ = json.Marshal(ActivityData{a.Text}) // a text always marshals
	}
	return RoomActivity{Room(a.ExpenseID), a.Type, Person{a.UserID, a.UserName}, data, Time(a.At)}
}

// ParseRoom parses {room}, the argument of room:join, room:leave and presence:list, and
// returns the expense's id. If it is not needed and absent, the id is "". The error is
// models.Invalid.
func ParseRoom(arg json.RawMessage, needed bool) (expenseID string, err error) {
	o, err := readObject(arg)
	if err != nil {
		return "", err
	}
	return readRoom(o, needed)
}

func readRoom(o object, needed bool) (string, error) {
	if typeOf(o["room"]) == absent && !needed {
		return "", nil
	}
	if vs := requireText(o, "room"); vs != nil {
		return "", joiError(vs)
	}
	id, ok := RoomOf(stringOf(o["room"]))
	if !ok {
		return "", invalid(`"room" must be expense: and the id of an expense`)
	}
	return id, nil
}

// clientActivities lists the types of activity that clients may send.
var clientActivities = []string{models.ActivityComment, models.ActivityTyping}

// MaxTypingBytes is the maximum size of the data of typing in bytes. It is small because the
// data is sent to everybody in the room.
const MaxTypingBytes = 256

// An ActivityCommand is the argument of room:activity.
type ActivityCommand struct {
	ExpenseID string
	Type      string
	Text      string          // of a comment
	Data      json.RawMessage // of anything else
}

// ParseActivity parses {room, type, data}, the argument of room:activity. The data of a
// comment is its text or {text}. The error is models.Invalid.
func ParseActivity(arg json.RawMessage) (ActivityCommand, error) {
	o, err := readObject(arg)
	if err != nil {
		return ActivityCommand{}, err
	}
	id, err := readRoom(o, true)
	if err != nil {
		return ActivityCommand{}, err
	}
	a := ActivityCommand{ExpenseID: id, Type: stringOf(o["type"]), Data: o["data"]}
	switch {
	case !slices.Contains(clientActivities, a.Type):
		return a, invalid(`"type" must be one of [` + strings.Join(clientActivities, ", ") + `]`)
	case a.Type == models.ActivityComment:
		a.Text, err = commentText(a.Data) // the ledger checks its length
	case len(a.Data) > MaxTypingBytes:
		return a, joiError([]models.Violation{{Field: "data", Rule: models.RuleTooBig, Limit: MaxTypingBytes}})
	case typeOf(a.Data) != objectType:
		a.Data = json.RawMessage("{}")
	}
	return a, err
}

func commentText(data json.RawMessage) (string, error) {
	if typeOf(data) != objectType {
		if vs := requireText(object{"data": data}, "data"); vs != nil {
			return "", joiError(vs)
		}
		return stringOf(data), nil
	}
	o, err := readObject(data)
	if err != nil {
		return "", err
	}
	return stringOf(o["text"]), joiError(requireText(o, "text"))
}
