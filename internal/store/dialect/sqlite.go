package dialect

import (
	"errors"
	"strconv"

	"expenseflow/internal/rawjson"
	"expenseflow/internal/store/rows"

	"github.com/glebarez/go-sqlite"
	"gorm.io/gorm/clause"
)

// SQLite is the dialect of SQLite. Lists and rows travel as one JSON parameter:
// the driver finds each parameter by a linear search, so that a statement with
// a thousand of them costs more than the insert itself.
type SQLite struct {
	Damaged func(error) // called with errors that mean that the file is damaged; may be nil
}

// Name implements Dialect.
func (SQLite) Name() string { return "sqlite" }

// RowVersion implements Dialect. A transaction that writes has the whole file.
func (SQLite) RowVersion() string { return "''" }

// ForShare implements Dialect. Whoever writes waits for such transactions already.
func (SQLite) ForShare(bool) string { return "" }

// BeginRead implements Dialect.
func (SQLite) BeginRead() string { return "BEGIN DEFERRED" }

// Columns implements Dialect.
func (SQLite) Columns() string {
	return `SELECT name, type AS kind, "notnull" = 0 AS nullable, pk > 0 AS key FROM pragma_table_info(?)`
}

// Indexes implements Dialect.
func (SQLite) Indexes() string {
	return `SELECT l.name, l."unique" AS uniq, (SELECT group_concat(i.name, ', ') FROM pragma_index_info(l.name) i) AS columns
		FROM pragma_index_list(?) l WHERE l.origin = 'c'`
}

// In implements Dialect.
func (SQLite) In(column string, values []string) clause.Expr {
	b := []byte{'['}
	for i, v := range values {
		b = rawjson.AppendString(comma(b, i), v)
	}
	return clause.Expr{SQL: column + " IN (SELECT value FROM json_each(?))", Vars: []any{string(append(b, ']'))}}
}

// Insert implements Dialect.
func (d SQLite) Insert(t *rows.Table, values [][]any, onConflict string) (string, []any) {
	query := t.Statement(d.Name(), onConflict, func() string {
		return "INSERT INTO " + t.Name + " (" + t.Names() + ") SELECT " +
			t.Each(func(i int, _ rows.Column) string { return "value ->> " + strconv.Itoa(i) }) +
			" FROM jsonb_each(?) WHERE true" + onConflict
	})
	b := []byte{'['}
	for i, row := range values {
		b = appendJSONRow(comma(b, i), row)
	}
	return query, []any{string(append(b, ']'))}
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func appendJSONRow(b []byte, row []any) []byte {
	b = append(b, '[')
	for i, v := range row {
		b = comma(b, i)
		switch v := v.(type) {
		case string:
			b = rawjson.AppendString(b, v)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case *int64:
			b = appendNullable(b, v)
		}
	}
	return append(b, ']')
}

func appendNullable(b []byte, v *int64) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, *v, 10)
}

// Result codes of SQLite (sqlite.org/rescode.html), primary ones but for the
// two that tell uniqueness from other constraints.
const (
	sqliteError            = 1
	sqliteCorrupt          = 11
	sqliteTooBig           = 18
	sqliteConstraint       = 19
	sqliteMismatch         = 20
	sqliteMisuse           = 21
	sqliteRange            = 25
	sqliteNotADatabase     = 26
	sqliteConstraintKey    = 1555
	sqliteConstraintUnique = 2067
)

// Classify implements Dialect.
func (d SQLite) Classify(err error) Class {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return classifyOther(err)
	}
	switch e.Code() {
	case sqliteConstraintKey, sqliteConstraintUnique:
		return Duplicate
	}
	switch e.Code() & 0xff {
	case sqliteCorrupt, sqliteNotADatabase:
		if d.Damaged != nil {
			d.Damaged(err)
		}
	case sqliteConstraint, sqliteTooBig, sqliteMismatch:
		return BadData
	case sqliteError, sqliteMisuse, sqliteRange:
		return Defect
	}
	return Temporary
}
