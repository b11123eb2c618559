package models

import (
	"encoding/json"
	"time"
)

// An Action is what a queued operation wants done.
type Action string

// The actions of the offline queue (docs/contract.md#clients).
const (
	Create Action = "CREATE"
	Update Action = "UPDATE"
	Delete Action = "DELETE"
)

// An Operation is one entry of a device's offline queue, structurally sound
// (docs/contract.md#d4) but with data that nobody has checked yet.
type Operation struct {
	Action       Action
	ResourceType string // "expense"
	ResourceID   string // an expense's id, or the device's temporary one
	DeviceID     string
	// Data is as the client sent it, nil for null and absent. Whether it is an
	// object, and a good one, is the business of whoever applies the operation.
	Data json.RawMessage
	// Timestamp is the device's clock in milliseconds since 1970 when it queued
	// the operation; nil if the client named none. It dates offline expenses
	// (docs/contract.md#d15) and is never the arbiter of order.
	Timestamp *int64
}

// A Status says how one operation of a batch ended (docs/contract.md#results).
type Status string

// The statuses of a result.
const (
	StatusCreated   Status = "created"
	StatusUpdated   Status = "updated"
	StatusDeleted   Status = "deleted"
	StatusNotFound  Status = "not_found"
	StatusDuplicate Status = "duplicate"
	StatusParked    Status = "parked"
	StatusRejected  Status = "rejected" // not applied and not kept either; its repetition is judged anew
)

// CodeParkedFull is the code of an operation that was rejected because too many are
// parked already.
const CodeParkedFull = "PARKED_FULL"

// A Result answers one operation, and is what its replay gets again. StatusParked
// and StatusRejected are failures to the client: an operation on an expense that does
// not exist succeeds with StatusNotFound, although an UPDATE is parked as well
// (docs/contract.md#d21).
type Result struct {
	ResourceID string
	Status     Status
	Expense    *Expense // the document after the operation; nil where there is none
	Budget     *Budget  // as Expense, of the creation of a budget
	Current    *Expense // for a conflict: the stored, newer expense
	Error      string   // why it was parked or rejected; "" unless it was
	Code       string   // what a program may know it by, of a rejected one; may be ""
}

// Failed reports whether the client is told that the operation failed.
func (r *Result) Failed() bool { return r.Status == StatusParked || r.Status == StatusRejected }

// Foreign are the places of r's expenses that are another user's, shared with r's.
func (r *Result) Foreign() (places []**Expense) {
	for _, e := range []**Expense{&r.Expense, &r.Current} {
		if *e != nil && (*e).Role != NoRole {
			places = append(places, e)
		}
	}
	return places
}

// An OperationState says where a stored operation stands.
type OperationState string

// The states of a stored operation.
const (
	Applied   OperationState = "applied"
	Parked    OperationState = "parked"    // waits for a person: retry or discard
	Discarded OperationState = "discarded" // a person gave it up; its replay stays parked's answer
)

// A QueuedOperation is an operation as the server keeps it: the SyncQueue row
// of the contract and the idempotency record in one (docs/contract.md#d16, docs/contract.md#d26). It is
// written in the same transaction as the operation's effect.
type QueuedOperation struct {
	ID     string // 24 hex digits
	UserID string
	Operation
	// Key names the operation for replay, sha256 over docs/contract.md#d16's parts;
	// "" for one that cannot be told from its repetition.
	Key       string
	State     OperationState
	Result    Result
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Size is how many bytes of the client's the operation holds.
func (q *QueuedOperation) Size() int64 {
	return int64(len(q.Data) + len(q.ResourceID) + len(q.DeviceID))
}
