package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"expenseflow/models"
)

// maxQuoted bounds what an error text quotes of a client's value, in bytes.
const maxQuoted = 1000

// Joi puts a violation into the words of the HTTP and socket doors.
func Joi(v models.Violation) string {
	return quoted(v.Field) + " " + joiPredicate(v)
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
		return oneOf(field) // Joi does not look at the type of a value that is none of them
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
		return `must be greater than or equal to ` + quoted(beginnings[v.Field])
	case models.RuleSafe:
		return "must be a safe number"
	case models.RuleDate:
		return "must be a valid date"
	case models.RuleDay:
		return "must be a day in the form YYYY-MM-DD"
	case models.RuleKnown:
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

// beginnings are the fields that those of an end must not come before.
var beginnings = map[string]string{"endDate": "startDate", "to": "from"}

// limit is what v names, or the one of an expense's amount.
func limit(v models.Violation, amount models.Money) string {
	if v.Limit == 0 {
		return amount.String()
	}
	return strconv.Itoa(v.Limit)
}

// oneOf lists the values of a field that the original's text lists.
func oneOf(field string) string {
	switch field {
	case "category":
		return listed(models.Categories[:models.NamedCategories])
	case "role":
		return listed(models.SharedRoles)
	}
	return listed(models.Types)
}

func listed(values []string) string { return "must be one of [" + strings.Join(values, ", ") + "]" }

// joiError gives the first violation in Joi's words; nil for none.
func joiError(vs []models.Violation) error {
	if len(vs) == 0 {
		return nil
	}
	return invalid(Joi(vs[0]))
}

// Titles under which a batch reports violations, as Mongoose does.
const (
	createRefused = "Expense validation failed: "
	updateRefused = "Validation failed: "
)

// mongooseError gives all violations in Mongoose's words; nil for none.
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
	path, value := "Path `"+v.Field+"`", cut(v.Value)
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
	}
	return fmt.Sprintf("%s is invalid (%s).", path, value)
}

// castFailed is the text for a value, given as JSON, that a field cannot take.
func castFailed(field, raw string) string {
	value, typ := raw, jsTypes[typeOf(json.RawMessage(raw))]
	if typ == "string" {
		value = str(json.RawMessage(raw))
	}
	return "Cast to " + castTo(field) + " failed for value " + quoted(value) + " (type " + typ + ") at path " + quoted(field)
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

// fieldOrder is the contract's order of fields in error reports.
var fieldOrder = []string{
	"description", "amount", "category", "type", "date", "day", "currency", "merchant", "notes",
	"name", "email", "password", "currentPassword", "newPassword",
	"deviceId", "clientId", "version",
}

// ordered sorts violations of several checks into the contract's order.
func ordered(vs []models.Violation) []models.Violation {
	slices.SortStableFunc(vs, func(a, b models.Violation) int {
		return slices.Index(fieldOrder, a.Field) - slices.Index(fieldOrder, b.Field)
	})
	return vs
}

func quoted(label string) string { return `"` + cut(label) + `"` }

// cut shortens s to maxQuoted bytes without breaking a character.
func cut(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}

func element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
