package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"expenseflow/models"
)

// roomPrefix begins the name of an expense's room (docs/contract.md#live-features).
const roomPrefix = "expense:"

// Room is the name of an expense's room.
func Room(expenseID string) string { return roomPrefix + expenseID }

// RoomOf gives the expense of a room; false for what is no name of one.
func RoomOf(room string) (expenseID string, ok bool) {
	id, ok := strings.CutPrefix(room, roomPrefix)
	return id, ok && models.ID24(id)
}

// A Guest is a device of a user that is in a room. DeviceID is for the user's own devices
// alone; to others a Guest is the person.
type Guest struct {
	Room     string `json:"room,omitempty"` // absent in a list of a room's members
	User     Person `json:"user"`
	DeviceID string `json:"deviceId,omitempty"`
}

// A RoomActivity is what happens in a room (docs/contract.md#live-features). Data is what a client
// sent, or {text} of a comment; whoever shows it must not take it for markup.
type RoomActivity struct {
	Room string          `json:"room"`
	Type string          `json:"type"`
	User Person          `json:"user"`
	Data json.RawMessage `json:"data"`
	At   Time            `json:"at"`
}

// NewRoomActivity gives the document of something that the ledger tells of.
func NewRoomActivity(a models.Activity) RoomActivity {
	data := json.RawMessage("{}")
	if a.Type == models.ActivityComment {
		data, _ = json.Marshal(ActivityData{a.Text}) // a text always marshals
	}
	return RoomActivity{Room(a.ExpenseID), a.Type, Person{a.UserID, a.UserName}, data, Time(a.At)}
}

// A Presence says which devices of a user are there.
type Presence struct {
	UserID  string    `json:"userId"`
	Online  bool      `json:"online"`
	Devices []Present `json:"devices"` // the one that came first first
}

// A Present is a device that is there.
type Present struct {
	DeviceID    string `json:"deviceId"`
	ConnectedAt Time   `json:"connectedAt"`
	LastSeen    Time   `json:"lastSeen"` // now, or when its last socket went a moment ago
}

// A Device is one of GET /api/devices.
type Device struct {
	DeviceID  string `json:"deviceId"`
	FirstSeen Time   `json:"firstSeen"`
	LastSeen  Time   `json:"lastSeen"`
	Online    bool   `json:"online"`
}

// NewDevice gives the document of a device, which was seen now if it is there.
func NewDevice(d models.Device, online bool) Device {
	seen := d.LastSeen
	if online {
		seen = models.Millis(time.Now())
	}
	return Device{d.ID, Time(d.FirstSeen), Time(seen), online}
}

// ParseRoom reads {room} of room:join, room:leave and presence:list, where it may
// be missing: then the id is "". Errors are models.Invalid.
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
	if vs := notText(o, "room"); vs != nil {
		return "", joiError(vs)
	}
	id, ok := RoomOf(str(o["room"]))
	if !ok {
		return "", invalid(`"room" must be expense: and the id of an expense`)
	}
	return id, nil
}

// The types of activity that a client may send.
var sentActivities = []string{models.ActivityComment, models.ActivityTyping}

// MaxTyping bounds the data of typing in bytes, for it goes to everybody in the room.
const MaxTyping = 256

// An ActivitySent is what a client says in a room.
type ActivitySent struct {
	ExpenseID string
	Type      string
	Text      string          // of a comment
	Data      json.RawMessage // of anything else
}

// ParseActivity reads {room, type, data} of room:activity. A comment's data is its
// text, or {text}. Errors are models.Invalid.
func ParseActivity(arg json.RawMessage) (ActivitySent, error) {
	o, err := readObject(arg)
	if err != nil {
		return ActivitySent{}, err
	}
	id, err := readRoom(o, true)
	if err != nil {
		return ActivitySent{}, err
	}
	a := ActivitySent{ExpenseID: id, Type: str(o["type"]), Data: o["data"]}
	switch {
	case !slices.Contains(sentActivities, a.Type):
		return a, invalid(`"type" must be one of [` + strings.Join(sentActivities, ", ") + `]`)
	case a.Type == models.ActivityComment:
		a.Text, err = commentText(a.Data) // how long it is when it is read, the ledger looks at
	case len(a.Data) > MaxTyping:
		return a, joiError([]models.Violation{{Field: "data", Rule: models.RuleTooBig, Limit: MaxTyping}})
	case typeOf(a.Data) != objectType:
		a.Data = json.RawMessage("{}")
	}
	return a, err
}

func commentText(data json.RawMessage) (string, error) {
	if typeOf(data) != objectType {
		if vs := notText(object{"data": data}, "data"); vs != nil {
			return "", joiError(vs)
		}
		return str(data), nil
	}
	o, err := readObject(data)
	if err != nil {
		return "", err
	}
	return str(o["text"]), joiError(notText(o, "text"))
}
