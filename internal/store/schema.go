package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/account"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/figures"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/processes"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
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
	return differences(want.Name, expected(want), live), nil
}

// A shape describes a table in words that both databases share: each of its
// columns and indexes, by name.
type shape map[string]string

func expected(want *rows.Table) shape {
	words := shape{}
	for _, c := range want.Columns {
		words["column "+c.Name] = columnWords(kindNames[c.Kind], c.Kind == rows.NullableInteger, c.Key)
	}
	for _, index := range want.Indexes {
		words["index "+index.Name] = indexWords(index.Unique, strings.Join(index.Columns, ", "))
	}
	return words
}

var kindNames = map[rows.Kind]string{
	rows.Text: "text", rows.Integer: "integer", rows.NullableInteger: "integer", rows.Bytes: "bytes",
	rows.TransactionID: "xid8",
}

func columnWords(kind string, nullable, key bool) string {
	if nullable {
		kind += ", may be null"
	}
	if key {
		kind += ", in the primary key"
	}
	return kind
}

func indexWords(unique bool, columns string) string {
	if unique {
		return "unique on " + columns
	}
	return "on " + columns
}

// describe returns the shape of the live table, empty if there is none.
func (s *Store) describe(ctx context.Context, table string) (shape, error) {
	return s.describeIn(s.db.Writer.WithContext(ctx), table)
}

// describeIn is describe on a connection.
func (s *Store) describeIn(db *gorm.DB, table string) (shape, error) {
	type column struct {
		Name, Kind string
		Nullable   bool `gorm:"serializer:flag"`
		Key        bool `gorm:"serializer:flag"`
	}
	type index struct {
		Name, Columns string
		Uniq          bool `gorm:"serializer:flag"`
	}
	words := shape{}
	err := find.Each(db.Raw(s.db.Columns(), table), func(c column) error {
		words["column "+c.Name] = columnWords(kindWord(c.Kind), c.Nullable, c.Key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return words, find.Each(db.Raw(s.db.Indexes(), table), func(i index) error {
		words["index "+i.Name] = indexWords(i.Uniq, i.Columns)
		return nil
	})
}

// kindWord maps a column type of either database to a common name.
func kindWord(columnType string) string {
	switch strings.ToLower(columnType) {
	case "bigint":
		return "integer"
	case "blob", "bytea":
		return "bytes"
	}
	return strings.ToLower(columnType)
}

// differences says in order what of a table is not as it should be. Indexes that
// somebody added are theirs.
func differences(table string, want, live shape) []string {
	if len(live) == 0 {
		return []string{"table " + table + " is missing"}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if l, ok := live[name]; !ok {
			found = append(found, fmt.Sprintf("%s lacks %s", table, name))
		} else if l != want[name] {
			found = append(found, fmt.Sprintf("%s of %s is %s instead of %s", name, table, l, want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(live)) {
		if _, ok := want[name]; !ok && !strings.HasPrefix(name, "index ") {
			found = append(found, fmt.Sprintf("%s has an unknown %s", table, name))
		}
	}
	return found
}
