package store

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/glebarez/go-sqlite"
	"github.com/jackc/pgx/v5/pgconn"
)

// A dialect is everything in which the two engines differ once they are open:
// how SQL is spelt and what their errors mean. Opening them is the business of
// sqlite.go and postgres.go.
type dialect interface {
	name() string
	// sql turns the parameter marks of query, "?", into the engine's.
	sql(query string) string
	// in is the condition that column is one of a list; it has one parameter,
	// which list makes.
	in(column string) string
	list(values []string) any
	// insert is one statement for any number of rows, and the parameters that
	// bring these rows. onConflict, if not empty, is appended.
	insert(t *table, rows [][]any, onConflict string) (string, []any)
	// forUpdate follows a SELECT that locks what it reads.
	forUpdate() string
	// beginRead begins a transaction that reads the database as it is at its first
	// statement and keeps no writer waiting.
	beginRead() string
	// columns selects name, type, and as 0 or 1 whether nullable and in the
	// primary key, of the live table that is its parameter. indexes selects name,
	// uniqueness and columns of its secondary indexes.
	columns() string
	indexes() string
	judge(err error) verdict
}

// A verdict says what can be done about a driver's error.
type verdict uint8

const (
	defect    verdict = iota // of this program: models.Internal
	trouble                  // of the database: models.Unavailable
	again                    // the transaction may succeed if it runs again
	badData                  // the database refuses the data: DataError
	duplicate                // a uniqueness rule refuses the data: DataError too
)

// A kind is what a column holds. More are not needed: times and amounts are
// integers, which compare and order the same in both engines.
type kind uint8

const (
	text            kind = iota // string
	integer                     // int64
	nullableInteger             // *int64
)

type column struct {
	name string
	kind kind
}

// A table is what the bulk statements need to know of one.
type table struct {
	name    string
	key     string // the columns of the primary key
	columns []column
}

func (t *table) names() string {
	return t.each(func(_ int, c column) string { return c.name })
}

// namesOf is names, each said to be of the table alias.
func (t *table) namesOf(alias string) string {
	return t.each(func(_ int, c column) string { return alias + "." + c.name })
}

// each joins one piece of SQL per column.
func (t *table) each(piece func(int, column) string) string {
	pieces := make([]string, len(t.columns))
	for i, c := range t.columns {
		pieces[i] = piece(i, c)
	}
	return strings.Join(pieces, ", ")
}

// overwrite is the onConflict that replaces the row with the same key.
func (t *table) overwrite() string {
	return " ON CONFLICT (" + t.key + ") DO UPDATE SET " +
		t.each(func(_ int, c column) string { return c.name + " = excluded." + c.name })
}

// sqliteDialect speaks to SQLite. Lists and rows travel as one JSON parameter:
// the driver finds each parameter by a linear search, so that a statement with
// a thousand of them costs more than the insert itself.
type sqliteDialect struct {
	damaged func(error) // hears of errors which say that the file is damaged; nil hears nothing
}

func (sqliteDialect) name() string            { return "sqlite" }
func (sqliteDialect) sql(query string) string { return query }
func (sqliteDialect) forUpdate() string       { return "" }
func (sqliteDialect) beginRead() string       { return "BEGIN DEFERRED" }

func (sqliteDialect) columns() string {
	return `SELECT name, type, "notnull" = 0, pk > 0 FROM pragma_table_info(?)`
}

func (sqliteDialect) indexes() string {
	return `SELECT l.name, l."unique", (SELECT group_concat(i.name, ', ') FROM pragma_index_info(l.name) i)
		FROM pragma_index_list(?) l WHERE l.origin = 'c'`
}

func (sqliteDialect) in(column string) string {
	return column + " IN (SELECT value FROM json_each(?))"
}

func (sqliteDialect) list(values []string) any {
	b := []byte{'['}
	for i, v := range values {
		b = appendJSONString(comma(b, i), v)
	}
	return string(append(b, ']'))
}

