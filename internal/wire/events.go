package wire

import (
	"encoding/json"
	"strings"

	"expenseflow/models"
)

// An Event is an event that announces a change. The events of one change share their
// payload, which must not be modified.
type Event struct {
	Name    string
	Payload json.RawMessage
	// Variant identifies the event among those of its change. It is written into offsets,
	// so a client that received one of the events resumes with the next. Clients store
	// offsets, so the numbers never change.
	Variant int
}

// The variants of a change's events (docs/contract.md#recovery).
const (
	UnderscoreVariant = 0  // expense_created
	ColonVariant      = 1  // expense:created
	SingleVariant     = -1 // the change has only one event
)

// Events returns the events that announce c, ordered by variant. A change of an expense
// has two, with the document, or {id, _id} if it was deleted, and the author's device if
// known (docs/contract.md#d22, docs/contract.md#live-features). Other changes have one
// event, silent ones none.
func Events(c *models.Change) []Event {
	if !c.Kind.IsExpense() {
		return singleEvent(c)
	}
	b := make([]byte, 0, 512)
	if c.Kind == models.ExpenseDeleted {
		b = appendDeleted(b, c.EntityID)
	} else {
		b = appendExpenseFields(b, &c.Expense)
	}
	b = append(appendNonEmpty(b, `,"deviceId":`, c.Author.DeviceID), '}')
	return []Event{
		{Name: string(c.Kind), Payload: b, Variant: UnderscoreVariant},
		{Name: colonName(c.Kind), Payload: b, Variant: ColonVariant},
	}
}

// singleEvent returns the event of a change that is not of an expense; none if it is silent.
func singleEvent(c *models.Change) []Event {
	doc := eventPayload(c)
	if doc == nil {
		return nil
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil // invalid JSON in a notification's data, which cannot have been stored
	}
	name := colonName(c.Kind)
	switch c.Kind {
	case models.NotificationCreated:
		name = "notification"
	case models.ShareChanged:
		name = "expense:shared"
	case models.SettingsChanged:
		name = "account:settings"
	}
	return []Event{{Name: name, Payload: b, Variant: SingleVariant}}
}

// colonName returns the event name with a colon: expense:created.
func colonName(k models.ChangeKind) string { return strings.Replace(string(k), "_", ":", 1) }

// BatchEvent announces several changes of one author at once, to clients that declare
// support for it (docs/contract.md#live-features).
const BatchEvent = "expenses:batch"

// BatchPayload returns the payload of BatchEvent: {created, updated, deleted, deviceId?}, with
// the final state of each expense. An expense that was created and then updated is in
// created. One that was deleted is in deleted only, even if it was created in the same
// batch, because a list that the client read meanwhile may contain it.
func BatchPayload(cs []models.Change) json.RawMessage {
	changed, deleted := lastChanges(cs)
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
	return append(appendNonEmpty(append(b, ']'), `,"deviceId":`, cs[0].Author.DeviceID), '}')
}

// A deletedEntity is the payload of an event about a deleted entity.
type deletedEntity struct {
	ID           string `json:"id"`
	UnderscoreID string `json:"_id"`
	DeviceID     string `json:"deviceId,omitempty"`
}

// eventPayload returns the payload of the event of a change that is not of an expense; nil
// for a silent one.
func eventPayload(c *models.Change) any {
	switch c.Kind {
	case models.BudgetCreated, models.BudgetUpdated:
		return struct {
			Budget
			DeviceID string `json:"deviceId,omitempty"`
		}{NewBudget(*c.Budget), c.Author.DeviceID}
	case models.BudgetDeleted:
		return deletedEntity{c.EntityID, c.EntityID, c.Author.DeviceID}
	case models.BudgetAlerted:
		return NewBudgetAlert(c.Alert.State)
	case models.NotificationCreated:
		return NewNotification(*c.Notification)
	case models.InvitationReceived:
		return NewInvitation(*c.Invitation)
	case models.InvitationClosed:
		return invitationClosed{c.EntityID, c.Author.DeviceID}
	case models.PersonBlocked, models.PersonUnblocked:
		return personBlocked{BlockState{Person{c.Person.ID, c.Person.Name}, c.Kind == models.PersonBlocked}, c.Author.DeviceID}
	case models.SettingsChanged:
		return settingsEvent{NewSettings(*c.Settings), c.Author.DeviceID}
	case models.ShareChanged:
		return sharesEvent{NewShares(c.EntityID, c.Shares), c.Author.DeviceID}
	}
	return nil
}

// invitationClosed is the payload of invitation:closed.
type invitationClosed struct {
	ID       string `json:"id"`
	DeviceID string `json:"deviceId,omitempty"`
}

// personBlocked is the payload of person:blocked and person:unblocked.
type personBlocked struct {
	BlockState
	DeviceID string `json:"deviceId,omitempty"`
}
