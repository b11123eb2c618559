package wire

import (
	"errors"

	"expenseflow/models"
)

// A Failure is every error body. Message repeats Error, since the original's
// pages read the one or the other (docs/contract.md#documents).
type Failure struct {
	Error   string `json:"error"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Current any    `json:"current,omitempty"` // of a conflict: what is stored
}

// NewFailure gives err's document. Of an error of ours it says no more than
// that it is one.
func NewFailure(err error) Failure {
	msg := message(err)
	f := Failure{Error: msg, Message: msg}
	var conflict *models.ConflictError
	if errors.As(err, &conflict) {
		f.Code, f.Current = "CONFLICT", current(conflict)
		return f
	}
	var e *models.Error
	if errors.As(err, &e) && e.Kind != models.Internal {
		f.Code = e.Code
	}
	return f
}

func current(c *models.ConflictError) any {
	switch {
	case c.Budget != nil:
		return NewBudget(*c.Budget)
	case c.Goal != nil:
		return NewGoal(*c.Goal)
	}
	return NewExpense(c.Stored)
}

func message(err error) string {
	var broken *models.InvalidError
	if errors.As(err, &broken) {
		return Joi(broken.Violations[0])
	}
	return models.Message(err)
}

// kindCodes are the codes of errors that carry none of their own.
var kindCodes = map[models.Kind]string{
	models.Internal:     "INTERNAL",
	models.Invalid:      "INVALID",
	models.Unauthorized: "UNAUTHORIZED",
	models.Forbidden:    "FORBIDDEN",
	models.NotFound:     "NOT_FOUND",
	models.Conflict:     "CONFLICT",
	models.TooLarge:     "TOO_LARGE",
	models.TooMany:      "RATE_LIMITED",
	models.Unavailable:  "UNAVAILABLE",
	models.NotBuilt:     "NOT_IMPLEMENTED",
	models.WrongMedia:   "UNSUPPORTED_ENCODING",
}

// Code gives the machine-readable code of err, which acknowledgements of socket
// events always carry (docs/contract.md#live-features): err's own, else its Kind's.
func Code(err error) string {
	if c := NewFailure(err).Code; c != "" {
		return c
	}
	return kindCodes[models.KindOf(err)]
}

// CreateError and UpdateError put the violations of an operation of a batch
// into Mongoose's words; other errors keep theirs.
func CreateError(err error) error { return mongooseWords(createRefused, err) }

// UpdateError is CreateError for an UPDATE.
func UpdateError(err error) error { return mongooseWords(updateRefused, err) }

func mongooseWords(title string, err error) error {
	var broken *models.InvalidError
	if errors.As(err, &broken) {
		return mongooseError(title, broken.Violations)
	}
	return err
}
