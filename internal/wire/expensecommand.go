package wire

import (
	"encoding/json"

	"expenseflow/models"
)

// Socket commands are parsed more leniently than HTTP bodies (ParseDraft), as the pages
// that send them expect: unknown keys are dropped and tags that are no list of texts, the
// case of a category does not matter, and the default type is "expense".

// ParseCommandDraft parses, validates and normalizes the argument of expense:create.
// Errors are as for ParseDraft.
func ParseCommandDraft(arg json.RawMessage) (models.Draft, Meta, error) {
	p, m, err := parseCommand(arg, true)
	return p.Draft(), m, err
}

// ParseCommandPatch parses the argument of expense:update, which has the fields to
// change. Errors are as for ParseDraft.
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
		o["category"], _ = json.Marshal(lowerASCII(stringOf(category))) // a text always marshals
	}
	if _, ok := textsOf(o["tags"]); !ok {
		delete(o, "tags")
	}
	p, vs := readPatch(o, joiDialect, whole)
	m, more := readMeta(o)
	if err := joiError(append(vs, more...)); err != nil {
		return models.Patch{}, Meta{}, err
	}
	return p, m, nil
}

// lowerASCII converts A to Z to lower case. Other letters stay, because the lower case
// of some is an ASCII letter.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
