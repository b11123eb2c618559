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

// A Balance is what a user has taken in and spent, ever.
type Balance struct {
	Income, Expense Sum
	UpdatedAt       time.Time // of the user's newest stored change
}

// Balance is what is left.
func (b *Balance) Balance() Sum { return b.Income.Minus(b.Expense) }

// A Dashboard sums up a user's entries of some days.
type Dashboard struct {
	From, To    time.Time // the first and the last day in UTC, both included
	Version     int64     // the head of the log that it is of
	Income      Sum
	Expense     Sum
	Count       int64           // of entries
	ByCategory  []CategoryTotal // what was spent, the largest first
	Series      []DayTotal      // days with entries, in order
	Recent      []Expense       // the newest ten by date, newest first
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
	Day             time.Time // its beginning in UTC
	Income, Expense Sum
}
