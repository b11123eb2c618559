package models

import (
	"encoding/json"
	"time"
)

// An Action is the kind of a queued operation.
type Action string

// The actions of the offline queue (docs/contract.md#clients).
const (
	Create Action = "CREATE"
	Update Action = "UPDATE"
	Delete Action = "DELETE"
)

// An Operation is one entry of a device's offline queue. Its structure has been checked
// (docs/contract.md#d4), its data has not.
type Operation struct {
	Action       Action
	ResourceType string // "expense"
	ResourceID   string `gorm:"serializer:clientText"` // an expense's id, or a temporary id of the device
	DeviceID     string `gorm:"serializer:clientText"`
	// Data is the JSON that the client sent, nil for null and absent. It need not be an
	// object.
	Data json.RawMessage `gorm:"serializer:raw"`
	// Timestamp is the device's clock in milliseconds since 1970 when it queued the
	// operation; nil if it sent none. It dates offline expenses (docs/contract.md#d15)
	// and never decides the order of changes.
	Timestamp *int64 `gorm:"column:client_time"`
}

// Limits of the parked operations of one user.
const (
	MaxParked      = 1000
	MaxParkedBytes = 10 << 20 // as counted by QueuedOperation.Size
)

// A Status is the outcome of one operation of a batch (docs/contract.md#results).
type Status string

// The statuses of a result.
const (
	StatusCreated   Status = "created"
	StatusUpdated   Status = "updated"
	StatusDeleted   Status = "deleted"
	StatusNotFound  Status = "not_found"
	StatusDuplicate Status = "duplicate"
	StatusParked    Status = "parked"
	StatusRejected  Status = "rejected" // neither applied nor stored; a repetition is evaluated again
)

// CodeParkedFull is the code of an operation that was rejected because the user has
// too many parked ones.
const CodeParkedFull = "PARKED_FULL"

// A Result is the outcome of one operation. It is stored, and a replay of the operation
// gets it again. Clients see StatusParked and StatusRejected as failures. An operation
// on an expense that does not exist succeeds with StatusNotFound, although an UPDATE is
// parked as well (docs/contract.md#d21).
type Result struct {
	ResourceID string   `log:"resource"`
	Status     Status   `log:"status"`
	Expense    *Expense `log:"expense,omitempty"` // after the operation; nil if it does not exist
	Budget     *Budget  `log:"budget,omitempty"`  // likewise, for the creation of a budget
	Current    *Expense `log:"current,omitempty"` // for a conflict: the stored, newer expense
	Error      string   `log:"error,omitempty"`   // why it was parked or rejected; else ""
	Code       string   // machine-readable, for a rejected one; may be ""
}

// Failed reports whether the client sees the operation as failed.
func (r *Result) Failed() bool { return r.Status == StatusParked || r.Status == StatusRejected }

// SharedExpenses returns pointers to those fields of r that hold an expense of another user.
func (r *Result) SharedExpenses() (places []**Expense) {
	for _, e := range []**Expense{&r.Expense, &r.Current} {
		if *e != nil && (*e).Role != NoRole {
			places = append(places, e)
		}
	}
	return places
}

// An OperationState is the state of a stored operation.
type OperationState string

// The states of a stored operation.
const (
	Applied   OperationState = "applied"
	Parked    OperationState = "parked"    // waits until the user retries or discards it
	Discarded OperationState = "discarded" // by the user; a replay still gets the parked result
)

// A QueuedOperation is a stored operation: SyncQueue document and idempotency record in
// one (docs/contract.md#d16, docs/contract.md#d26). It is written in the transaction of
// the operation's effect.
type QueuedOperation struct {
	ID     string `gorm:"primaryKey;index:operations_parked,priority:3"` // 24 hex digits
	UserID string `gorm:"uniqueIndex:operations_key,priority:2;index:operations_parked,priority:1;index:operations_parked_size,priority:1"`
	Operation
	// Key is the idempotency key: SHA-256 over the fields of docs/contract.md#d16; "" if
	// the operation cannot be distinguished from a repetition.
	Key       string `gorm:"uniqueIndex:operations_key,priority:1"`
	State     OperationState
	Result    Result    `gorm:"serializer:record"`
	CreatedAt time.Time `gorm:"serializer:millis;index:operations_parked,priority:2"`
	UpdatedAt time.Time `gorm:"serializer:millis;index:operations_age"`
}

// A ParkedPlace is a place in the list of a user's parked operations, which is sorted by
// creation and id: behind the operation of this ID. The zero ParkedPlace is before the first.
type ParkedPlace struct {
	CreatedAt int64 // milliseconds since 1970
	ID        string
}

// Place returns the place behind q.
func (q *QueuedOperation) Place() ParkedPlace { return ParkedPlace{q.CreatedAt.UnixMilli(), q.ID} }

// A ParkedPage is a page of a user's parked operations, oldest first.
type ParkedPage struct {
	Operations []QueuedOperation
	More       bool        // whether there may be more after the page
	Total      int64       // how many are parked in all
	Last       ParkedPlace // behind the newest of all
}

// A RetriedPage is the outcome of retrying some of a user's parked operations.
type RetriedPage struct {
	Applied, Failed int64       // Failed stay parked
	More            bool        // whether there may be more after Next
	Next            ParkedPlace // behind the last that was retried
}

// Size returns the number of bytes that the client sent for the operation.
func (q *QueuedOperation) Size() int64 {
	return int64(len(q.Data) + len(q.ResourceID) + len(q.DeviceID))
}
