package store

import (
	"expenseflow/internal/store/find"

	"gorm.io/gorm"
)

// orm is GORM inside the transaction. After a statement has failed it runs none.
func (tx *Tx) orm() *gorm.DB {
	if tx.unlocked != nil {
		_ = tx.stray()
	}
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

// findIn is find.All inside a transaction.
func findIn[T any](tx *Tx, query *gorm.DB) ([]T, error) {
	found, err := find.All[T](query)
	return found, tx.note(err)
}

// oneIn is find.One inside a transaction: of no row it returns the zero value and false.
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
