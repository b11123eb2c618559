package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/account"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/figures"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/processes"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/internal/store/schema"
	"expenseflow/models"
)

// rowTypes is every table that both databases have.
var rowTypes = []any{
	epoch.Meta{},
	models.User{},
	revokedToken{},
	models.Expense{},
	record.ChangeRow{},
	operations.Row{},
	alias{},
	device{},
	Post{},
	figures.DailyTotal{},
	models.BudgetState{},
	models.Notification{},
	access.ShareRow{},
	models.Activity{},
	userDevice{},
	processes.KeptRooms{},
	models.Goal{},
	account.PreferencesRow{},
	access.InvitationRow{},
	contact{},
	models.Import{},
	models.ImportedRow{},
}

// processRowTypes is every table that PostgreSQL has besides, for processes that share it.
// Their rows are of running processes: they follow neither users nor backups.
var processRowTypes = []any{processes.MovedRow{}, processes.Row{}, processes.PresentRow{}}

// tables is every table of the schema.
func (s *Store) tables() []any {
	if s.db.OnSQLite() {
		return rowTypes
	}
	return slices.Concat(rowTypes, processRowTypes)
}

// checkSchema compares the live schema with these tables, so that a database that
// was changed by hand is refused at once, and not by one request in a thousand.
func (s *Store) checkSchema(ctx context.Context) error {
	var problems []string
	for _, row := range s.tables() {
		found, err := s.tableProblems(ctx, row)
		if err != nil {
			return fmt.Errorf("check schema: %w", err)
		}
		problems = append(problems, found...)
	}
	if len(problems) > 0 {
		return models.E(models.Unavailable, "The database's schema is not the one this program made: "+strings.Join(problems, "; "))
	}
	return nil
}

func (s *Store) tableProblems(ctx context.Context, row any) ([]string, error) {
	want := rows.Of(row)
	live, err := s.describe(ctx, want.Name)
	if err != nil {
		return nil, err
	}
	return schema.Differences(want.Name, schema.Expected(want), live), nil
}

// describe returns the shape of the live table, empty if there is none.
func (s *Store) describe(ctx context.Context, table string) (schema.Shape, error) {
	return schema.Describe(s.db.Writer.WithContext(ctx), s.db, table)
}
