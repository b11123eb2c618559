package portable

import (
	"bytes"
	"encoding/json"
	"errors"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// elements read an element of each section.
var elements = map[string]func(*fileReader) (ledger.Record, error){
	sectionBudgets:       element((*budget).record),
	sectionGoals:         element((*goal).record),
	sectionExpenses:      element((*expense).record),
	sectionComments:      element((*comment).record),
	sectionNotifications: element((*notification).record),
	sectionParked:        element((*parked).record),
	sectionReceived:      information,
	sectionElsewhere:     information,
}

// errInformation is of an element that is not imported.
var errInformation = errors.New("this is for information")

func information(r *fileReader) (ledger.Record, error) {
	if err := r.skip(0); err != nil {
		return ledger.Record{}, err
	}
	return ledger.Record{}, errInformation
}

// An unreadableError is why an element, which is JSON, is none of its section. It is one of models.
type unreadableError struct{ error }

// element reads an element of type T. One of another shape is an *unreadableError: it does not
// stop the others.
func element[T any](record func(*T) (ledger.Record, error)) func(*fileReader) (ledger.Record, error) {
	return func(r *fileReader) (ledger.Record, error) {
		var raw json.RawMessage
		if err := r.decode(&raw); err != nil {
			return ledger.Record{}, err
		}
		var v *T
		err := json.Unmarshal(bytes.ToValidUTF8(raw, []byte("\ufffd")), &v) // what stays JSON is sent to browsers
		if err != nil {
			return ledger.Record{}, &unreadableError{&models.Error{Kind: models.Invalid, Msg: shapeSentence(err), Err: err}}
		}
		if v == nil {
			return ledger.Record{}, &unreadableError{models.E(models.Invalid, "It is null")}
		}
		out, err := record(v)
		if err != nil {
			err = &unreadableError{err}
		}
		return out, err
	}
}

// shapeSentence returns what is wrong with the shape of an element.
func shapeSentence(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return clip(wrong.Field) + " has a value of the wrong type (" + wrong.Value + ")"
	case errors.Is(err, models.ErrUnsafeNumber):
		return "An amount is too large"
	case errors.Is(err, models.ErrNotANumber):
		return "An amount is no number"
	}
	return "A value cannot be read: is it a time such as 2026-01-31T12:00:00.000Z?"
}
