package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An operation is one thing that a person did on a device.
type operation struct {
	n      int
	u      *user // who did it
	d      *device
	action models.Action
	at     int64 // the device's clock

	// What it is about: a CREATE the name that the device gave; others the expense
	// that change target made, by its id, or one by the device's name for it.
	target int
	id     string // as it is sent
	named  bool   // id is a name of the device's own

	text    string  // what a CREATE describes, or the merchant that an UPDATE sets
	amount  int64   // 0 for unnamed, of an UPDATE
	notes   *string // and the only tag; nil for unnamed, "" for none
	seen    *int64  // the version that it names
	bad     bool    // breaks a rule
	poison  bool    // breaks none, and is refused when it is written
	client  string  // clientId
	moment  int64   // when it is done, by the device's clock; 0 for now
	retried bool    // by a person
	queued  bool    // in a queue of the first frontend
	local   string  // localId of a delta, in JSON
}

func (o *operation) String() string {
	about := o.id
	if !o.named && o.action != models.Create {
		about = fmt.Sprintf("expense %d", o.target)
	}
	s := fmt.Sprintf("op %d: %s of %s by %s", o.n, o.action, about, o.d.name)
	if o.seen != nil {
		s += " seen " + strconv.FormatInt(*o.seen, 10)
	}
	if o.bad {
		s += " bad"
	}
	if o.poison {
		s += " poisonous"
	}
	if o.text != marker(o.n) {
		s += " like " + o.text
	}
	return s
}

// marker is the text of an operation that is like no other, by which its effect is
// known in the log.
func marker(n int) string { return "op " + strconv.Itoa(n) }

// poisonous is a text that no rule forbids and the harness's database does not take.
const poisonous = "poison"

// fields is the operation's data as a page makes it.
func (o *operation) fields() map[string]any {
	f := map[string]any{}
	if o.action == models.Create {
		f["description"], f["category"], f["type"], f["amount"] = o.text, "food", "expense", o.amount
	} else {
		f["merchant"] = o.text
	}
	switch {
	case o.bad:
		f["amount"] = 0
	case o.amount > 0:
		f["amount"] = o.amount
	}
	switch {
	case o.poison:
		f["notes"] = poisonous
	case o.notes != nil:
		f["notes"], f["tags"] = *o.notes, []string{*o.notes}
	}
	if o.client != "" {
		f["clientId"] = o.client
	}
	if o.seen != nil {
		f["version"] = *o.seen
	}
	return f
}

// data is the same in JSON, null of a DELETE.
func (o *operation) data() json.RawMessage {
	if o.action == models.Delete {
		return json.RawMessage("null")
	}
	return encoded(o.fields())
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers
	}
	return b
}

// queued is an entry of the first frontend's queue (docs/contract.md#clients).
type queued struct {
	Action       models.Action   `json:"action"`
	ResourceType string          `json:"resourceType"`
	ResourceID   string          `json:"resourceId"`
	Data         json.RawMessage `json:"data"`
	DeviceID     string          `json:"deviceId"`
	Timestamp    int64           `json:"timestamp"`
}

func batchBody(ops []*operation) []byte {
	entries := make([]queued, len(ops))
	for i, o := range ops {
		entries[i] = queued{o.action, "expense", o.id, o.data(), o.d.id, o.at}
	}
	return encoded(map[string]any{"operations": entries})
}

// deltaEntry is an entry of the last frontend's queue (docs/contract.md#clients).
type deltaEntry struct {
	LocalID   json.RawMessage `json:"localId"`
	ID        string          `json:"id,omitempty"`
	Action    string          `json:"action"`
	Data      json.RawMessage `json:"data,omitempty"`
	Version   *int64          `json:"version,omitempty"`
	Timestamp int64           `json:"timestamp"`
}

var deltaActions = map[models.Action]string{models.Create: "create", models.Update: "update", models.Delete: "delete"}

func deltaBody(ops []*operation) []byte {
	entries := make([]deltaEntry, len(ops))
	for i, o := range ops {
		entries[i] = deltaEntry{LocalID: json.RawMessage(o.local), Action: deltaActions[o.action], Version: o.seen, Timestamp: o.at}
		if o.action != models.Delete {
			entries[i].Data = o.data()
		}
		if o.action != models.Create {
			entries[i].ID = o.id
		}
	}
	return encoded(map[string]any{"changes": entries})
}

// A document is an expense as a browser reads it (docs/contract.md#documents).
type document struct {
	ID          string      `json:"_id"`
	User        string      `json:"user"`
	Description string      `json:"description"`
	Amount      json.Number `json:"amount"`
	Category    string      `json:"category"`
	Type        string      `json:"type"`
	Date        string      `json:"date"`
	Merchant    string      `json:"merchant"`
	Notes       string      `json:"notes"`
	Tags        tags        `json:"tags"`
	CreatedAt   string      `json:"createdAt"`
	UpdatedAt   string      `json:"updatedAt"`
	Version     int64       `json:"version"`
}

// tags are those of a document, joined, so that documents compare with ==.
type tags string

func (t *tags) UnmarshalJSON(b []byte) error {
	var list []string
	err := json.Unmarshal(b, &list)
	*t = tags(models.NewTags(list))
	return err
}

// documentOf is how a browser reads e.
func documentOf(e *models.Expense) document {
	var d document
	if err := json.Unmarshal(wire.AppendExpense(nil, e), &d); err != nil {
		panic(err) // wire made it
	}
	return d
}

// row is the document as the reference knows expenses.
func (d *document) row() row {
	amount, _ := d.Amount.Int64()
	return row{d.Description, amount, d.Notes, d.Tags, d.Merchant, d.Version}
}
