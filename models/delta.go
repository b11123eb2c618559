package models

import "encoding/json"

// A DeltaChange is one entry of the offline queue that the last version of the original
// frontend sends to /api/sync/delta (docs/contract.md#clients).
type DeltaChange struct {
	Action Action // "" if unknown
	ID     string // of the expense, or its temporary id; "" for a CREATE
	// LocalID is the key of the queue entry in the device's database: a JSON string or
	// number, echoed as it was sent; nil if there is none.
	LocalID json.RawMessage
	Data    json.RawMessage // as Operation.Data
	// Version is the version that the client last read, nil if it sent none. A client
	// that wants to overwrite sends a very large one.
	Version   *int64
	Timestamp *int64 // as Operation.Timestamp
}

// A DeltaResult is the result of one DeltaChange. Current is set for a conflict, Error
// for a change that cannot succeed as sent; a success has neither.
type DeltaResult struct {
	Change  DeltaChange
	Expense *Expense // after the change; nil if it does not exist (any more)
	Current *Expense // the stored expense, newer than the client's version
	Error   string
}
