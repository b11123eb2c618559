package store

import (
	"context"
	"database/sql"
	"reflect"

	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// read is GORM on the connections for short reads.
func (s *Store) read(ctx context.Context) *gorm.DB { return s.r.WithContext(ctx) }

// each calls fn with each row of a query, in constant memory. Its error is fn's own, or the
// database's.
func each[T any](query *gorm.DB, fn func(T) error) error {
	found, err := ofRows[T](query).Rows()
	if err != nil {
		return translated(query, err)
	}
	var own error
	err = rows.Each(found, func(row T) error {
		own = fn(row)
		return own
	})
	if own != nil || err == nil {
		return own
	}
	return translated(query, err)
}

// ofRows completes a query of rows of a struct that names no table or no columns. Columns are
// always named: another process may add one while statements are prepared.
func ofRows[T any](query *gorm.DB) *gorm.DB {
	if reflect.TypeFor[T]().Kind() != reflect.Struct || query.Statement.SQL.Len() > 0 {
		return query
	}
	if query.Statement.Model == nil {
		query = query.Model(new(T))
	}
	if _, selected := query.Statement.Clauses["SELECT"]; !selected && len(query.Statement.Selects) == 0 {
		query = query.Select(rows.Of(*new(T)).Names())
	}
	return query
}

// translated turns an error that GORM does not hand to its translator into one of models'.
func translated(db *gorm.DB, err error) error {
	return db.Dialector.(gorm.ErrorTranslator).Translate(err)
}

// find returns the rows of a query; none is an empty slice.
func find[T any](query *gorm.DB) ([]T, error) {
	found := []T{}
	err := each(query, func(row T) error {
		found = append(found, row)
		return nil
	})
	return found, err
}

// one returns the row of a query that has at most one; models.NotFound for none.
func one[T any](query *gorm.DB) (row T, err error) {
	err = errNoRow
	failed := each(query, func(found T) error {
		row, err = found, nil
		return nil
	})
	if failed != nil {
		err = failed
	}
	return row, err
}

var errNoRow = models.E(models.NotFound, "Not found")

func isNotFound(err error) bool { return models.KindOf(err) == models.NotFound }

// write runs one statement outside transactions, in turn with other writers, and returns
// how many rows it changed.
func (s *Store) write(ctx context.Context, statement func(db *gorm.DB) *gorm.DB) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	done := statement(s.w.WithContext(ctx))
	return done.RowsAffected, done.Error
}

// orm is GORM inside the transaction. After a statement has failed it runs none.
func (tx *Tx) orm() *gorm.DB {
	if tx.failed == nil {
		return tx.db
	}
	db := tx.db.Session(&gorm.Session{})
	_ = db.AddError(tx.failed)
	return db
}

// note remembers an error of the database, with which the transaction has failed.
func (tx *Tx) note(err error) error {
	if tx.failed == nil {
		tx.failed = err
	}
	return tx.failed
}

// run is for statements that change something.
func (tx *Tx) run(done *gorm.DB) error { return tx.note(done.Error) }

// findIn is find inside a transaction.
func findIn[T any](tx *Tx, query *gorm.DB) ([]T, error) {
	found, err := find[T](query)
	return found, tx.note(err)
}

// oneIn is one inside a transaction: of no row it returns the zero value and false.
func oneIn[T any](tx *Tx, query *gorm.DB) (row T, found bool, err error) {
	all, err := findIn[T](tx, query)
	if err != nil || len(all) == 0 {
		return row, false, err
	}
	return all[0], true, nil
}

// count returns how many rows a query has.
func (tx *Tx) count(query *gorm.DB) (n int64, err error) {
	err = query.Count(&n).Error
	return n, tx.note(err)
}

// overwrite is for an insert of rows that may be there: then their columns are overwritten,
// all or those named. Not UpdateAll, which writes the clock of this process into updated_at.
func overwrite(row any, columns ...string) clause.OnConflict {
	t := rows.Of(row)
	if len(columns) == 0 {
		for _, c := range t.Columns {
			columns = append(columns, c.Name)
		}
	}
	on := clause.OnConflict{DoUpdates: clause.AssignmentColumns(columns)}
	for _, name := range t.KeyColumns() {
		on.Columns = append(on.Columns, clause.Column{Name: name})
	}
	return on
}

// connection is one of db's pool, for whoever must know which. Its errors are the driver's.
func connection(ctx context.Context, db *gorm.DB) (*sql.Conn, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	return pool.Conn(ctx)
}

// countPage returns how many rows a query has in all, and at which of them a page begins,
// from page 1; -1 for a page beyond the last.
func countPage(query *gorm.DB, page, limit int) (total int64, offset int, err error) {
	if err := query.Session(&gorm.Session{}).Count(&total).Error; err != nil {
		return 0, -1, err
	}
	first := (int64(page) - 1) * int64(limit)
	if first < 0 || first >= total {
		return total, -1, nil
	}
	return total, int(first), nil
}
