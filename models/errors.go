package models

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about an error. The zero Kind is Internal, so an
// unclassified error becomes a 500 whose message is not shown to users.
type Kind uint8

// The kinds of error.
const (
	Internal         Kind = iota // server error; the user reads only "Internal server error"
	Invalid                      // will not succeed as sent
	Unauthorized                 // the token will never be valid again
	Forbidden                    // valid token, but no permission
	NotFound                     // absent, or not this user's: the two look the same
	Conflict                     // a newer version is stored, or the same request is in progress
	TooLarge                     // the body exceeds its limit
	TooMany                      // rate limit; try again later
	Unavailable                  // temporary server error; try the same request again later
	NotImplemented               // this server does not have the feature
	UnsupportedMedia             // unsupported Content-Encoding
)

// Error is an error with a message for users.
type Error struct {
	Kind Kind
	Msg  string // one sentence, no ids or secrets
	Code string // machine-readable, such as "TOKEN_EXPIRED"; may be empty
	Err  error  // the cause; logged, never sent. May be nil.

	RetryAfter time.Duration // for TooMany and Unavailable; 0 is the entry point's default

	// Setting is the name of the setting that decides, such as "RATE_LIMIT", or FixedLimit,
	// if the error is about a limit; else "". It is logged, never sent.
	Setting string
}

// FixedLimit is the Setting of errors about a limit that cannot be changed.
const FixedLimit = "none"

// Error returns the message with the cause. It is for logs.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return fmt.Sprintf("%s: %v", e.Msg, e.Err)
}

// Unwrap returns the cause; nil if there is none.
func (e *Error) Unwrap() error { return e.Err }

// E returns an Error without a cause.
func E(k Kind, msg string) *Error { return &Error{Kind: k, Msg: msg} }

// KindOf returns the Kind of the first Error or ConflictError in err's chain, Internal
// if there is none.
func KindOf(err error) Kind {
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return Conflict
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Message returns the sentence about err that a user may read.
func Message(err error) string {
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return conflict.Error()
	}
	var e *Error
	if errors.As(err, &e) && e.Kind != Internal {
		return e.Msg
	}
	return "Internal server error"
}

// ConflictError is the error of a change based on an older version than the stored one
// (docs/contract.md#versions).
type ConflictError struct {
	Stored Expense // the stored expense, unless Budget or Goal is set
	Budget *Budget // the stored budget
	Goal   *Goal   // the stored goal
}

func (e *ConflictError) Error() string {
	switch {
	case e.Budget != nil:
		return "This budget was changed on another device"
	case e.Goal != nil:
		return "This goal was changed on another device"
	}
	return "This expense was changed on another device"
}
