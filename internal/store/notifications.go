package store

import (
	"context"
	"encoding/json"
	"time"

	"expenseflow/models"
)

type notificationRow struct {
	ID        string `gorm:"primaryKey;index:notifications_list,priority:3"`
	UserID    string `gorm:"index:notifications_list,priority:1"`
	Title     string
	Message   string
	Type      string
	Priority  string
	Data      string
	Read      int64
	CreatedAt int64 `gorm:"index:notifications_list,priority:2;index:notifications_age"`
}

func (notificationRow) TableName() string { return "notifications" }

var notificationTable = &table{name: "notifications", key: "id", columns: []column{
	{"id", text},
	{"user_id", text},
	{"title", text},
	{"message", text},
	{"type", text},
	{"priority", text},
	{"data", text},
	{"read", integer},
	{"created_at", integer},
}}

func notificationValues(n models.Notification) []any {
	return []any{n.ID, n.UserID, n.Title, n.Message, n.Type, n.Priority, string(n.Data), flag(n.Read), n.CreatedAt.UnixMilli()}
}

func scanNotification(row scanner) (models.Notification, error) {
	var n models.Notification
	var data string
	var read, created int64
	err := row.Scan(&n.ID, &n.UserID, &n.Title, &n.Message, &n.Type, &n.Priority, &data, &read, &created)
	if data != "" {
		n.Data = json.RawMessage(data)
	}
	n.Read, n.CreatedAt = read != 0, fromMillis(created)
	return n, err
}

var errNoNotification = models.E(models.NotFound, "Notification not found")

// Notification is the user's notification of this id; models.NotFound if there
// is none, or it is another user's.
func (tx *Tx) Notification(id string) (models.Notification, error) {
	if _, _, known := tx.notifications.get(id); !known && models.ID24(id) {
		query := "SELECT " + notificationTable.names() + " FROM notifications WHERE id = ? AND user_id = ?"
		err := tx.query(query, []any{id, tx.user.ID}, func(row scanner) error {
			n, err := scanNotification(row)
			tx.notifications.load(id, n, true)
			return err
		})
		if err != nil {
			return models.Notification{}, err
		}
	}
	n, exists, _ := tx.notifications.get(id)
	if !exists {
		return n, errNoNotification
	}
	return n, nil
}

// InsertNotification saves a new, unread notification.
func (tx *Tx) InsertNotification(n models.Notification) {
	tx.notifications.put(n.ID, n, false)
	tx.user.Unread++
}

// MarkRead marks a notification that Notification gave.
func (tx *Tx) MarkRead(n models.Notification) {
	if !n.Read {
		n.Read = true
		tx.notifications.put(n.ID, n, true)
		tx.user.Unread--
	}
}

// DeleteNotification removes a notification that Notification gave.
func (tx *Tx) DeleteNotification(n models.Notification) {
	tx.notifications.remove(n.ID)
	if !n.Read {
		tx.user.Unread--
	}
}

// MarkAllRead marks all of the user's notifications and tells how many were
// unread.
func (tx *Tx) MarkAllRead() (int64, error) {
	n := tx.user.Unread
	if n == 0 {
		return 0, tx.failed
	}
	if err := tx.flush(); err != nil {
		return 0, err
	}
	for id, e := range tx.notifications.entries {
		e.row.Read = true
		tx.notifications.entries[id] = e
	}
	tx.user.Unread, tx.wrote = 0, true
	return n, tx.exec("UPDATE notifications SET read = 1 WHERE user_id = ? AND read = 0", tx.user.ID)
}

// Notifications is one page of the user's notifications, newest first, from page
// 1, and how many there are in all; unreadOnly leaves out those that were read.
func (s *Store) Notifications(ctx context.Context, userID string, page, limit int, unreadOnly bool) ([]models.Notification, int64, error) {
	where := " FROM notifications WHERE user_id = ?"
	if unreadOnly {
		where += " AND read = 0"
	}
	var total int64
	if err := s.one(ctx, s.r, "SELECT COUNT(*)"+where, []any{userID}, &total); err != nil {
		return nil, 0, err
	}
	found := []models.Notification{}
	offset := (int64(page) - 1) * int64(limit)
	if offset < 0 || offset >= total {
		return found, total, nil
	}
	query := "SELECT " + notificationTable.names() + where + " ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
	err := s.rows(ctx, s.r, query, []any{userID, limit, offset}, func(row scanner) error {
		n, err := scanNotification(row)
		found = append(found, n)
		return err
	})
	return found, total, err
}

// oldNotifications finds users who have notifications older than a moment.
const oldNotifications = "SELECT DISTINCT user_id FROM notifications WHERE created_at < ? LIMIT ?"

// pruneNotifications removes notifications that are older than before, at most
// limit, under the user's lock, so that the unread count stays right. The user's log
// tells of it silently.
func (tx *Tx) pruneNotifications(before time.Time, limit int) (n int64, err error) {
	query := "SELECT " + notificationTable.names() + " FROM notifications WHERE user_id = ? AND created_at < ? ORDER BY created_at, id LIMIT ?"
	err = tx.query(query, []any{tx.user.ID, before.UnixMilli(), limit}, func(row scanner) error {
		old, err := scanNotification(row)
		tx.notifications.load(old.ID, old, true)
		tx.DeleteNotification(old)
		n++
		return err
	})
	if n > 0 {
		tx.Append(models.Change{Kind: models.NotificationDeleted})
	}
	return n, err
}
