package ledger

import (
	"context"
	"fmt"

	"expenseflow/models"
)

// MarkRead marks a notification as read and returns it. It is idempotent. Errors:
// models.NotFound, and those of store.Write.
func (l *Ledger) MarkRead(ctx context.Context, userID, id string) (models.Notification, error) {
	var n models.Notification
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if n, err = w.Tx.Notification(id); err != nil || n.Read {
			return err
		}
		w.Tx.MarkRead(n)
		w.Tx.Append(models.Change{Kind: models.NotificationRead, EntityID: id})
		n.Read = true
		return nil
	})
	if err != nil {
		return models.Notification{}, fmt.Errorf("mark a notification as read: %w", err)
	}
	return n, nil
}

// MarkAllRead marks all of the user's notifications as read and returns the number of
// those that were unread. Errors are those of store.Write.
func (l *Ledger) MarkAllRead(ctx context.Context, userID string) (int64, error) {
	var n int64
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if n, err = w.Tx.MarkAllRead(); err == nil && n > 0 {
			w.Tx.Append(models.Change{Kind: models.NotificationRead})
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("mark notifications as read: %w", err)
	}
	return n, nil
}

// DeleteNotification removes a notification. Errors: models.NotFound, also if it was
// deleted before, and those of store.Write.
func (l *Ledger) DeleteNotification(ctx context.Context, userID, id string) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		n, err := w.Tx.Notification(id)
		if err != nil {
			return err
		}
		w.Tx.DeleteNotification(n)
		w.Tx.Append(models.Change{Kind: models.NotificationDeleted, EntityID: id})
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete a notification: %w", err)
	}
	return nil
}
