package wire

import (
	"encoding/json"

	"expenseflow/models"
)

// A Notification is the document of a notification, in events and in lists
// (docs/contract.md#live-features).
type Notification struct {
	ID        string          `json:"id"`
	Title     string          `json:"title"`
	Message   string          `json:"message"`
	Type      string          `json:"type"`
	Priority  string          `json:"priority"`
	Data      json.RawMessage `json:"data"` // null if there is none
	Timestamp Time            `json:"timestamp"`
	Read      bool            `json:"read"`
}

// NewNotification returns the document of n.
func NewNotification(n models.Notification) Notification {
	return Notification{
		ID: n.ID, Title: n.Title, Message: n.Message, Type: n.Type, Priority: n.Priority,
		Data: n.Data, Timestamp: Time(n.CreatedAt), Read: n.Read,
	}
}

// A NotificationPage is the response to GET /api/notifications.
type NotificationPage struct {
	Notifications []Notification `json:"notifications"`
	Pagination    Pagination     `json:"pagination"`
}

// NewNotificationPage returns page number page of a list of total notifications. limit
// is the number per page, at least 1.
func NewNotificationPage(ns []models.Notification, total int64, page, limit int) NotificationPage {
	list := make([]Notification, len(ns))
	for i, n := range ns {
		list[i] = NewNotification(n)
	}
	return NotificationPage{list, pagination(total, page, limit)}
}

// An UnreadCount is the response to GET /api/notifications/unread-count and the payload of
// notification_count.
type UnreadCount struct {
	Count int64 `json:"count"`
}

// ParseTestNotification parses {title?, message?}, the body of POST
// /api/notifications/test. Absent and empty texts get a default. The error is
// models.Invalid.
func ParseTestNotification(body json.RawMessage) (title, message string, err error) {
	o, err := readObject(body)
	if err != nil {
		return "", "", err
	}
	title, message = models.Trim(stringOf(o["title"])), models.Trim(stringOf(o["message"]))
	if title == "" {
		title = "Test Notification"
	}
	if message == "" {
		message = "This is a test notification from ExpenseFlow."
	}
	vs := models.CheckText("title", title, models.MaxNotificationTitle)
	vs = append(vs, models.CheckText("message", message, models.MaxNotificationMessage)...)
	return title, message, joiError(vs)
}
