// Package find reads rows of GORM's queries as structs.
//
// Columns are always named, rows are scanned one by one, and every
// error of the database is one of models' (dialect.Fail).
package find

import (
	"reflect"

	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Each calls fn with each row of a query, in constant memory. Its error is fn's own, or the
// database's.
func Each[T any](query *gorm.DB, fn func(T) error) error {
	found, err := ofRows[T](query).Rows()
	if err != nil {
		return Translated(query, err)
	}
	var own error
	err = rows.Each(found, func(row T) error {
		own = fn(row)
		return own
	})
	if own != nil || err == nil {
		return own
	}
	return Translated(query, err)
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

// Translated turns an error that GORM does not hand to its translator into one of models'.
func Translated(db *gorm.DB, err error) error {
	return db.Dialector.(gorm.ErrorTranslator).Translate(err)
}

// All returns the rows of a query; none is an empty slice.
func All[T any](query *gorm.DB) ([]T, error) {
	found := []T{}
	err := Each(query, func(row T) error {
		found = append(found, row)
		return nil
	})
	return found, err
}

// One returns the row of a query that has at most one; models.NotFound for none.
func One[T any](query *gorm.DB) (row T, err error) {
	err = errNoRow
	failed := Each(query, func(found T) error {
		row, err = found, nil
		return nil
	})
	if failed != nil {
		err = failed
	}
	return row, err
}

var errNoRow = models.E(models.NotFound, "Not found")

// IsNotFound reports whether err is of models.NotFound, as One's for no row.
func IsNotFound(err error) bool { return models.KindOf(err) == models.NotFound }

// Mapped returns f of each element.
func Mapped[T, U any](from []T, f func(T) U) []U {
	to := make([]U, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}

// Page returns how many rows a query has in all, and at which of them a page begins,
// from page 1; -1 for a page beyond the last.
func Page(query *gorm.DB, page, limit int) (total int64, offset int, err error) {
	if err := query.Session(&gorm.Session{}).Count(&total).Error; err != nil {
		return 0, -1, err
	}
	first := (int64(page) - 1) * int64(limit)
	if first < 0 || first >= total {
		return total, -1, nil
	}
	return total, int(first), nil
}