func (sqliteDialect) insert(t *table, rows [][]any, onConflict string) (string, []any) {
	query := "INSERT INTO " + t.name + " (" + t.names() + ") SELECT " +
		t.each(func(i int, _ column) string { return "value ->> " + strconv.Itoa(i) }) +
		" FROM jsonb_each(?) WHERE true" + onConflict
	b := []byte{'['}
	for i, row := range rows {
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
			b = appendJSONString(b, v)
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

// appendJSONString appends s, which is valid UTF-8, as a JSON string. It is
// encoding/json's without the escapes that only browsers need.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[start:]...), '"')
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
	sqliteConstraintKey    = 1555
	sqliteConstraintUnique = 2067
)

func (d sqliteDialect) judge(err error) verdict {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return judgeOther(err)
	}
	switch e.Code() {
	case sqliteConstraintKey, sqliteConstraintUnique:
		return duplicate
	}
	switch e.Code() & 0xff {
	case sqliteCorrupt, sqliteNotADatabase:
		if d.damaged != nil {
			d.damaged(err)
		}
	case sqliteConstraint, sqliteTooBig, sqliteMismatch:
		return badData
	case sqliteError, sqliteMisuse, sqliteRange:
		return defect
	}
	return trouble
}

// postgresDialect speaks to PostgreSQL. Lists and columns travel as arrays, so
// that a statement reads the same for any number of rows and is prepared once.
type postgresDialect struct{}

func (postgresDialect) name() string             { return "postgres" }
func (postgresDialect) in(column string) string  { return column + " = ANY(?)" }
func (postgresDialect) list(values []string) any { return values }
func (postgresDialect) forUpdate() string        { return " FOR UPDATE" }
func (postgresDialect) beginRead() string {
	return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
}

func (postgresDialect) columns() string {
	return `SELECT a.attname, format_type(a.atttypid, NULL), (NOT a.attnotnull)::int,
			(a.attnum = ANY(COALESCE(p.indkey::int2[], '{}')))::int
		FROM pg_attribute a LEFT JOIN pg_index p ON p.indrelid = a.attrelid AND p.indisprimary
		WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped`
}

func (postgresDialect) indexes() string {
	return `SELECT c.relname, i.indisunique::int, (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
			FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = to_regclass(?) AND NOT i.indisprimary`
}

func (postgresDialect) sql(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

func (postgresDialect) insert(t *table, rows [][]any, onConflict string) (string, []any) {
	query := "INSERT INTO " + t.name + " (" + t.names() + ") SELECT * FROM unnest(" +
		t.each(func(_ int, c column) string { return "?" + arrayCast[c.kind] }) + ")" + onConflict
	params := make([]any, len(t.columns))
	for i, c := range t.columns {
		params[i] = columnArray(c.kind, rows, i)
	}
	return query, params
}

var arrayCast = map[kind]string{text: "::text[]", integer: "::bigint[]", nullableInteger: "::bigint[]"}

func columnArray(k kind, rows [][]any, i int) any {
	switch k {
	case integer:
		return collect[int64](rows, i)
	case nullableInteger:
		return collect[*int64](rows, i)
	default:
		return collect[string](rows, i)
	}
}

func collect[T any](rows [][]any, i int) []T {
	values := make([]T, len(rows))
	for n, row := range rows {
		values[n] = row[i].(T)
	}
	return values
}

func (postgresDialect) judge(err error) verdict {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return judgeOther(err)
	}
	switch e.Code {
	case "23505": // unique_violation
		return duplicate
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return again
	}
	switch e.Code[:2] {
	case "22", "23", "54": // data exception, integrity constraint violation, program limit exceeded
		return badData
	case "42", "0A", "26", "34": // wrong SQL
		return defect
	}
	return trouble
}

// judgeOther judges what did not come from the engine itself: a cancelled
// context, a closed pool, a broken connection. A value that cannot be encoded
// is the one defect among them.
func judgeOther(err error) verdict {
	var unsupported *json.UnsupportedTypeError
	if errors.As(err, &unsupported) {
		return defect
	}
	return trouble
}
