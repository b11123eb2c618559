package processes_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testneed.FewerChecksWithRace()
	goleak.VerifyTestMain(m)
}

// engines runs test on both engines with a fresh store.
func engines(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		test(t, storetest.Open(t, options(t)))
	})
}

func expense(userID string) models.Expense {
	at := models.Millis(time.Now())
	return models.Expense{
		ID: storetest.ID(), UserID: userID, Description: "Lunch", Amount: 12_345_000, Category: "food", Type: "expense",
		Date: at, Day: models.DayOf(at, time.UTC), Currency: "EUR", Version: 1, LastSyncedAt: at, CreatedAt: at, UpdatedAt: at,
	}
}

// add stores an expense and its change.
func add(s *store.Store, userID string) (string, error) {
	e := expense(userID)
	return e.ID, s.Write(context.Background(), userID, func(tx *store.Tx) error {
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, models.Author{})
		return nil
	})
}

// count is how many rows a table has.
func count(t testing.TB, s *store.Store, table string) (n int64) {
	t.Helper()
	if err := s.Database().Read(t.Context()).Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// persistence is how PostgreSQL keeps each table of running processes: "u" is unlogged.
func persistence(t testing.TB, s *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, row := range store.ProcessTables() {
		table := rows.Of(row).Name
		query := s.Database().Read(t.Context()).Raw("SELECT relpersistence::text FROM pg_class WHERE oid = to_regclass(?)", table)
		kind, err := find.One[string](query)
		if err != nil {
			t.Fatal(err)
		}
		all[table] = kind
	}
	return all
}

// errOnPurpose undoes a transaction.
var errOnPurpose = errors.New("undone on purpose")
