package wire

import (
	"encoding/json"
	"slices"
	"time"

	"expenseflow/models"
)

// The states of the service (docs/contract.md#live-features).
const (
	StatusOK       = "ok"
	StatusDegraded = "degraded" // the server runs, but not everything works
	StatusShutdown = "shutting_down"
)

// A Status is the payload of system:status.
type Status struct {
	Status  string `json:"status"` // one of the Status constants
	Message string `json:"message"`
	At      Time   `json:"at"`
}

// maxStatusMessage is the maximum length of a message to all users in UTF-16 units.
const maxStatusMessage = 500

// ParseStatus parses {status, message?}, the body of POST /api/admin/status. at is the
// time of the request. The error is models.Invalid with Joi's message.
func ParseStatus(body json.RawMessage, at time.Time) (Status, error) {
	o, err := readObject(body)
	if err != nil {
		return Status{}, err
	}
	s := Status{Status: stringOf(o["status"]), Message: models.Trim(stringOf(o["message"])), At: Time(at)}
	if err := s.validate(o); err != nil {
		return Status{}, err
	}
	return s, refuseUnknown(body, o, func(key string) bool { return key == "status" || key == "message" })
}

func (s Status) validate(o object) error {
	states := []string{StatusOK, StatusDegraded, StatusShutdown}
	switch {
	case o["status"] == nil:
		return invalid(`"status" is required`)
	case !slices.Contains(states, s.Status):
		return invalid(`"status" ` + mustBeOneOf(states))
	case o["message"] != nil && typeOf(o["message"]) != text:
		return invalid(`"message" must be a string`)
	case models.UTF16Len(s.Message) > maxStatusMessage:
		return invalid(JoiMessage(models.Violation{Field: "message", Rule: models.RuleTooLong, Limit: maxStatusMessage}))
	}
	return nil
}
