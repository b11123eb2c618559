package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"expenseflow/models"
)

// maxQuotedBytes is the maximum number of bytes of a client's value that a message quotes.
const maxQuotedBytes = 1000

// JoiMessage returns the message of a violation for HTTP and sockets, in the words
// of the library Joi.
func JoiMessage(v models.Violation) string {
	return quote(v.Field) + " " + joiPredicate(v)
}

func joiPredicate(v models.Violation) string {
	switch v.Rule {
	case models.RuleRequired:
		return "is required"
	case models.RuleType:
		return joiType(v.Field)
	case models.RuleEmpty:
		return "is not allowed to be empty"
	case models.RuleTooLong:
		return fmt.Sprintf("length must be less than or equal to %d characters long", v.Limit)
	case models.RuleTooShort:
		return fmt.Sprintf("length must be at least %d characters long", v.Limit)
	case models.RuleTooBig:
		return fmt.Sprintf("must be at most %d bytes long", v.Limit)
	case models.RuleOneOf:
		return oneOf(v.Field)
	}
	return joiValue(v)
}

func joiType(field string) string {
	switch field {
	case "amount", "version", "targetAmount", "currentAmount":
		return "must be a number"
	case "alertThreshold":
		return "must be an integer"
	case "category", "type", "role":
		return oneOf(field) // Joi checks the allowed values before the type
	case "tags":
		return "must be an array of strings"
	}
	return "must be a string"
}

func joiValue(v models.Violation) string {
	switch v.Rule {
	case models.RuleMin:
		return "must be greater than or equal to " + limit(v, models.MinAmount)
	case models.RuleMax:
		return "must be less than or equal to " + limit(v, models.MaxAmount)
	case models.RulePositive:
		return "must be a positive number"
	case models.RuleNegative:
		return "must be greater than or equal to 0"
	case models.RuleTooMany:
		return fmt.Sprintf("must contain less than or equal to %d items", v.Limit)
	case models.RuleOrder:
		return `must be greater than or equal to ` + quote(startFieldOf[v.Field])
	case models.RuleSafe:
		return "must be a safe number"
	case models.RuleDate:
		return "must be a valid date"
	case models.RuleDay:
		return "must be a day in the form YYYY-MM-DD"
	case models.RuleSupported:
		return "must be a supported currency such as EUR"
	case models.RuleCurrency:
		return "must be 3 to 5 letters"
	case models.RuleEmail:
		return "must be a valid email"
	case models.RuleNUL:
		return "must not contain NUL characters"
	case models.RuleCommon:
		return "is one of the passwords that are guessed first, choose another"
	case models.RulePhone:
		return "must be a phone number such as +4912345678"
	case models.RuleURL:
		return "must be a valid uri"
	case models.RuleZone:
		return "must be a time zone such as Europe/Berlin"
	}
	return "is not allowed"
}

// startFieldOf maps the field of an end to the field of its start.
var startFieldOf = map[string]string{"endDate": "startDate", "to": "from"}

// limit returns v's limit as text, or amount's if v has none.
func limit(v models.Violation, amount models.Money) string {
	if v.Limit == 0 {
		return amount.String()
	}
	return strconv.Itoa(v.Limit)
}

// oneOf returns the message with the allowed values of a field.
func oneOf(field string) string {
	switch field {
	case "category":
		return mustBeOneOf(models.Categories[:models.NamedCategories])
	case "role":
		return mustBeOneOf(models.SharedRoles)
	}
	return mustBeOneOf(models.Types)
}

func mustBeOneOf(values []string) string {
	return "must be one of [" + strings.Join(values, ", ") + "]"
}

// joiError returns an error with Joi's message for the first violation; nil for none.
func joiError(vs []models.Violation) error {
	if len(vs) == 0 {
		return nil
	}
	return invalid(JoiMessage(vs[0]))
}

// Prefixes of Mongoose's messages.
const (
	createPrefix = "Expense validation failed: "
	updatePrefix = "Validation failed: "
)

// mongooseError returns an error with Mongoose's message for all violations; nil for none.
func mongooseError(title string, vs []models.Violation) error {
	if len(vs) == 0 {
		return nil
	}
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = v.Field + ": " + mongoose(v)
	}
	return invalid(title + strings.Join(parts, ", "))
}

func mongoose(v models.Violation) string {
	path, value := "Path `"+v.Field+"`", truncate(v.Value)
	if v.Rule == models.RuleOneOf && value == "" {
		v.Rule = models.RuleRequired
	}
	switch v.Rule {
	case models.RuleRequired, models.RuleEmpty:
		return path + " is required."
	case models.RuleType, models.RuleDate:
		return castFailed(v.Field, v.Value)
	case models.RuleTooLong:
		return fmt.Sprintf("%s (`%s`) is longer than the maximum allowed length (%d).", path, value, v.Limit)
	case models.RuleOneOf:
		return fmt.Sprintf("`%s` is not a valid enum value for path `%s`.", value, v.Field)
	case models.RuleMin:
		return fmt.Sprintf("%s (%s) is less than minimum allowed value (%s).", path, value, models.MinAmount)
	case models.RuleMax, models.RuleSafe:
		return fmt.Sprintf("%s (%s) is more than maximum allowed value (%s).", path, value, models.MaxAmount)
	case models.RuleNUL:
		return path + " contains a NUL character."
	case models.RuleTooMany:
		return fmt.Sprintf("%s exceeds the limit of %d.", path, v.Limit)
	}
	return fmt.Sprintf("%s is invalid (%s).", path, value)
}

// castFailed returns the message for a JSON value that cannot be converted to a field's
// type.
func castFailed(field, raw string) string {
	value, typ := raw, jsTypes[typeOf(json.RawMessage(raw))]
	if typ == "string" {
		value = stringOf(json.RawMessage(raw))
	}
	return "Cast to " + castTo(field) + " failed for value " + quote(value) + " (type " + typ + ") at path " + quote(field)
}

var jsTypes = map[jsonType]string{
	null: "null", boolean: "boolean", number: "number", text: "string", array: "Array", objectType: "Object",
}

func castTo(field string) string {
	switch field {
	case "amount", "version":
		return "Number"
	case "date":
		return "date"
	}
	return "string"
}

// fieldOrder is the order in which violations are reported.
var fieldOrder = append(slices.Clone(fieldKeys),
	"name", "email", "password", "currentPassword", "newPassword",
	"deviceId", "clientId", "version",
)

// sortViolations sorts violations by fieldOrder, in place, and returns them.
func sortViolations(vs []models.Violation) []models.Violation {
	slices.SortStableFunc(vs, func(a, b models.Violation) int {
		return slices.Index(fieldOrder, a.Field) - slices.Index(fieldOrder, b.Field)
	})
	return vs
}

func quote(label string) string { return `"` + truncate(label) + `"` }

// truncate shortens s to maxQuotedBytes bytes without splitting a character.
func truncate(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuotedBytes], "") + "…"
}

func elementLabel(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
