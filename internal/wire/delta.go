package wire

import (
	"encoding/json"
	"strings"

	"expenseflow/models"
)

// textDeltaConflict is the message of a conflict (docs/contract.md#documents).
const textDeltaConflict = "Conflict detected: Server has a newer version"

// ParseDelta parses the body of POST /api/sync/delta. The only error is a body without a
// list of changes; an entry that is not an object has no Action. The changes share
// memory with body.
func ParseDelta(body json.RawMessage) ([]models.DeltaChange, error) {
	o, err := readUnboundedObject(body)
	if err != nil {
		return nil, err
	}
	raw, err := arrayOf(o, "changes")
	if err != nil {
		return nil, invalid("Invalid changes format")
	}
	changes := make([]models.DeltaChange, len(raw))
	for i := range raw {
		changes[i] = parseDeltaChange(raw[i])
	}
	return changes, nil
}

func parseDeltaChange(raw json.RawMessage) models.DeltaChange {
	if typeOf(raw) != objectType {
		return models.DeltaChange{}
	}
	o := split(raw)
	c := models.DeltaChange{
		Action: deltaAction(stringOf(o["action"])), ID: stringOf(o["id"]), LocalID: localID(o["localId"]),
		Data: o["data"], Timestamp: readTimestamp(o["timestamp"]),
	}
	if v, ok := readInt(o["version"]); ok {
		c.Version = &v
	}
	return c
}

// deltaAction returns the action for its name, which this queue writes in lower case.
func deltaAction(s string) models.Action {
	switch a := models.Action(strings.ToUpper(s)); a {
	case models.Create, models.Update, models.Delete:
		return a
	}
	return ""
}

// localID returns raw if it is a string or a number, else nil.
func localID(raw json.RawMessage) json.RawMessage {
	if t := typeOf(raw); t == text || t == number {
		return raw
	}
	return nil
}

// Delta is the response to POST /api/sync/delta.
type Delta struct {
	Success   []deltaSuccess  `json:"success"`
	Conflicts []deltaConflict `json:"conflicts"`
	Errors    []deltaError    `json:"errors"`
}

// A deltaSuccess echoes localId, by which the browser finds and removes the entry of its
// queue. Without it the browser would send the entry again for ever.
type deltaSuccess struct {
	Action   string          `json:"action"`
	ID       string          `json:"id"`
	ServerID string          `json:"serverId"`
	LocalID  json.RawMessage `json:"localId,omitempty"`
	Version  int64           `json:"version,omitempty"`
}

type deltaConflict struct {
	ID            string          `json:"id"`
	LocalID       json.RawMessage `json:"localId,omitempty"`
	ServerVersion int64           `json:"serverVersion"`
	ServerData    Expense         `json:"serverData"`
	Message       string          `json:"message"`
}

type deltaError struct {
	ID      string          `json:"id,omitempty"`
	LocalID json.RawMessage `json:"localId,omitempty"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
}

// NewDelta distributes results to the three lists of the response, keeping their order.
func NewDelta(results []models.DeltaResult) Delta {
	d := Delta{Success: []deltaSuccess{}, Conflicts: []deltaConflict{}, Errors: []deltaError{}}
	for _, r := range results {
		switch c := r.Change; {
		case r.Error != "":
			d.Errors = append(d.Errors, deltaError{ID: c.ID, LocalID: c.LocalID, Error: r.Error, Message: r.Error})
		case r.Current != nil:
			d.Conflicts = append(d.Conflicts, newDeltaConflict(r))
		default:
			d.Success = append(d.Success, newDeltaSuccess(r))
		}
	}
	return d
}

func newDeltaConflict(r models.DeltaResult) deltaConflict {
	return deltaConflict{
		ID: r.Change.ID, LocalID: r.Change.LocalID, ServerVersion: r.Current.Version,
		ServerData: NewExpense(*r.Current), Message: textDeltaConflict,
	}
}

// newDeltaSuccess returns the entry of a success, with the browser's id and the server's.
func newDeltaSuccess(r models.DeltaResult) deltaSuccess {
	s := deltaSuccess{
		Action: strings.ToLower(string(r.Change.Action)), ID: r.Change.ID,
		ServerID: r.Change.ID, LocalID: r.Change.LocalID,
	}
	if r.Expense != nil {
		s.ServerID, s.Version = r.Expense.ID, r.Expense.Version
	}
	if s.ID == "" {
		s.ID = s.ServerID
	}
	return s
}

// LocalIDText returns a localId as a string: its value, or the digits of a number.
func LocalIDText(localID json.RawMessage) string {
	if typeOf(localID) == text {
		return stringOf(localID)
	}
	return string(localID)
}
