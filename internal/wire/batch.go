package wire

import (
	"encoding/json"
	"slices"

	"expenseflow/models"
)

// ParseBatch reads the body of POST /api/sync/batch. It refuses only what a
// browser's queue cannot produce (docs/contract.md#d4), in Joi's words about the first
// fault; keys that nobody knows are ignored, and an operation's data is nobody's
// business here. The operations share memory with body.
func ParseBatch(body json.RawMessage) ([]models.Operation, error) {
	o, err := readQueue(body)
	if err != nil {
		return nil, err
	}
	raw, err := list(o, "operations")
	if err != nil {
		return nil, err
	}
	ops := make([]models.Operation, len(raw))
	for i := range raw {
		if ops[i], err = readOperation(raw[i], i); err != nil {
			return nil, err
		}
	}
	return ops, nil
}

// list gives the elements of o's array of that name.
func list(o object, name string) ([]json.RawMessage, error) {
	if o[name] == nil {
		return nil, joiError([]models.Violation{{Field: name, Rule: models.RuleRequired}})
	}
	if typeOf(o[name]) != array {
		return nil, invalid(quoted(name) + " must be an array")
	}
	return slices.AppendSeq([]json.RawMessage{}, elements(o[name])), nil
}

// readOperation reads operation number i.
func readOperation(raw json.RawMessage, i int) (models.Operation, error) {
	label := element("operations", i)
	if typeOf(raw) != objectType {
		return models.Operation{}, notObject(raw, label)
	}
	o := split(raw)
	if err := checkOperation(o, label); err != nil {
		return models.Operation{}, err
	}
	op := models.Operation{
		Action: models.Action(str(o["action"])), ResourceType: str(o["resourceType"]),
		ResourceID: str(o["resourceId"]), DeviceID: str(o["deviceId"]), Timestamp: readTimestamp(o["timestamp"]),
	}
	if typeOf(o["data"]) != null {
		op.Data = o["data"]
	}
	return op, nil
}

// Actions and resource types that an operation may name.
var (
	actions       = []string{string(models.Create), string(models.Update), string(models.Delete)}
	resourceTypes = []string{"expense"}
)

// checkOperation makes the structural checks, in the contract's order.
func checkOperation(o object, label string) error {
	for _, err := range []error{
		checkEnum(o["action"], label+".action", actions),
		checkEnum(o["resourceType"], label+".resourceType", resourceTypes),
		checkName(o["resourceId"], label+".resourceId"),
		checkName(o["deviceId"], label+".deviceId"),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkEnum(raw json.RawMessage, label string, values []string) error {
	switch {
	case raw == nil:
		return invalid(quoted(label) + " is required")
	case slices.Contains(values, str(raw)):
		return nil
	case len(values) == 1:
		return invalid(quoted(label) + " must be [" + values[0] + "]")
	}
	return invalid(quoted(label) + " must be one of [CREATE, UPDATE, DELETE]")
}

// checkName refuses what no device calls itself or a resource.
func checkName(raw json.RawMessage, label string) error {
	v := models.Violation{Field: label, Limit: MaxID}
	s := str(raw)
	switch {
	case raw == nil:
		v.Rule = models.RuleRequired
	case typeOf(raw) != text:
		v.Rule = models.RuleType
	case s == "":
		v.Rule = models.RuleEmpty
	case models.UTF16Len(s) > MaxID:
		v.Rule = models.RuleTooLong
	default:
		return nil
	}
	return invalid(Joi(v))
}

// readTimestamp gives a device's clock in milliseconds since 1970. What is no
// time is dropped: it only dates an expense, and a queue must never be refused
// for it (docs/contract.md#d2, docs/contract.md#d4).
func readTimestamp(raw json.RawMessage) *int64 {
	t, ok := readTime(raw)
	if !ok {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
