package wire

import (
	"encoding/json"
	"strings"

	"expenseflow/models"
)

// An Event is one of the events that announce a change. Its payload is shared
// with the others of the change and must not be altered.
type Event struct {
	Name    string
	Payload json.RawMessage
	// Part tells the events of one change apart, so that a client which heard one
	// of them is told the others and no other. The numbers are for good: clients
	// send them back.
	Part int
}

// The parts of a change (docs/contract.md#recovery).
const (
	Underscore = 0  // expense_created
	Colon      = 1  // expense:created
	Whole      = -1 // the change makes one event
)

// Events gives the events that announce c, in the order of their parts: of an
// expense's, both spellings with the document, or {id, _id} of a deleted one, and
// the author's device where it is known (docs/contract.md#d22 and docs/contract.md#live-features); of others one, or
// none if they are silent.
func Events(c *models.Change) []Event {
	if !c.Kind.OfExpense() {
		return whole(c)
	}
	b := make([]byte, 0, 512)
	if c.Kind == models.ExpenseDeleted {
		b = appendDeleted(b, c.EntityID)
	} else {
		b = appendOpenExpense(b, &c.Expense)
	}
	b = append(appendSet(b, `,"deviceId":`, c.Author.DeviceID), '}')
	return []Event{
		{Name: string(c.Kind), Payload: b, Part: Underscore},
		{Name: colon(c.Kind), Payload: b, Part: Colon},
	}
}

// whole gives the one event of a change of anything else, none of a silent one.
func whole(c *models.Change) []Event {
	doc := announced(c)
	if doc == nil {
		return nil
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil // data that is not JSON, which nobody can have stored
	}
	name := colon(c.Kind)
	switch c.Kind {
	case models.NotificationCreated:
		name = "notification"
	case models.ShareChanged:
		name = "expense:shared"
	case models.SettingsChanged:
		name = "account:settings"
	}
	return []Event{{Name: name, Payload: b, Part: Whole}}
}

// colon is the second seed's spelling of a kind: expense:created.
func colon(k models.ChangeKind) string { return strings.Replace(string(k), "_", ":", 1) }

// BatchEvent announces many changes of one author at once, to clients that ask
// for it (docs/contract.md#live-features).
const BatchEvent = "expenses:batch"

// Batch gives the payload of BatchEvent: {created, updated, deleted, deviceId?}
// with each expense once and as it is in the end. What was created and changed is
// under created; what was deleted is under deleted alone, also if it was created
// here, for a list that was read meanwhile may have it.
func Batch(cs []models.Change) json.RawMessage {
	changed, deleted := outcome(cs)
	fresh := make(map[string]bool, len(cs))
	for i := range cs {
		fresh[cs[i].EntityID] = fresh[cs[i].EntityID] || cs[i].Kind == models.ExpenseCreated
	}
	var created, updated []*models.Change
	for _, c := range changed {
		if fresh[c.EntityID] {
			created = append(created, c)
		} else {
			updated = append(updated, c)
		}
	}
	document := func(b []byte, c *models.Change) []byte { return AppendExpense(b, &c.Expense) }
	b := appendAll([]byte(`{"created":[`), created, document)
	b = appendAll(append(b, `],"updated":[`...), updated, document)
	b = appendAll(append(b, `],"deleted":[`...), deleted, func(b []byte, c *models.Change) []byte {
		return append(appendDeleted(b, c.EntityID), '}')
	})
	return append(appendSet(append(b, ']'), `,"deviceId":`, cs[0].Author.DeviceID), '}')
}
