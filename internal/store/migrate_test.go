package store_test

import (
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
)

func TestAnOlderSchemaUnderARunningProgramIsNoticed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		if err := s.Migrated(t.Context()); err != nil {
			t.Fatalf("just opened: %v", err)
		}
		if err := s.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, ?)", true); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrated(t.Context()); err != nil {
			t.Errorf("after a newer process: %v", err)
		}
		if err := s.Exec(t.Context(), "DELETE FROM goose_db_version WHERE version_id > 0"); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrated(t.Context()); err == nil {
			t.Error("an empty history passes")
		}
	})
}
