package models

import (
	"cmp"
	"time"
)

// A User is one account.
type User struct {
	ID           string    `gorm:"primaryKey"` // 24 hex digits
	Name         string    // trimmed, 1 to 50 UTF-16 units
	Email        string    `gorm:"uniqueIndex:users_email"` // trimmed, lower case, unique
	PasswordHash []byte    // bcrypt
	CreatedAt    time.Time `gorm:"serializer:millis"`

	// TokenGeneration is part of every token; a token of an older generation is
	// refused. A password change increments it. Tokens of the original installation
	// have none and count as generation 0.
	TokenGeneration int64

	// The user's log holds the changes LogStart+1 to Seq; older ones were pruned.
	LogStart, Seq int64
	SyncedAt      time.Time `gorm:"column:last_synced_at;serializer:zeroableTime"`  // of the newest stored change
	AppliedAt     time.Time `gorm:"column:last_applied_at;serializer:zeroableTime"` // of the newest applied operation of the queue

	Totals   Totals `gorm:"serializer:totals"` // of all the user's entries
	Unread   int64  // number of unread notifications
	Budgets  int64  // number of budgets
	Received int64  // number of expenses that other users share with this user

	Revocations int64 // number of times a token was signed out; never decreases
	Expenses    int64 // number of the user's own expenses

	// ChosenZone and ChosenCurrency are "" until the account has chosen one. Zone and
	// Currency return the ones in force.
	ChosenZone     string `gorm:"column:time_zone"` // an IANA name: set by the user, or the first that a client sent
	ChosenCurrency string `gorm:"column:currency"`  // one of Currencies

	// RowVersion differs after any change of the stored row. It is known of a caller whose
	// token was just looked up on PostgreSQL, and else "".
	RowVersion string `gorm:"-"`

	// KeptRooms are those of the page of WithPage, if they were read with the user.
	KeptRooms *KeptRooms `gorm:"-"`
}

// KeptRooms are the rooms that a page had joined, by their names.
type KeptRooms struct{ Names []string }

// Zone returns the time zone of the account's days; otherwise if it has chosen none.
func (u *User) Zone(otherwise *time.Location) *time.Location {
	if zone, ok := LoadZone(u.ChosenZone); ok {
		return zone
	}
	return otherwise
}

// Currency returns the account's currency. Entries without a currency are in it.
func (u *User) Currency() string { return cmp.Or(u.ChosenCurrency, DefaultCurrency) }

// Balance returns the user's balance as of when u was read.
func (u *User) Balance() Balance {
	own, others := u.Totals.ForAccount(u.Currency())
	return Balance{CurrencyTotal: own, Others: others, UpdatedAt: u.SyncedAt}
}
