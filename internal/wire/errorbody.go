package wire

import (
	"errors"

	"expenseflow/models"
)

// An ErrorBody is the body of every error response. Message repeats Error because the
// original's pages read one or the other (docs/contract.md#documents).
type ErrorBody struct {
	Error   string `json:"error"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Current any    `json:"current,omitempty"` // of a conflict: the stored entity
}

// NewErrorBody returns the body for err. The message of an internal error is generic.
func NewErrorBody(err error) ErrorBody {
	msg := message(err)
	f := ErrorBody{Error: msg, Message: msg}
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
		return JoiMessage(broken.Violations[0])
	}
	return models.Message(err)
}

// kindCodes are the codes of errors without their own.
var kindCodes = map[models.Kind]string{
	models.Internal:         "INTERNAL",
	models.Invalid:          "INVALID",
	models.Unauthorized:     "UNAUTHORIZED",
	models.Forbidden:        "FORBIDDEN",
	models.NotFound:         "NOT_FOUND",
	models.Conflict:         "CONFLICT",
	models.TooLarge:         "TOO_LARGE",
	models.TooMany:          "RATE_LIMITED",
	models.Unavailable:      "UNAVAILABLE",
	models.NotImplemented:   "NOT_IMPLEMENTED",
	models.UnsupportedMedia: "UNSUPPORTED_ENCODING",
}

// Code returns the machine-readable code of err: its own, else that of its Kind.
// Acknowledgements of socket events always have one (docs/contract.md#live-features).
func Code(err error) string {
	if c := NewErrorBody(err).Code; c != "" {
		return c
	}
	return kindCodes[models.KindOf(err)]
}

// MongooseCreateError converts a *models.InvalidError of a batch's CREATE to one with Mongoose's
// message. It returns other errors unchanged.
func MongooseCreateError(err error) error { return withMongooseMessage(createPrefix, err) }

// MongooseUpdateError does the same for an UPDATE.
func MongooseUpdateError(err error) error { return withMongooseMessage(updatePrefix, err) }

func withMongooseMessage(title string, err error) error {
	var broken *models.InvalidError
	if errors.As(err, &broken) {
		return mongooseError(title, broken.Violations)
	}
	return err
}
