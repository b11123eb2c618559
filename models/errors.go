package models

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about an error. The zero Kind is Internal, so
// an unclassified error becomes a 500 and never a leaked message.
type Kind uint8

// The kinds of error.
const (
	Internal     Kind = iota // our fault; the user reads only "Internal server error"
	Invalid                  // will not succeed as sent
	Unauthorized             // no valid token, definitively
	Forbidden                // valid token, but not allowed
	NotFound                 // absent, or not this user's: the two look the same
	Conflict                 // the stored version is newer, or the same is under way
	TooLarge                 // the body is over its limit
	TooMany                  // a rate limit; try again later
	Unavailable              // our trouble; try the same request again later
	NotBuilt                 // this server has no such feature
	WrongMedia               // the body is encoded in a way that is not read
)

// Error is an error whose Msg a user may read.
type Error struct {
	Kind Kind
	Msg  string // one sentence, no ids or secrets
	Code string // machine-readable, such as "TOKEN_EXPIRED"; "" sends none
	Err  error  // the cause; logged, never sent. May be nil.

	RetryAfter time.Duration // for TooMany and Unavailable; 0 leaves it to the door
}

// Error implements error with the cause, for logs.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return fmt.Sprintf("%s: %v", e.Msg, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// E makes an Error without a cause.
func E(k Kind, msg string) *Error { return &Error{Kind: k, Msg: msg} }

// KindOf gives the Kind of the first Error or ConflictError in err's chain, and
// Internal if there is none.
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

// Message is the sentence a user may read about err.
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

// ConflictError says that a newer version is stored than the client had read
// (docs/contract.md#versions).
type ConflictError struct {
	Stored Expense
	Budget *Budget // instead of Stored, if the conflict is about one
	Goal   *Goal   // likewise
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
