package store

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"expenseflow/models"
)

// flush writes everything that is buffered, one statement per table and way.
func (tx *Tx) flush() error {
	if tx.failed != nil {
		return tx.failed
	}
	err := errors.Join(tx.flushExpenses(), tx.flushChanges())
	for _, t := range tx.txs {
		err = errors.Join(err, t.flushOwn())
	}
	if tx.failed == nil {
		tx.failed = err
	}
	return tx.failed
}

// flushOwn writes what is of this user alone.
func (tx *Tx) flushOwn() error {
	for _, step := range []func() error{
		tx.flushTotals, tx.flushBudgets, tx.flushNotifications,
		tx.flushOperations, tx.flushAliases, tx.flushDevices, tx.flushPosts,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// flushRows writes what changed among rows whose key is their id.
func flushRows[R any](tx *Tx, t *table, rows *overlay[string, R], values func(R) []any) error {
	f := rows.flush()
	return errors.Join(
		tx.delete(t.name, t.key, f.deletes),
		save(tx, t, rows.rows(f.inserts), "", values),
		save(tx, t, rows.rows(f.updates), t.overwrite(), values),
	)
}

func (tx *Tx) flushExpenses() error {
	return flushRows(tx, expenseTable, tx.expenses, expenseValuesOf)
}

func expenseValuesOf(e models.Expense) []any { return expenseValues(&e) }

func (tx *Tx) flushChanges() error {
	changes := tx.freshChanges()
	for _, t := range tx.txs {
		if t != tx {
			changes = slices.Concat(changes, t.freshChanges())
		}
	}
	return save(tx, changeTable, changes, "", func(c models.Change) []any {
		return changeValues(&c, encodeEntity(&c))
	})
}

// freshChanges are those of this user that are not written yet; they are now.
func (tx *Tx) freshChanges() []models.Change {
	fresh := tx.changes[tx.logged:]
	tx.logged = len(tx.changes)
	tx.wrote = tx.wrote || len(fresh) > 0
	return fresh
}

func (tx *Tx) flushBudgets() error {
	return flushRows(tx, budgetTable, tx.budgets, budgetValues)
}

func (tx *Tx) flushNotifications() error {
	return flushRows(tx, notificationTable, tx.notifications, notificationValues)
}

func (tx *Tx) flushOperations() error {
	return flushRows(tx, operationTable, tx.operations, func(o models.QueuedOperation) []any {
		return operationValues(&o, encodeResult(&o.Result))
	})
}

func (tx *Tx) flushAliases() error {
	f := tx.aliases.flush()
	values := func(k AliasKey) []any {
		expenseID, _, _ := tx.aliases.get(k)
		return []any{tx.user.ID, storable(k.TempID), storable(k.DeviceID), expenseID, tx.now}
	}
	return errors.Join(
		save(tx, aliasTable, f.inserts, "", values),
		save(tx, aliasTable, f.updates, aliasTable.overwrite(), values),
	)
}

func (tx *Tx) flushDevices() error {
	f := tx.devices.flush()
	return save(tx, deviceTable, append(f.inserts, f.updates...), seenAgain, func(name string) []any {
		return []any{name, tx.user.ID, tx.clock(), tx.clock()}
	})
}

// seenAgain keeps first_seen.
var seenAgain = " ON CONFLICT (" + deviceTable.key + ") DO UPDATE SET last_acted = excluded.last_acted"

func (tx *Tx) flushPosts() error {
	f := tx.posts.flush()
	return errors.Join(
		tx.delete("posted_creates", "expense_id", f.deletes),
		save(tx, postTable, tx.posts.rows(f.inserts), "", func(p Post) []any {
			return []any{p.ExpenseID, tx.user.ID, storable(p.DeviceID), p.DataHash, p.At.UnixMilli()}
		}),
	)
}

// saveUser writes what the transaction moved in the user's row.
func (tx *Tx) saveUser() error {
	if tx.failed != nil || !tx.wrote {
		return tx.failed
	}
	u := &tx.user
	return tx.exec("UPDATE users SET seq = ?, last_synced_at = ?, last_applied_at = ?, totals = ?, "+
		"unread = ?, budgets = ?, received = ?, revocations = ?, expenses = ?, time_zone = ?, currency = ? WHERE id = ?",
		u.Seq, tx.now, u.LastAppliedAt, u.Totals.text(),
		u.Unread, u.Budgets, u.Received, u.Revocations, u.Expenses, u.TimeZone, u.Currency, u.ID)
}

// save writes rows with one statement. A free function, for methods cannot be generic.
func save[R any](tx *Tx, t *table, rows []R, onConflict string, values func(R) []any) error {
	if len(rows) == 0 {
		return nil
	}
	all := make([][]any, len(rows))
	for i, r := range rows {
		all[i] = values(r)
		if err := checkText(all[i]); err != nil {
			return err
		}
	}
	tx.wrote = true
	if tx.copies(len(all), onConflict) {
		return tx.copy(t, all)
	}
	query, args := tx.s.d.insert(t, all, onConflict)
	return tx.exec(query, args...)
}

// delete removes rows that were read under the user's lock, hence theirs.
func (tx *Tx) delete(table, column string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	tx.wrote = true
	return tx.exec("DELETE FROM "+table+" WHERE "+tx.s.d.in(column), tx.s.d.list(ids))
}

var errText = errors.New("text holds a NUL character or broken UTF-8")

// checkText refuses what PostgreSQL refuses, so that SQLite does it too.
func checkText(values []any) error {
	for _, v := range values {
		if s, ok := v.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			return &DataError{errText}
		}
	}
	return nil
}
