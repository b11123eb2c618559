package store_test

import (
	"errors"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// An operation that gave a known name to another expense, and was undone, left the
// name unknown to the rest of its transaction: a deletion by that name found nothing
// and was acknowledged, and the next expense of that name could not be stored.
func TestAnUndoneNameHidTheOneBefore(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, undone := storetest.User(t, s), errors.New("undone")
		write(t, s, u.ID, func(tx *store.Tx) { tx.SetAlias("phone", "temp_1", "a") })
		write(t, s, u.ID, func(tx *store.Tx) {
			err := tx.Attempt(func() error { tx.SetAlias("phone", "temp_1", "b"); return undone })
			if !errors.Is(err, undone) {
				t.Errorf("the attempt came to %v", err)
			}
			err = tx.Attempt(func() error {
				if id, ok, err := tx.Alias("phone", "temp_1"); id != "a" || !ok || err != nil {
					t.Errorf("the name means %q, %t, %v", id, ok, err)
				}
				tx.SetAlias("phone", "temp_1", "c")
				return nil
			})
			if err != nil {
				t.Errorf("the next one's name: %v", err)
			}
		})
		if id, ok, err := s.ResolveAlias(t.Context(), u.ID, "phone", "temp_1"); id != "c" || !ok || err != nil {
			t.Errorf("in the end the name means %q, %t, %v", id, ok, err)
		}
	})
}

// Notifications that an undone operation had marked stayed read for the rest of its
// transaction, also those that were looked at only after the mark.
func TestNotificationsStayedReadAfterTheMarkWasUndone(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, undone := storetest.User(t, s), errors.New("undone")
		known, unknown := notification(u.ID, "known"), notification(u.ID, "unknown")
		write(t, s, u.ID, func(tx *store.Tx) { tx.InsertNotification(known); tx.InsertNotification(unknown) })
		write(t, s, u.ID, func(tx *store.Tx) {
			isUnread(t, tx, known.ID)
			_ = tx.Attempt(func() error {
				if n, err := tx.MarkAllRead(); n != 2 || err != nil {
					t.Errorf("%d were marked, %v", n, err)
				}
				if n, err := tx.Notification(unknown.ID); !n.Read || err != nil {
					t.Errorf("after the mark: %+v, %v", n, err)
				}
				return undone
			})
			isUnread(t, tx, known.ID)
			isUnread(t, tx, unknown.ID)
		})
	})
}

func isUnread(t *testing.T, tx *store.Tx, id string) {
	t.Helper()
	if n, err := tx.Notification(id); n.Read || err != nil {
		t.Errorf("%+v, %v; want an unread notification", n, err)
	}
}

func notification(userID, title string) models.Notification {
	return models.Notification{ID: storetest.ID(), UserID: userID, Title: title}
}

// Preferences that an undone operation had saved and read were those of the rest of its
// transaction.
func TestPreferencesOutlivedTheirUndoing(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		write(t, s, u.ID, func(tx *store.Tx) {
			_ = tx.Attempt(func() error {
				_ = tx.SavePreferences(models.NotificationPreferences{Frequency: models.Frequency{BudgetAlerts: "weekly"}})
				p, err := tx.Preferences()
				if p.Frequency.BudgetAlerts != "weekly" || err != nil {
					t.Errorf("after the save: %q, %v", p.Frequency.BudgetAlerts, err)
				}
				return errors.New("undone")
			})
			if p, err := tx.Preferences(); p.Frequency.BudgetAlerts == "weekly" || err != nil {
				t.Errorf("after the undoing: %q, %v", p.Frequency.BudgetAlerts, err)
			}
		})
	})
}

// After a change of the account's currency was undone, the rest of its transaction still
// counted budgets in the currency that was not chosen.
func TestBudgetsCountedInACurrencyThatWasUndone(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		rupees := expense(u.ID)
		rupees.Currency, rupees.Amount = "", 85_000_000
		b := models.BudgetDraft{Name: "b", Category: rupees.Category, Amount: 100_000_000, Start: rupees.Date}.Budget(time.UTC)
		b.ID, b.UserID = storetest.ID(), u.ID
		write(t, s, u.ID, func(tx *store.Tx) { tx.InsertBudget(b); must(tx.EvaluateBudgets())(t) })
		write(t, s, u.ID, func(tx *store.Tx) {
			_ = tx.Attempt(func() error { return errors.Join(tx.SetCurrency("USD"), errors.New("undone")) })
			tx.InsertExpense(rupees)
			if r := must(tx.EvaluateBudgets())(t)[0]; r.Currency != models.DefaultCurrency || r.Spent != (models.Sum{Units: 85}) {
				t.Errorf("it stands at %+v", r)
			}
		})
	})
}
