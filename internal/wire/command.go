package wire

import (
	"encoding/json"

	"expenseflow/models"
)

// Commands of sockets are read as the pages that send them expect: keys that are
// not known are dropped, the case of a category does not matter, and an expense
// without a type is an expense. HTTP, whose pages were written against exact
// checks, refuses all three (ParseDraft).

// ParseCommandDraft reads the object of expense:create, already checked and
// normalized. Errors are ParseDraft's.
func ParseCommandDraft(arg json.RawMessage) (models.Draft, Meta, error) {
	p, m, err := parseCommand(arg, true)
	return draft(p), m, err
}

// ParseCommandPatch reads the object of expense:update, which names what changes.
// Errors are ParseDraft's.
func ParseCommandPatch(arg json.RawMessage) (models.Patch, Meta, error) {
	return parseCommand(arg, false)
}

func parseCommand(arg json.RawMessage, whole bool) (models.Patch, Meta, error) {
	o, err := readObject(arg)
	if err != nil {
		return models.Patch{}, Meta{}, err
	}
	if t := typeOf(o["type"]); whole && (t == absent || t == null) {
		o["type"] = json.RawMessage(`"expense"`)
	}
	if category := o["category"]; typeOf(category) == text {
		o["category"], _ = json.Marshal(lowerASCII(str(category))) // a text always marshals
	}
	p, vs := readPatch(o, joi, whole)
	m, more := readMeta(o)
	if err := joiError(append(vs, more...)); err != nil {
		return models.Patch{}, Meta{}, err
	}
	return p, m, nil
}

// lowerASCII lowers A to Z alone: other letters, some of which lower to ASCII, are
// in no category's name.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
