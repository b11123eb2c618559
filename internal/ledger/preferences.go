package ledger

import (
	"context"
	"fmt"

	"expenseflow/models"
)

// SetPreferences changes the user's notification preferences and returns the result.
// change receives the stored preferences, or the defaults. Errors: *models.InvalidError,
// and those of store.Write.
func (l *Ledger) SetPreferences(
	ctx context.Context, userID string, change func(*models.NotificationPreferences),
) (models.NotificationPreferences, error) {
	var p models.NotificationPreferences
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if p, err = w.Tx.Preferences(); err != nil {
			return err
		}
		change(&p)
		if err := models.InvalidIf(p.Check()); err != nil {
			return err
		}
		p.UpdatedAt = w.Tx.Now()
		if p.CreatedAt.IsZero() {
			p.CreatedAt = p.UpdatedAt
		}
		return w.Tx.SavePreferences(p)
	})
	if err != nil {
		return models.NotificationPreferences{}, fmt.Errorf("set notification preferences: %w", err)
	}
	return p, nil
}

// wantsLive reports whether the user wants notifications of this type live now. If the
// preferences cannot be read, the transaction fails anyway, so the result is irrelevant.
func (w *Work) wantsLive(notification string) bool {
	p, err := w.Tx.Preferences()
	return err != nil || p.AllowsLive(notification, w.Tx.Clock())
}

// takeBudgetAlert reports whether the user wants a budget alert now. It records the time,
// because a user may want at most one per day or week.
func (w *Work) takeBudgetAlert() bool {
	p, err := w.Tx.Preferences()
	if err != nil {
		return true
	}
	now := w.Tx.Clock()
	if !p.AllowsLive(models.NotifyBudget, now) {
		return false
	}
	every := p.BudgetAlertInterval()
	if every == 0 {
		return true
	}
	if now.Sub(p.AlertedAt) < every {
		return false
	}
	p.AlertedAt = now
	return w.Tx.SavePreferences(p) == nil
}

// NotifyTest stores a test notification that the user requested. Errors are those of
// store.Write.
func (l *Ledger) NotifyTest(ctx context.Context, userID, title, message string) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		w.notify(models.Notification{
			Type: models.NotifySystem, Priority: models.PriorityMedium, Title: title, Message: message,
			Data: notificationData(map[string]bool{"test": true}),
		}, models.Author{})
		return nil
	})
	if err != nil {
		return fmt.Errorf("send a test notification: %w", err)
	}
	return nil
}
