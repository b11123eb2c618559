// Package dialect has the SQL and the errors in which SQLite and PostgreSQL differ: how
// statements that GORM does not build are spelt, how many rows are inserted at once, and what
// errors mean (Fail makes them models').
//
// It is not all that another database would need. Package store also differs in how a database
// is opened and pooled and in its settings (sqlite.go, postgres.go), in its writers (a commit
// queue, or one transaction each: write.go), in COPY (flush.go), and in migrations and their lock
// (migrate.go, folder migrations); and the packages epoch, processes, transfer and sqlitefile are
// about one of the two. ON CONFLICT (flush.go, totals.go, epoch) is common to both.
package dialect

import (
	"encoding/json"
	"errors"

	"expenseflow/internal/store/rows"

	"gorm.io/gorm/clause"
)

// A Dialect is what differs between the databases.
type Dialect interface {
	Name() string
	// In is the condition that column is one of values, which travel as one parameter:
	// the statement is the same for any number of them.
	In(column string, values []string) clause.Expr
	// Insert is one statement for any number of rows, and the parameters that bring these
	// values, in the order of the table's columns. onConflict, if not empty, is appended.
	Insert(t *rows.Table, values [][]any, onConflict string) (string, []any)
	// RowVersion is an expression of text that differs after any change of a row; '' where
	// nobody asks.
	RowVersion() string
	// ForShare ends a SELECT that waits for the transactions which have its rows ForUpdate, or
	// leaves such rows out.
	ForShare(leaveOut bool) string
	// BeginRead begins a transaction that reads the database as it is at its first
	// statement and keeps no writer waiting.
	BeginRead() string
	// Columns selects name, kind, and as 0 or 1 nullable and key (whether it is in the
	// primary key) of the columns of the live table that is its parameter. Indexes selects
	// name, uniq (0 or 1) and columns of its secondary indexes.
	Columns() string
	Indexes() string
	// Classify says what can be done about an error of the driver.
	Classify(err error) Class
}

// A Class of driver errors says what can be done about them.
type Class uint8

// The classes.
const (
	Defect    Class = iota // of this program: models.Internal
	Temporary              // an error of the database that may pass: models.Unavailable
	Retry                  // the transaction may succeed if it runs again
	BadData                // the database refuses the data: DataError
	Duplicate              // a uniqueness rule refuses the data: DataError too
)

// classifyOther classifies what did not come from the engine itself: a cancelled
// context, a closed pool, a broken connection. A value that cannot be encoded
// is the one defect among them.
func classifyOther(err error) Class {
	var unsupported *json.UnsupportedTypeError
	if errors.As(err, &unsupported) {
		return Defect
	}
	return Temporary
}
