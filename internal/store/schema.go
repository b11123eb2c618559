package store

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"expenseflow/models"

	"gorm.io/gorm/schema"
)

// rowTypes is every table of the schema.
var rowTypes = []any{
	&metaRow{}, &userRow{}, &revokedTokenRow{}, &expenseRow{}, &changeRow{},
	&operationRow{}, &aliasRow{}, &deviceRow{}, &postedCreateRow{},
	&dailyTotalRow{}, &budgetRow{}, &notificationRow{}, &shareRow{}, &activityRow{}, &userDeviceRow{}, &keptRoomsRow{},
	&goalRow{}, &preferencesRow{},
	&invitationRow{}, &contactRow{},
}

// checkSchema compares the live schema with the row types, so that a database
// that somebody changed by hand is refused at once and not by one request in a
// thousand.
func (s *Store) checkSchema(ctx context.Context) error {
	var problems []string
	for _, row := range rowTypes {
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
	want, err := schema.Parse(row, &sync.Map{}, s.w.NamingStrategy)
	if err != nil {
		return nil, err
	}
	live, err := s.describe(ctx, want.Table)
	if err != nil {
		return nil, err
	}
	return differences(want.Table, expected(want), live), nil
}

// A shape describes a table in words that both engines share: each of its
// columns and indexes, by name.
type shape map[string]string

func expected(want *schema.Schema) shape {
	words := shape{}
	for _, f := range want.Fields {
		words["column "+f.DBName] = columnWords(fieldKinds[f.DataType], f.FieldType.Kind() == reflect.Pointer, f.PrimaryKey)
	}
	for _, index := range want.ParseIndexes() {
		var columns []string
		for _, f := range index.Fields {
			columns = append(columns, f.DBName)
		}
		words["index "+index.Name] = indexWords(index.Class == "UNIQUE", strings.Join(columns, ", "))
	}
	return words
}

var fieldKinds = map[schema.DataType]string{schema.String: "text", schema.Int: "integer", schema.Bytes: "bytes"}

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

// describe gives the shape of the live table, empty if there is none.
func (s *Store) describe(ctx context.Context, table string) (shape, error) {
	words := shape{}
	err := s.rows(ctx, s.w, s.d.columns(), []any{table}, func(row scanner) error {
		var name, kind string
		var nullable, key bool
		err := row.Scan(&name, &kind, &nullable, &key)
		words["column "+name] = columnWords(kindWord(kind), nullable, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return words, s.rows(ctx, s.w, s.d.indexes(), []any{table}, func(row scanner) error {
		var name, columns string
		var unique bool
		err := row.Scan(&name, &unique, &columns)
		words["index "+name] = indexWords(unique, columns)
		return err
	})
}

// kindWord gives a column type of either engine a common name.
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
