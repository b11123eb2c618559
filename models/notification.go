package models

import (
	"encoding/json"
	"time"
)

// A Notification is a stored message to a user.
type Notification struct {
	ID       string          `gorm:"primaryKey;index:notifications_list,priority:3" log:"id"` // 24 hex digits
	UserID   string          `gorm:"index:notifications_list,priority:1;index:notifications_unread,priority:1" log:"user"`
	Title    string          `log:"title"`                                             // at most MaxNotificationTitle UTF-16 units
	Message  string          `log:"message"`                                           // at most MaxNotificationMessage UTF-16 units
	Type     string          `gorm:"index:notifications_unread,priority:3" log:"type"` // one of the Notify constants
	Priority string          `log:"priority"`                                          // one of the Priority constants
	Data     json.RawMessage `gorm:"serializer:raw" log:"data,omitempty"`
	Read     bool            `gorm:"serializer:flag" log:"read"`
	// UTC, whole milliseconds
	CreatedAt time.Time `gorm:"serializer:millis;index:notifications_list,priority:2;index:notifications_age" log:"created"`

	// Of what another user did: who it was, with which expense ("" for several), and how often
	// until this was read.
	ActorID   string `gorm:"index:notifications_unread,priority:2;index:notifications_actor"` // "" once the account is deleted
	ExpenseID string
	Times     int64
}

// Limits of a notification, in UTF-16 units.
const (
	MaxNotificationTitle   = 100
	MaxNotificationMessage = 500
)

// The types of notification.
const (
	NotifyBudget        = "budget_alert"
	NotifyLowBalance    = "low_balance"
	NotifyExpense       = "expense_added"
	NotifyGoal          = "goal_achieved"
	NotifySystem        = "system"
	NotifyBalanceChange = "balance_changed"

	// What another user did with an expense that both have, or that they offer.
	NotifyInvited   = "invitation_received"
	NotifyShared    = "expense_shared"
	NotifyCommented = "expense_commented"
	NotifyEdited    = "expense_edited"
)

// The priorities of a notification.
const (
	PriorityLow      = "low"
	PriorityMedium   = "medium"
	PriorityHigh     = "high"
	PriorityCritical = "critical"
)

// DepartedName is what a user is called whose account is deleted.
const DepartedName = "Somebody who has left"
