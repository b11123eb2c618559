package models

import "encoding/json"

// A DeltaChange is one entry of the queue that the frontend's last version
// keeps and sends to /api/sync/delta (docs/contract.md#clients).
type DeltaChange struct {
	Action Action // "" if it is none that we know
	ID     string // the expense meant, or its local name; "" for a CREATE
	// LocalID is the queue entry's name in the device's own database, a JSON
	// text or number, echoed as it was sent; nil if there is none.
	LocalID json.RawMessage
	Data    json.RawMessage // as Operation.Data
	// Version is what the client last read, nil if it named none. A client that
	// wants to win sends a huge one.
	Version   *int64
	Timestamp *int64 // as Operation.Timestamp
}

// A DeltaResult answers one DeltaChange. Current is set for a conflict, Error
// for a change that cannot succeed as sent; neither is set for a success.
type DeltaResult struct {
	Change  DeltaChange
	Expense *Expense // after the change; nil where there is none (any more)
	Current *Expense // what is stored, newer than what the client had read
	Error   string
}
