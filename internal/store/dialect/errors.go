package dialect

import (
	"database/sql"
	"errors"

	"expenseflow/models"

	"gorm.io/gorm"
)

// A DataError says that the database refuses the data itself (PostgreSQL's
// SQLSTATE classes 22, 23 and 54, SQLite's constraints and limits, text with
// NUL characters): trying again cannot help (docs/contract.md#permanent-or-retryable). It is of
// models.Invalid.
type DataError struct{ Err error }

// Error implements error with the cause, for logs.
func (e *DataError) Error() string { return "the database refuses the data: " + e.Err.Error() }

var errRefused = models.E(models.Invalid, "This data cannot be stored")

// Unwrap returns the message for users and the cause.
func (e *DataError) Unwrap() []error { return []error{errRefused, e.Err} }

// A RetryError marks an error after which the same transaction may succeed.
type RetryError struct{ error }

// Unwrap returns the driver's error.
func (e *RetryError) Unwrap() error { return e.error }

// A DuplicateError marks a refusal by a uniqueness rule.
type DuplicateError struct{ error }

// Unwrap returns the driver's error.
func (e *DuplicateError) Unwrap() error { return e.error }

// Fail turns a driver's error into one of models', where it happens. Errors
// that are already sorted pass.
func Fail(d Dialect, err error) error {
	switch {
	case err == nil || sorted(err):
		return err
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, gorm.ErrRecordNotFound):
		return models.E(models.NotFound, "Not found")
	}
	switch d.Classify(err) {
	case BadData:
		return &DataError{err}
	case Duplicate:
		return &DataError{&DuplicateError{err}}
	case Retry:
		return Unavailable(&RetryError{err})
	case Temporary:
		return Unavailable(err)
	}
	return &models.Error{Kind: models.Internal, Msg: "database", Err: err}
}

func sorted(err error) bool {
	var e *models.Error
	var c *models.ConflictError
	return errors.As(err, &e) || errors.As(err, &c)
}

// Unavailable is the error of a database that may answer later; err is the cause, or nil.
func Unavailable(err error) error {
	return &models.Error{Kind: models.Unavailable, Msg: "The database cannot answer right now, please try again", Err: err}
}
