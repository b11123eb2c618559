package wire

import (
	"encoding/json"
	"strings"

	"expenseflow/models"
)

// deltaConflict is the original's text (docs/contract.md#documents).
const deltaConflict = "Conflict detected: Server has a newer version"

// ParseDelta reads the body of POST /api/sync/delta. It refuses only a body
// without a list; an entry of another shape has no action that we know. The
// changes share memory with body.
func ParseDelta(body json.RawMessage) ([]models.DeltaChange, error) {
	o, err := readQueue(body)
	if err != nil {
		return nil, err
	}
	raw, err := list(o, "changes")
	if err != nil {
		return nil, invalid("Invalid changes format")
	}
	changes := make([]models.DeltaChange, len(raw))
	for i := range raw {
		changes[i] = readChange(raw[i])
	}
	return changes, nil
}

func readChange(raw json.RawMessage) models.DeltaChange {
	if typeOf(raw) != objectType {
		return models.DeltaChange{}
	}
	o := split(raw)
	c := models.DeltaChange{
		Action: deltaAction(str(o["action"])), ID: str(o["id"]), LocalID: localID(o["localId"]),
		Data: o["data"], Timestamp: readTimestamp(o["timestamp"]),
	}
	if v, ok := readInt(o["version"]); ok {
		c.Version = &v
	}
	return c
}

// deltaAction knows the actions by the small letters that this queue uses.
func deltaAction(s string) models.Action {
	switch a := models.Action(strings.ToUpper(s)); a {
	case models.Create, models.Update, models.Delete:
		return a
	}
	return ""
}

// localID gives a queue entry's name, nil if it is neither text nor number.
func localID(raw json.RawMessage) json.RawMessage {
	if t := typeOf(raw); t == text || t == number {
		return raw
	}
	return nil
}

// Delta is the answer to POST /api/sync/delta.
type Delta struct {
	Success   []deltaSuccess    `json:"success"`
	Conflicts []deltaConflicted `json:"conflicts"`
	Errors    []deltaFailure    `json:"errors"`
}

// A deltaSuccess always echoes localId: the browser finds its queue entry by it
// and would otherwise send it for ever.
type deltaSuccess struct {
	Action   string          `json:"action"`
	ID       string          `json:"id"`
	ServerID string          `json:"serverId"`
	LocalID  json.RawMessage `json:"localId,omitempty"`
	Version  int64           `json:"version,omitempty"`
}

type deltaConflicted struct {
	ID            string          `json:"id"`
	LocalID       json.RawMessage `json:"localId,omitempty"`
	ServerVersion int64           `json:"serverVersion"`
	ServerData    Expense         `json:"serverData"`
	Message       string          `json:"message"`
}

type deltaFailure struct {
	ID      string          `json:"id,omitempty"`
	LocalID json.RawMessage `json:"localId,omitempty"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
}

// NewDelta sorts results into the answer's three lists, each in their order.
func NewDelta(results []models.DeltaResult) Delta {
	d := Delta{Success: []deltaSuccess{}, Conflicts: []deltaConflicted{}, Errors: []deltaFailure{}}
	for _, r := range results {
		switch c := r.Change; {
		case r.Error != "":
			d.Errors = append(d.Errors, deltaFailure{ID: c.ID, LocalID: c.LocalID, Error: r.Error, Message: r.Error})
		case r.Current != nil:
			d.Conflicts = append(d.Conflicts, newConflicted(r))
		default:
			d.Success = append(d.Success, newSuccess(r))
		}
	}
	return d
}

func newConflicted(r models.DeltaResult) deltaConflicted {
	return deltaConflicted{
		ID: r.Change.ID, LocalID: r.Change.LocalID, ServerVersion: r.Current.Version,
		ServerData: NewExpense(*r.Current), Message: deltaConflict,
	}
}

// newSuccess names the expense as the browser did, and by the server's id.
func newSuccess(r models.DeltaResult) deltaSuccess {
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

// Name gives a localId as a text: itself, or a number's digits.
func Name(localID json.RawMessage) string {
	if typeOf(localID) == text {
		return str(localID)
	}
	return string(localID)
}
