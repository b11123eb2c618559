package transfer

import (
	"context"

	"expenseflow/internal/store"
	"expenseflow/internal/store/find"
)

// SummaryOf is the Summary of now.
func SummaryOf(ctx context.Context, s *store.Store) (m Summary, err error) {
	err = inSnapshot(ctx, s, func(v *snapshot) (err error) {
		m, err = v.summary()
		return err
	})
	return m, err
}

// LiveTables are the tables that the database has.
func LiveTables(ctx context.Context, s *store.Store) ([]string, error) {
	query := "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if !s.Database().OnSQLite() {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	return find.All[string](s.Database().Read(ctx).Raw(query))
}

// Count is how many rows a table has.
func Count(ctx context.Context, s *store.Store, table string) (n int64, err error) {
	err = s.Database().Read(ctx).Table(table).Count(&n).Error
	return n, err
}
