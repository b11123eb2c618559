package wire

import (
	"encoding/json"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// Limits of one JSON object of a client: an expense, a budget, the data of an operation,
// the argument of a socket command. They are far above what pages send.
const (
	MaxDataBytes = 64 << 10 // bytes
	MaxDepth     = 32       // levels of nested objects and arrays
)

var (
	errTooLong = &models.Error{Kind: models.TooLarge, Msg: "The data is larger than 64 KB", Setting: models.FixedLimit}
	errTooDeep = &models.Error{Kind: models.Invalid, Msg: "The data is nested more than 32 levels deep", Setting: models.FixedLimit}
)

// CheckData returns an error if data is longer than MaxDataBytes or nested deeper than
// MaxDepth. It does not check that data is valid JSON. Its running time is linear.
func CheckData(data json.RawMessage) error {
	switch {
	case len(data) > MaxDataBytes:
		return errTooLong
	case rawjson.DeeperThan(MaxDepth, data):
		return errTooDeep
	}
	return nil
}
