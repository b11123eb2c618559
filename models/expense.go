package models

import "time"

// An Expense is one income or expense entry of one user.
//
// A new field goes: here, with its tags, and into Draft and Patch; into a migration for each
// database; if it is a text, into TextFields, else into its rules (validation.go) and its JSON
// (internal/wire: request, answer, log page); into ledger.DataHash, so that stored hashes stay
// valid; into docs/contract.md, docs/openapi.yaml and .json, docs/events.md and
// static/expense-events.d.ts; and into the page (static/js).
type Expense struct {
	ID          string    `gorm:"primaryKey;index:expenses_list,priority:3" log:"id"` // 24 lower-case hex digits, the browser's _id
	UserID      string    `gorm:"index:expenses_list,priority:1;index:expenses_pull,priority:1" log:"user"`
	Description string    `log:"description"`
	Amount      Money     `log:"amount"`
	Category    string    `log:"category"`
	Type        string    `log:"type"`                                                         // "income" or "expense"
	Date        time.Time `gorm:"serializer:millis;index:expenses_list,priority:2" log:"date"` // UTC, whole milliseconds
	Day         Day       `log:"day" of:"Date"`                                                // day of totals; set with Date
	Currency    string    `log:"currency,omitempty"`                                           // 3 to 5 capitals; "": the account's
	Merchant    string    `log:"merchant,omitempty"`                                           // at most 50 UTF-16 units
	Notes       string    `log:"notes,omitempty"`                                              // at most 500 UTF-16 units
	Tags        Tags      `log:"tags,omitempty"`                                               // at most MaxTags

	// Version starts at 1 and grows by 1 with every stored change. A client
	// sends back the version it saw; see ConflictError.
	Version int64 `log:"version"`

	// LastSyncedAt increases strictly per user and is assigned under the user's lock,
	// so a time cursor over it misses nothing (docs/contract.md#delta-and-pull).
	LastSyncedAt time.Time `gorm:"serializer:millis;index:expenses_pull,priority:2" log:"synced"`

	CreatedAt time.Time `gorm:"serializer:millis" log:"created"` // UTC, whole milliseconds
	UpdatedAt time.Time `gorm:"serializer:millis" log:"updated"` // UTC, whole milliseconds

	// Shares is the number of other users that the owner, UserID, shares it with.
	Shares int64 `log:"shares,omitempty"`
	// HasDependents reports whether rows of other tables refer to it: it was shared at some
	// time, or has comments. traces is the older name, of the column.
	HasDependents bool `gorm:"column:traces;serializer:flag"`

	// Role and SharedBy are set in the view of a user that it is shared with: their
	// permission and the owner's name. They are empty in the owner's view.
	Role     Role   `gorm:"->" log:"role,omitempty"`
	SharedBy string `gorm:"->" log:"by,omitempty"`
}

// A Draft is a new expense as a client sent it. Check validates it.
type Draft struct {
	Description string
	Amount      Money
	Category    string
	Type        string
	Date        *time.Time // nil: chosen by the server
	Day         *Day       // nil: the day of Date in the account's zone
	Currency    string
	Merchant    string
	Notes       string
	Tags        Tags
}

// A Patch holds the fields of an expense to change; nil keeps a field.
type Patch struct {
	Description *string
	Amount      *Money
	Category    *string
	Type        *string
	Date        *time.Time
	Day         *Day // as in Draft
	Currency    *string
	Merchant    *string
	Notes       *string
	Tags        *Tags // empty takes them all off
}
