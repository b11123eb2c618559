package ledger_test

import (
	"strings"
	"testing"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

func TestAUserCanStoreExpensesWithoutBound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		l := ledger.New(s, nil, ledger.Options{MaxExpenses: 2})
		u, other := storetest.User(t, s), storetest.User(t, s)
		draft := models.Draft{Description: "Lunch", Amount: 1_000_000, Category: "food", Type: "expense"}
		create := func(userID string) (models.Expense, error) {
			return l.CreateExpense(t.Context(), userID, ledger.ExpenseCreation{Draft: draft})
		}
		first, err := create(u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := create(u.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := create(u.ID); models.KindOf(err) != models.Conflict ||
			!strings.Contains(models.Message(err), "at most 2 expenses") {
			t.Errorf("the third: %v", err)
		}
		if _, err := create(other.ID); err != nil {
			t.Errorf("another user's: %v", err)
		}
		if _, err := l.DeleteExpense(t.Context(), u.ID, first.ID, models.Author{}); err != nil {
			t.Fatal(err)
		}
		if _, err := create(u.ID); err != nil {
			t.Errorf("after one was deleted: %v", err)
		}
	})
}

func TestAnExpenseTakesCommentsWithoutBound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		u := storetest.User(t, s)
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			for _, of := range []string{"here", "here", "there"} {
				a := models.Activity{ID: ledger.NewID(), ExpenseID: of, UserID: u.ID, Type: models.ActivityComment, Text: "x"}
				if err := tx.InsertActivity(a, models.RoleEditor); err != nil {
					return err
				}
			}
			for _, tt := range []struct {
				of             string
				expenses, user int
				full           bool
			}{{"here", 2, 9, true}, {"here", 3, 9, false}, {"there", 2, 9, false}, {"there", 2, 3, true}} {
				if full, err := tx.CommentsFull(tt.of, tt.expenses, tt.user); err != nil || full != tt.full {
					t.Errorf("%+v: %v, %v", tt, full, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
