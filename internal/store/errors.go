package store

import (
	"database/sql"
	"errors"

	"expenseflow/internal/store/dialect"
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

// retryError marks an error after which the same transaction may succeed.
type retryError struct{ error }

func (e *retryError) Unwrap() error { return e.error }

// duplicateError marks a refusal by a uniqueness rule.
type duplicateError struct{ error }

func (e *duplicateError) Unwrap() error { return e.error }

// fail turns a driver's error into one of models', where it happens. Errors
// that are already sorted pass.
func fail(d dialect.Dialect, err error) error {
	switch {
	case err == nil || sorted(err):
		return err
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, gorm.ErrRecordNotFound):
		return models.E(models.NotFound, "Not found")
	}
	switch d.Classify(err) {
	case dialect.BadData:
		return &DataError{err}
	case dialect.Duplicate:
		return &DataError{&duplicateError{err}}
	case dialect.Retry:
		return unavailable(&retryError{err})
	case dialect.Temporary:
		return unavailable(err)
	}
	return &models.Error{Kind: models.Internal, Msg: "database", Err: err}
}

func sorted(err error) bool {
	var e *models.Error
	var c *models.ConflictError
	return errors.As(err, &e) || errors.As(err, &c)
}

func unavailable(err error) error {
	return &models.Error{Kind: models.Unavailable, Msg: "The database cannot answer right now, please try again", Err: err}
}

// userGone answers for a user that is not, or no longer, there.
var userGone = models.E(models.NotFound, "User not found")

// noUser is err of a search for a user: one that finds nothing, or that asks for
// what cannot be stored, finds no user.
func noUser(err error) error {
	if models.KindOf(err) == models.NotFound || errors.As(err, new(*DataError)) {
		return userGone
	}
	return err
}
