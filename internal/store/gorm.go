package store

import (
	"errors"
	"reflect"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/rows"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// openGORM returns a handle that neither logs (errors go up) nor starts transactions of its
// own, refuses text that PostgreSQL refuses, and returns models' errors.
func (s *Store) openGORM(d gorm.Dialector) (*gorm.DB, error) {
	db, err := gorm.Open(translator{d, s.d}, &gorm.Config{
		Logger: logger.Discard, SkipDefaultTransaction: true, DisableAutomaticPing: true, TranslateError: true,
	})
	if err != nil {
		return nil, err
	}
	return db, errors.Join(db.Callback().Create().Before("gorm:create").Register("store:check_text", checkTexts), s.timeReads(db))
}

// A translator turns errors where GORM meets them.
type translator struct {
	gorm.Dialector
	d dialect.Dialect
}

// Translate implements gorm.ErrorTranslator.
func (t translator) Translate(err error) error { return fail(t.d, err) }

// checkTexts is checkText of what is about to be created.
func checkTexts(db *gorm.DB) {
	all := db.Statement.ReflectValue
	if all.Kind() != reflect.Slice {
		_ = db.AddError(checkRow(all))
		return
	}
	for i := range all.Len() {
		_ = db.AddError(checkRow(all.Index(i)))
	}
}

func checkRow(row reflect.Value) error {
	return checkText(rows.Of(row.Interface()).Values(row.Interface())...)
}
