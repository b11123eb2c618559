package ledger

import (
	"context"
	"fmt"

	"expenseflow/models"
)

// SetPreferences changes how the user is told, and gives the result. change gets
// what is stored, or the defaults. Errors: *models.InvalidError, change's own, and
// store.Write's.
func (l *Ledger) SetPreferences(ctx context.Context, userID string, change func(*models.NotificationPreferences)) (models.NotificationPreferences, error) {
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

// tells reports whether the user wants to be told of a type live now. Preferences
// that cannot be read fail the transaction, so it does not matter what is said then.
func (w *Work) tells(notification string) bool {
	p, err := w.Tx.Preferences()
	return err != nil || p.Tells(notification, w.Tx.Clock())
}

// tellsBudget is tells for an alert of a budget, of which a user may want to hear
// once a day or a week at most.
func (w *Work) tellsBudget() bool {
	p, err := w.Tx.Preferences()
	if err != nil {
		return true
	}
	now := w.Tx.Clock()
	if !p.Tells(models.NotifyBudget, now) {
		return false
	}
	every := p.BudgetAlertsEvery()
	if every == 0 {
		return true
	}
	if now.Sub(p.AlertedAt) < every {
		return false
	}
	p.AlertedAt = now
	return w.Tx.SavePreferences(p) == nil
}

// NotifyTest keeps a notification that the user asked for, to see how one looks.
func (l *Ledger) NotifyTest(ctx context.Context, userID, title, message string) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		w.notify(models.Notification{
			Type: models.NotifySystem, Priority: models.PriorityMedium, Title: title, Message: message, Data: data(map[string]bool{"test": true}),
		}, models.Author{})
		return nil
	})
	if err != nil {
		return fmt.Errorf("send a test notification: %w", err)
	}
	return nil
}
