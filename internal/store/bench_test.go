package store_test

import (
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
	by := models.Author{DeviceID: "device_abc123xyz"}
	for i, key := range keys {
		if _, found, err := tx.OperationByKey(key); found || err != nil {
			return err
		}
		temp := fmt.Sprintf("temp_%d_%d", batch, i)
		e := expense(tx.User().ID)
		e.LastSyncedAt = tx.Now()
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, by)
		tx.SetAlias(by.DeviceID, temp, e.ID)
		tx.InsertOperation(operation(tx, key, temp, &e))
	}
	tx.TouchDevice(by)
	return nil
}

// BenchmarkSingle writes one expense and its change per transaction, from
// several goroutines as requests do.
func BenchmarkSingle(b *testing.B) {
	s := storetest.New(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		u := storetest.User(b, s)
		for pb.Next() {
			e := expense(u.ID)
			err := s.Write(b.Context(), u.ID, func(tx *store.Tx) error {
				tx.InsertExpense(e)
				tx.AppendChange(models.ExpenseCreated, e, models.Author{})
				return nil
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkChanges reads one change from the end of a log, as is done for each event.
func BenchmarkChanges(b *testing.B) {
	s := storetest.New(b)
	u := storetest.User(b, s)
	for range 100 {
		write(b, s, u.ID, func(tx *store.Tx) { tx.AppendChange(models.ExpenseCreated, expense(u.ID), models.Author{}) })
	}
	b.ReportAllocs()
	for b.Loop() {
		if page, err := s.Changes(b.Context(), u.ID, 99, 100); len(page) != 1 || err != nil {
			b.Fatal(page, err)
		}
	}
}

// BenchmarkList streams a list of expenses that is longer than a chunk.
func BenchmarkList(b *testing.B) {
	s := storetest.New(b)
	u := storetest.User(b, s)
	fill(b, s, u.ID, 1000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := s.EachExpense(b.Context(), u.ID, func(models.Expense) error { n++; return nil })
		if n != 1000 || err != nil {
			b.Fatal(n, err)
		}
	}
}
