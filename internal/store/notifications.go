package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

var errNoNotification = models.E(models.NotFound, "Notification not found")

// Notification returns the user's notification of this id; models.NotFound if there
// is none, or it is another user's.
func (tx *Tx) Notification(id string) (models.Notification, error) {
	if _, _, known := tx.notifications.Get(id); !known && models.IsID(id) {
		n, found, err := oneIn[models.Notification](tx, tx.orm().Where("id = ? AND user_id = ?", id, tx.user.ID))
		if err != nil {
			return n, err
		}
		tx.notifications.Load(id, n, found)
	}
	n, exists, _ := tx.notifications.Get(id)
	if !exists {
		return n, errNoNotification
	}
	return n, nil
}

// InsertNotification saves a new notification.
func (tx *Tx) InsertNotification(n models.Notification) {
	tx.notifications.Put(n.ID, n, false)
	if !n.Read {
		tx.user.Unread++
	}
}

// UpdateNotification saves a notification that UnreadFrom returned, and stays unread.
func (tx *Tx) UpdateNotification(n models.Notification) { tx.notifications.Put(n.ID, n, true) }

// UnreadFrom returns the user's unread notifications of a type that another user caused, the
// newest first. It reads at most limit, which is to be as many as there can be.
func (tx *Tx) UnreadFrom(actorID, kind string, limit int) ([]models.Notification, error) {
	found, err := findIn[models.Notification](tx, unreadFrom(tx.orm(), tx.user.ID, actorID, kind).Limit(limit))
	if err != nil {
		return nil, err
	}
	for _, n := range found {
		tx.notifications.Load(n.ID, n, true)
	}
	unread := []models.Notification{}
	for _, n := range tx.notifications.All() { // as this transaction has left them
		if !n.Read && n.ActorID == actorID && n.Type == kind {
			unread = append(unread, n)
		}
	}
	slices.SortFunc(unread, func(a, b models.Notification) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return unread, nil
}

// unreadFrom has no order, by which SQLite would read all notifications of the user.
func unreadFrom(db *gorm.DB, userID, actorID, kind string) *gorm.DB {
	return db.Where("user_id = ? AND read = 0 AND actor_id = ? AND type = ?", userID, actorID, kind)
}

// MarkRead marks a notification that Notification returned.
func (tx *Tx) MarkRead(n models.Notification) {
	if !n.Read {
		n.Read = true
		tx.notifications.Put(n.ID, n, true)
		tx.user.Unread--
	}
}

// DeleteNotification removes a notification that Notification returned.
func (tx *Tx) DeleteNotification(n models.Notification) {
	tx.notifications.Remove(n.ID)
	if !n.Read {
		tx.user.Unread--
	}
}

// MarkAllRead marks all of the user's notifications and returns how many were
// unread.
func (tx *Tx) MarkAllRead() (int64, error) {
	n := tx.user.Unread
	if n == 0 {
		return 0, tx.failed
	}
	if err := tx.flush(); err != nil {
		return 0, err
	}
	tx.notifications.Rewrite(func(n models.Notification) models.Notification {
		n.Read = true
		return n
	})
	tx.user.Unread, tx.wrote = 0, true
	unread := tx.orm().Model(&models.Notification{}).Where("user_id = ? AND read = 0", tx.user.ID)
	return n, tx.run(unread.UpdateColumn("read", 1))
}

// Notifications returns one page of the user's notifications, newest first, from page
// 1, and how many there are in all; unreadOnly leaves out those that were read.
func (s *Store) Notifications(
	ctx context.Context, userID string, page, limit int, unreadOnly bool,
) ([]models.Notification, int64, error) {
	all := s.db.Read(ctx).Model(&models.Notification{}).Where("user_id = ?", userID)
	if unreadOnly {
		all = all.Where("read = 0")
	}
	all = all.Session(&gorm.Session{})
	total, offset, err := find.Page(all, page, limit)
	if err != nil || offset < 0 {
		return []models.Notification{}, total, err
	}
	found, err := find.All[models.Notification](all.Order("created_at DESC, id DESC").Limit(limit).Offset(offset))
	return found, total, err
}

// pruneNotifications removes notifications that are older than before, at most
// limit, under the user's lock, so that the unread count stays right. A silent
// change in the user's log reports it.
func (tx *Tx) pruneNotifications(before time.Time, limit int) (int64, error) {
	old, err := findIn[models.Notification](tx, tx.orm().Where("user_id = ? AND created_at < ?", tx.user.ID, before.UnixMilli()).
		Order("created_at, id").Limit(limit))
	for _, n := range old {
		tx.notifications.Load(n.ID, n, true)
		tx.DeleteNotification(n)
	}
	if len(old) > 0 {
		tx.Append(models.Change{Kind: models.NotificationDeleted})
	}
	return int64(len(old)), err
}
