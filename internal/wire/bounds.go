package wire

import (
	"encoding/json"

	"expenseflow/models"
)

// What one object of a client may be: an expense, a budget, the data of one
// operation, the argument of a socket's command. No page makes anything near it.
const (
	MaxData  = 64 << 10 // bytes
	MaxDepth = 32       // objects and arrays within each other
)

var (
	errTooLong = models.E(models.TooLarge, "The data is larger than 64 KB")
	errTooDeep = models.E(models.Invalid, "The data is nested more than 32 levels deep")
)

// CheckData refuses an object that is longer than MaxData or nested deeper than
// MaxDepth. It reads data once; data that is no JSON is somebody else's to refuse.
func CheckData(data json.RawMessage) error {
	switch {
	case len(data) > MaxData:
		return errTooLong
	case tooDeep(data):
		return errTooDeep
	}
	return nil
}

func tooDeep(data json.RawMessage) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}
