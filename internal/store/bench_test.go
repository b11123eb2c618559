package store_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// BenchmarkBatch writes batches of 100 offline creates as reconcile does: each
// an expense, a change, an operation and an alias.
func BenchmarkBatch(b *testing.B) {
	s := storetest.New(b)
	u := storetest.User(b, s)
	const size = 100
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Write(b.Context(), u.ID, func(tx *store.Tx) error { return createMany(tx, i, size) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size*b.N)/b.Elapsed().Seconds(), "ops/s")
}

func createMany(tx *store.Tx, batch, size int) error {
	keys := make([]string, size)
	for i := range keys {
		keys[i] = fmt.Sprintf("%060d%04d", batch, i)
	}
	if err := tx.Preload(store.Preload{OperationKeys: keys}); err != nil {
		return err
	}
	for i, key := range keys {
		if _, found, err := tx.OperationByKey(key); found || err != nil {
			return err
		}
		temp := fmt.Sprintf("temp_%d_%d", batch, i)
		e := expense(tx.User().ID)
		e.LastSyncedAt = tx.Now()
		by := models.Author{DeviceID: "device_abc123xyz"}
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, by)
		tx.SetAlias(by.DeviceID, temp, e.ID)
		tx.InsertOperation(operation(tx, key, temp, e))
	}
	tx.TouchDevice("device_abc123xyz")
	return nil
}

func operation(tx *store.Tx, key, temp string, e models.Expense) models.QueuedOperation {
	at := int64(1_700_000_000_000)
	return models.QueuedOperation{
		ID: storetest.ID(), UserID: e.UserID, Key: key, State: models.Applied,
		Operation: models.Operation{
			Action: models.Create, ResourceType: "expense", ResourceID: temp, DeviceID: "device_abc123xyz",
			Data:      json.RawMessage(`{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`),
			Timestamp: &at,
		},
		Result:    models.Result{ResourceID: temp, Status: models.StatusCreated, Expense: &e},
		CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
}

// BenchmarkSingle writes one expense and its change per transaction.
func BenchmarkSingle(b *testing.B) {
	s := storetest.New(b)
	u := storetest.User(b, s)
	for b.Loop() {
		e := expense(u.ID)
		err := s.Write(b.Context(), u.ID, func(tx *store.Tx) error {
			tx.InsertExpense(e)
			tx.AppendChange(models.ExpenseCreated, e, models.Author{})
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
