package store

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/pipeline"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// The bulk path: what a transaction has buffered is written once, at its end, with one
// statement per table and way. Its statements are written by hand from GORM's schema, for a
// benchmark forbids GORM's: each row takes one parameter per column there, of which SQLite's
// driver finds each by a linear search, and PostgreSQL plans the statement anew for each
// number of rows (docs/decisions/0008).

// flush writes everything that is buffered.
func (tx *Tx) flush() error {
	if err := tx.gather(); err != nil {
		return err
	}
	return tx.note(tx.send())
}

// gather writes everything that is buffered or, on PostgreSQL, has it wait for send or commit.
func (tx *Tx) gather() error {
	if tx.failed != nil {
		return tx.failed
	}
	err := errors.Join(flushRows(tx, tx.expenses), tx.flushChanges())
	for _, t := range tx.txs {
		err = errors.Join(err, t.flushOwn())
	}
	return tx.note(err)
}

// flushOwn writes what is of this user alone.
func (tx *Tx) flushOwn() error {
	for _, step := range []func() error{
		tx.flushTotals,
		func() error { return flushRows(tx, tx.budgets) },
		func() error { return flushRows(tx, tx.notifications) },
		func() error { return flushRows(tx, tx.operations) },
		tx.flushAliases, tx.flushDevices,
		func() error { return flushRows(tx, tx.posts) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// flushRows writes what changed among rows that are buffered by their primary key.
func flushRows[R any](tx *Tx, buffer *pipeline.WriteBuffer[string, R]) error {
	f := buffer.Flush()
	t := rows.Of(*new(R))
	return errors.Join(tx.delete(t, f.Deletes), insert(tx, f.Inserts, ""), insert(tx, f.Updates, overwriteAll(t)))
}

// overwriteAll is the ON CONFLICT clause that replaces the row with the same key.
func overwriteAll(t *rows.Table) string {
	return t.Statement("overwriteAll", "", func() string {
		return " ON CONFLICT (" + t.Key() + ") DO UPDATE SET " +
			t.Each(func(_ int, c rows.Column) string { return c.Name + " = excluded." + c.Name })
	})
}

func (tx *Tx) flushChanges() error {
	changes := tx.freshChanges()
	for _, t := range tx.txs {
		if t != tx {
			changes = slices.Concat(changes, t.freshChanges())
		}
	}
	log := make([]record.ChangeRow, len(changes))
	for i := range changes {
		log[i] = record.NewChangeRow(&changes[i])
	}
	return insert(tx, log, "")
}

// freshChanges returns those of this user that are not written yet; they are now.
func (tx *Tx) freshChanges() []models.Change {
	fresh := tx.changes[tx.logged:]
	tx.logged = len(tx.changes)
	tx.wrote = tx.wrote || len(fresh) > 0
	return fresh
}

func (tx *Tx) flushAliases() error {
	f := tx.aliases.Flush()
	return errors.Join(insert(tx, f.Inserts, ""), insert(tx, f.Updates, overwriteAll(rows.Of(alias{}))))
}

func (tx *Tx) flushDevices() error {
	f := tx.devices.Flush()
	return insert(tx, append(f.Inserts, f.Updates...), seenAgain)
}

// seenAgain keeps first_seen.
var seenAgain = " ON CONFLICT (" + rows.Of(device{}).Key() + ") DO UPDATE SET last_acted = excluded.last_acted"

// movingColumns are what a transaction may move in the user's row.
var movingColumns = rows.Of(models.User{}).Part("seq", "last_synced_at", "last_applied_at", "totals", "unread", "budgets",
	"received", "revocations", "expenses", "time_zone", "currency")

// moveUser is written by hand, as is the statement that locks the row: GORM builds an UPDATE
// anew each time, which is a fifth of the memory of a transaction that stores one expense
// (BenchmarkSingle).
var (
	moveUser = "UPDATE users SET " + movingColumns.Each(func(_ int, c rows.Column) string { return c.Name + " = ?" }) +
		" WHERE id = ?"
	moveUserNumbered = numbered(moveUser)

	// unchanged is what an unlocked transaction appends to it.
	unchanged = " AND xmin::text = $" + strconv.Itoa(len(movingColumns.Columns)+2) + " RETURNING id"
)

// numbered returns a statement with its parameters, each a question mark, as $1, $2 and on.
func numbered(query string) string {
	pieces := strings.Split(query, "?")
	for i := range pieces[1:] {
		pieces[i] += "$" + strconv.Itoa(i+1)
	}
	return strings.Join(pieces, "")
}

// saveUser writes what the transaction moved in the user's row, and that it moved the log.
func (tx *Tx) saveUser() error {
	if tx.failed != nil || !tx.wrote && !tx.movesLog() {
		return tx.failed
	}
	u := tx.user
	u.SyncedAt = tx.Now()
	values := append(movingColumns.Values(&u), u.ID)
	switch {
	case tx.s.db.OnSQLite():
		return tx.run(tx.orm().Exec(moveUser, values...))
	case tx.movesLog():
		tx.enqueue(noteMove+tx.guard(), u.ID)
	}
	tx.enqueue(moveUserNumbered, values...)
	return nil
}

// insert writes rows with one statement, which waits on PostgreSQL for send or commit. There
// many rows are written at once by COPY, which knows no ON CONFLICT.
func insert[R any](tx *Tx, all []R, onConflict string) error {
	if len(all) == 0 {
		return nil
	}
	t := rows.Of(all[0])
	values := make([][]any, len(all))
	for i := range all {
		values[i] = t.Values(&all[i])
		if err := database.CheckText(values[i]...); err != nil {
			return err
		}
	}
	tx.wrote = true
	if tx.failed != nil {
		return tx.failed
	}
	if !tx.s.db.OnSQLite() {
		return tx.note(insertOnPostgres(tx, t, values, onConflict))
	}
	query, args := tx.s.db.Insert(t, values, onConflict)
	_, err := tx.db.Statement.ConnPool.ExecContext(tx.ctx, query, args...)
	return tx.note(tx.s.db.Fail(err))
}

func insertOnPostgres(tx *Tx, t *rows.Table, values [][]any, onConflict string) error {
	if onConflict != "" || len(values) < dialect.MinCopy {
		query, args := tx.s.db.Insert(t, values, tx.guard()+onConflict)
		tx.enqueue(query, args...)
		return nil
	}
	if tx.unlocked != nil {
		return tx.stray()
	}
	return tx.s.db.Fail(dialect.Copy(tx.ctx, tx.conn, t, values))
}

// delete removes rows that were read under the user's lock, hence theirs.
func (tx *Tx) delete(t *rows.Table, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	tx.wrote = true
	return tx.run(tx.orm().Where(tx.s.db.In(t.Key(), keys)).Delete(t.New()))
}
