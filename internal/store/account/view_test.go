package account_test

import (
	"testing"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// viewed is an account of some pages of expenses.
func viewed(t *testing.T, s *store.Store) (userID string, add func(n int)) {
	u := storetest.User(t, s)
	l := ledger.New(s, nil, ledger.Options{})
	add = func(n int) {
		err := l.Write(t.Context(), u.ID, func(w *ledger.Work) error {
			for range n {
				d := models.Draft{Description: "Lunch", Amount: 1_000_000, Category: "food", Type: "expense"}
				if _, err := w.Create(d, models.Author{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	add(600)
	return u.ID, add
}

func TestAViewOfAnAccountIsOfOneMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		user, add := viewed(t, s)
		read := 0
		err := s.ViewAccount(t.Context(), user, func(v *store.AccountView) error {
			return v.EachExpense(func(models.Expense, []models.Share) error {
				if read++; read == 10 {
					add(50)
				}
				return nil
			})
		})
		if err != nil || read != 600 {
			t.Errorf("%d expenses, %v", read, err)
		}
	})
}

func TestAViewWithoutItsSnapshotIsOfOneMomentOrNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		user, add := viewed(t, s)
		for _, changes := range []bool{false, true} {
			read := 0
			err := s.ViewAccount(t.Context(), user, func(v *store.AccountView) error {
				return v.EachExpense(func(models.Expense, []models.Share) error {
					if read++; read == 10 {
						v.EndSnapshot()
						if changes {
							add(1)
						}
					}
					return nil
				})
			})
			if changes && models.KindOf(err) != models.Unavailable {
				t.Errorf("the account changed, and the error is %v", err)
			}
			if !changes && (err != nil || read != 600) {
				t.Errorf("%d expenses, %v", read, err)
			}
		}
	})
}

func TestAViewOfNobodyIsNotFound(t *testing.T) {
	s := storetest.New(t)
	err := s.ViewAccount(t.Context(), storetest.ID(), func(*store.AccountView) error { return nil })
	if models.KindOf(err) != models.NotFound {
		t.Errorf("%v", err)
	}
}
