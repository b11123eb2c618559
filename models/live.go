package models

import (
	"encoding/json"
	"time"
)

// A Notification is a message that is kept for its user.
type Notification struct {
	ID        string // 24 hex digits
	UserID    string
	Title     string // at most MaxNotificationTitle
	Message   string // at most MaxNotificationMessage
	Type      string // one of the Notify constants
	Priority  string // one of the Priority constants
	Data      json.RawMessage
	Read      bool
	CreatedAt time.Time // UTC, whole milliseconds
}

// Limits of a notification, in UTF-16 units.
const (
	MaxNotificationTitle   = 100
	MaxNotificationMessage = 500
)

// The types of notification.
const (
	NotifyBudget  = "budget_alert"
	NotifyBalance = "low_balance"
	NotifyExpense = "expense_added"
	NotifyGoal    = "goal_achieved"
	NotifySystem  = "system"
	NotifyChange  = "balance_changed"
)

// The priorities of a notification.
const (
	PriorityLow      = "low"
	PriorityMedium   = "medium"
	PriorityHigh     = "high"
	PriorityCritical = "critical"
)

// A Balance is what a user has taken in and spent, ever, in the account's
// currency, and beside it in Others, by code.
type Balance struct {
	CurrencyTotal
	Others    []CurrencyTotal
	UpdatedAt time.Time // of the user's newest stored change
}

// A Dashboard sums up a user's entries of some days. Its figures are those in the
// account's currency; Others has the sums of the others, by code.
type Dashboard struct {
	From, To Day   // both included
	Version  int64 // the head of the log that it is of
	CurrencyTotal
	Others      []CurrencyTotal
	ByCategory  []CategoryTotal // what was spent, the largest first
	Series      []DayTotal      // days with entries, in order
	Recent      []Expense       // the newest ten by date, of any currency, newest first
	GeneratedAt time.Time
}

// MaxRecent is how many entries Dashboard.Recent holds at most.
const MaxRecent = 10

// A CategoryTotal is what was spent on one category.
type CategoryTotal struct {
	Category string
	Total    Sum
	Count    int64
}

// A DayTotal is what a day brought.
type DayTotal struct {
	Day             Day
	Income, Expense Sum
}
