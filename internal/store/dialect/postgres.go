package dialect

import (
	"database/sql/driver"
	"errors"
	"strconv"

	"expenseflow/internal/store/rows"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm/clause"
)

// Postgres is the dialect of PostgreSQL. Lists and columns travel as arrays, so
// that a statement reads the same for any number of rows and is prepared once.
type Postgres struct{}

// Name implements Dialect.
func (Postgres) Name() string { return "postgres" }

// In implements Dialect.
func (Postgres) In(column string, values []string) clause.Expr {
	return clause.Expr{SQL: column + " = ANY(?)", Vars: []any{textArray(values)}}
}

// A textArray is one parameter; GORM makes one of each element of a plain slice.
type textArray []string

// Value implements driver.Valuer.
func (a textArray) Value() (driver.Value, error) { return []string(a), nil }

// RowVersion implements Dialect. It names the transaction that wrote the row.
func (Postgres) RowVersion() string { return "xmin::text" }

// ForShare implements Dialect.
func (Postgres) ForShare(leaveOut bool) string {
	if leaveOut {
		return " FOR KEY SHARE SKIP LOCKED"
	}
	return " FOR KEY SHARE"
}

// BeginRead implements Dialect.
func (Postgres) BeginRead() string { return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" }

// Columns implements Dialect.
func (Postgres) Columns() string {
	return `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS kind, (NOT a.attnotnull)::int AS nullable,
			(a.attnum = ANY(COALESCE(p.indkey::int2[], '{}')))::int AS key
		FROM pg_attribute a LEFT JOIN pg_index p ON p.indrelid = a.attrelid AND p.indisprimary
		WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped`
}

// Indexes implements Dialect.
func (Postgres) Indexes() string {
	return `SELECT c.relname AS name, i.indisunique::int AS uniq, (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
			FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) AS columns
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = to_regclass(?) AND NOT i.indisprimary`
}

// Insert implements Dialect.
func (d Postgres) Insert(t *rows.Table, values [][]any, onConflict string) (string, []any) {
	query := t.Statement(d.Name(), onConflict, func() string {
		return "INSERT INTO " + t.Name + " (" + t.Names() + ") SELECT * FROM unnest(" +
			t.Each(func(i int, c rows.Column) string { return "$" + strconv.Itoa(i+1) + arrayCast[c.Kind] }) + ")" + onConflict
	})
	params := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		params[i] = columnArray(c.Kind, values, i)
	}
	return query, params
}

var arrayCast = map[rows.Kind]string{rows.Text: "::text[]", rows.Integer: "::bigint[]", rows.NullableInteger: "::bigint[]"}

func columnArray(k rows.Kind, all [][]any, i int) any {
	switch k {
	case rows.Integer:
		return collect[int64](all, i)
	case rows.NullableInteger:
		return collect[*int64](all, i)
	default:
		return collect[string](all, i)
	}
}

func collect[T any](all [][]any, i int) []T {
	values := make([]T, len(all))
	for n, row := range all {
		values[n] = row[i].(T)
	}
	return values
}

// Classify implements Dialect.
func (Postgres) Classify(err error) Class {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return classifyOther(err)
	}
	switch e.Code {
	case "23505": // unique_violation
		return Duplicate
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return Retry
	}
	switch e.Code[:2] {
	case "22", "23", "54": // data exception, integrity constraint violation, program limit exceeded
		return BadData
	case "42", "0A", "26", "34": // wrong SQL
		return Defect
	}
	return Temporary
}
