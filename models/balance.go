package models

import "time"

// A Balance is the total of all entries of a user in the account's currency. Others
// are the totals in other currencies, ordered by code.
type Balance struct {
	CurrencyTotal
	Others    []CurrencyTotal
	UpdatedAt time.Time // of the user's newest stored change
}
