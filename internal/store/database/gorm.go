package database

import (
	"errors"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/rows"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// OpenGORM returns a handle that neither logs (errors go up) nor starts transactions of its
// own, refuses text that PostgreSQL refuses, and returns models' errors.
func (db *DB) OpenGORM(d gorm.Dialector) (*gorm.DB, error) {
	opened, err := gorm.Open(translator{d, db.Dialect}, &gorm.Config{
		Logger: logger.Discard, SkipDefaultTransaction: true, DisableAutomaticPing: true, TranslateError: true,
	})
	if err != nil {
		return nil, err
	}
	err = opened.Callback().Create().Before("gorm:create").Register("store:check_text", checkTexts)
	return opened, errors.Join(err, db.timeReads(opened))
}

// A translator turns errors where GORM meets them.
type translator struct {
	gorm.Dialector
	d dialect.Dialect
}

// Translate implements gorm.ErrorTranslator.
func (t translator) Translate(err error) error { return dialect.Fail(t.d, err) }

// checkTexts is CheckText of what is about to be created.
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
	return CheckText(rows.Of(row.Interface()).Values(row.Interface())...)
}

var errText = errors.New("text holds a NUL character or broken UTF-8")

// CheckText refuses what PostgreSQL refuses, so that SQLite does it too.
func CheckText(values ...any) error {
	for _, v := range values {
		if s, ok := v.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			return &dialect.DataError{Err: errText}
		}
	}
	return nil
}

// beganKey is where a statement keeps the time at which it began.
type beganKey struct{}

// timeReads has the statements of a handle that read outside transactions observed.
func (db *DB) timeReads(opened *gorm.DB) error {
	if db.ObserveRead == nil {
		return nil
	}
	begin := func(at *gorm.DB) {
		switch at.Statement.ConnPool.(type) {
		case gorm.TxCommitter, WritingConn:
		default:
			at.Statement.Settings.Store(beganKey{}, time.Now())
		}
	}
	end := func(at *gorm.DB) {
		if began, ok := at.Statement.Settings.LoadAndDelete(beganKey{}); ok {
			db.ObserveRead(time.Since(began.(time.Time)))
		}
	}
	on := opened.Callback()
	return errors.Join(
		on.Query().Before("gorm:query").Register("store:begin", begin), on.Query().After("gorm:query").Register("store:end", end),
		on.Row().Before("gorm:row").Register("store:begin", begin), on.Row().After("gorm:row").Register("store:end", end),
	)
}
