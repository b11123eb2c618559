package models

import "time"

// A Dashboard sums up a user's entries between two days, in the account's currency.
// Others are the totals in other currencies, ordered by code.
type Dashboard struct {
	From, To Day   // both included
	Version  int64 // sequence of the user's log at which it was computed
	CurrencyTotal
	Others      []CurrencyTotal
	ByCategory  []CategoryTotal // expenses, largest first
	Series      []DayTotal      // days with entries, in order of time
	Recent      []Expense       // newest first by date, of any currency, at most MaxRecent
	GeneratedAt time.Time
}

// MaxRecent is the maximum length of Dashboard.Recent.
const MaxRecent = 10

// A CategoryTotal is the total of the expenses of one category.
type CategoryTotal struct {
	Category string
	Total    Sum
	Count    int64
}

// A DayTotal is the income and the expenses of one day.
type DayTotal struct {
	Day             Day
	Income, Expense Sum
}
