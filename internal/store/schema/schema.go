// Package schema compares the tables of a live database with those that the structs of rows say.
package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"

	"gorm.io/gorm"
)

// A Shape describes a table in words that both databases share: each of its
// columns and indexes, by name.
type Shape map[string]string

// Expected is the shape that a table should have.
func Expected(want *rows.Table) Shape {
	words := Shape{}
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

// Describe returns the shape of the live table in a session, empty if there is none.
func Describe(session *gorm.DB, d dialect.Dialect, table string) (Shape, error) {
	type column struct {
		Name, Kind string
		Nullable   bool `gorm:"serializer:flag"`
		Key        bool `gorm:"serializer:flag"`
	}
	type index struct {
		Name, Columns string
		Uniq          bool `gorm:"serializer:flag"`
	}
	words := Shape{}
	err := find.Each(session.Raw(d.Columns(), table), func(c column) error {
		words["column "+c.Name] = columnWords(kindWord(c.Kind), c.Nullable, c.Key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return words, find.Each(session.Raw(d.Indexes(), table), func(i index) error {
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

// Differences says in order what of a table is not as it should be. Indexes that
// somebody added are theirs.
func Differences(table string, want, live Shape) []string {
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
