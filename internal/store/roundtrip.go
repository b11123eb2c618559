package store

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// On PostgreSQL a transaction makes two round trips, besides those of what it reads: BEGIN
// travels with the statement that locks the users' rows, and COMMIT with the one statement that
// writes everything that is buffered. A server on another machine is a millisecond away, and
// each round trip costs both sides a switch between processes.

// A statement inserts or updates rows. Its parameters are $1, $2 and on.
type statement struct {
	text string
	args []any
}

// enqueue has a statement wait for send or commit. Statements that wait together must not
// change the same row, for they become one.
func (st *txState) enqueue(text string, args ...any) {
	st.queued = append(st.queued, statement{text, args})
}

// beginLocking begins the transaction, locks its users in the order of their ids and calls fn
// with each.
func (st *txState) beginLocking(fn func(models.User) error) error {
	query, param := selectUser+"id = $1 FOR UPDATE", any(st.acting)
	if len(st.locked) > 1 {
		query, param = selectUser+"id = ANY ($1) ORDER BY id FOR UPDATE", any(st.locked)
	}
	var b pgx.Batch
	b.Queue("BEGIN")
	b.Queue(query, param)
	return st.sendBatch(&b, func(answers pgx.BatchResults) error {
		if _, err := answers.Exec(); err != nil {
			return err
		}
		found, err := answers.Query()
		if err != nil {
			return err
		}
		return rows.EachOf(pgxResult{found}, fn)
	})
}

// send writes what waits.
func (st *txState) send() error {
	switch {
	case len(st.queued) == 0:
		return nil
	case st.unlocked != nil:
		return st.stray()
	}
	all := combined(st.takeQueued())
	_, err := st.db.Statement.ConnPool.ExecContext(st.ctx, all.text, all.args...)
	return st.s.db.Fail(err)
}

// errRolledBack is how the server answers a COMMIT of a transaction that has failed.
var errRolledBack = errors.New("the database rolled the transaction back")

// commit writes what waits and commits.
func (st *txState) commit() error {
	var b pgx.Batch
	if len(st.queued) > 0 {
		all := combined(st.takeQueued())
		b.Queue(all.text, all.args...)
	}
	b.Queue("COMMIT")
	return st.sendBatch(&b, func(answers pgx.BatchResults) error {
		for range b.Len() - 1 {
			if _, err := answers.Exec(); err != nil {
				return err
			}
		}
		done, err := answers.Exec()
		if err == nil && done.String() != "COMMIT" {
			err = errRolledBack
		}
		return err
	})
}

// sendBatch sends statements at once and has read take their answers. After one that fails
// the server runs none of those that follow.
func (st *txState) sendBatch(b *pgx.Batch, read func(pgx.BatchResults) error) error {
	return st.s.db.Fail(onPgx(st.conn, func(c *pgx.Conn) error {
		answers := c.SendBatch(st.ctx, b)
		err := read(answers)
		if closeErr := answers.Close(); err == nil {
			err = closeErr
		}
		return err
	}))
}

func (st *txState) takeQueued() (waiting []statement) {
	waiting, st.queued = st.queued, nil
	return waiting
}

// combined makes one statement: all but the last are its WITH queries, w0, w1 and on. The
// server runs each of them once, whatever the last one does.
func combined(all []statement) statement {
	var text strings.Builder
	var args []any
	last := len(all) - 1
	for i, s := range all[:last] {
		text.WriteString([]string{"WITH w", ", w"}[min(i, 1)] + strconv.Itoa(i) + " AS (")
		renumber(&text, s.text, len(args))
		text.WriteString(") ")
		args = append(args, s.args...)
	}
	renumber(&text, all[last].text, len(args))
	return statement{text.String(), append(args, all[last].args...)}
}

// renumber writes a statement with its parameters counted from after one of them on.
func renumber(to *strings.Builder, text string, after int) {
	for {
		before, rest, found := strings.Cut(text, "$")
		to.WriteString(before)
		if !found {
			return
		}
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		n, _ := strconv.Atoi(rest[:digits])
		to.WriteString("$" + strconv.Itoa(n+after))
		text = rest[digits:]
	}
}

// onPgx runs fn on a connection as the driver has it.
func onPgx(conn *sql.Conn, fn func(*pgx.Conn) error) error {
	return conn.Raw(func(c any) error { return fn(c.(*stdlib.Conn).Conn()) })
}

// A pgxResult is a result of pgx.
type pgxResult struct{ pgx.Rows }

// Columns implements rows.Result.
func (r pgxResult) Columns() (names []string, err error) {
	for _, f := range r.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names, nil
}

// Close implements rows.Result.
func (r pgxResult) Close() error { r.Rows.Close(); return nil }
