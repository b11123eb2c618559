package wire

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// ParseBatch parses the body of POST /api/sync/batch. It checks only the structure
// (docs/contract.md#d4): unknown keys are ignored, and the data of operations is not
// looked at. The error is models.Invalid with Joi's message for the first violation.
// The operations share memory with body.
func ParseBatch(body json.RawMessage) ([]models.Operation, error) {
	o, err := readUnboundedObject(body)
	if err != nil {
		return nil, err
	}
	raw, err := arrayOf(o, "operations")
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

// arrayOf returns the elements of the array o[name].
func arrayOf(o object, name string) ([]json.RawMessage, error) {
	if o[name] == nil {
		return nil, joiError([]models.Violation{{Field: name, Rule: models.RuleRequired}})
	}
	if typeOf(o[name]) != array {
		return nil, invalid(quote(name) + " must be an array")
	}
	return slices.AppendSeq([]json.RawMessage{}, rawjson.Elements(o[name])), nil
}

// readOperation parses the operation at index i.
func readOperation(raw json.RawMessage, i int) (models.Operation, error) {
	label := elementLabel("operations", i)
	if typeOf(raw) != objectType {
		return models.Operation{}, notObject(raw, label)
	}
	o := split(raw)
	if err := checkOperation(o, label); err != nil {
		return models.Operation{}, err
	}
	op := models.Operation{
		Action: models.Action(stringOf(o["action"])), ResourceType: stringOf(o["resourceType"]),
		ResourceID: stringOf(o["resourceId"]), DeviceID: stringOf(o["deviceId"]), Timestamp: readTimestamp(o["timestamp"]),
	}
	if typeOf(o["data"]) != null {
		op.Data = o["data"]
	}
	return op, nil
}

// The actions and resource types of operations.
var (
	actions       = []string{string(models.Create), string(models.Update), string(models.Delete)}
	resourceTypes = []string{"expense"}
)

// checkOperation checks the structure of an operation, in the contract's order of fields.
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
		return invalid(quote(label) + " is required")
	case slices.Contains(values, stringOf(raw)):
		return nil
	case len(values) == 1:
		return invalid(quote(label) + " must be [" + values[0] + "]")
	}
	return invalid(quote(label) + " must be one of [CREATE, UPDATE, DELETE]")
}

// checkName checks a device's ID or a resource's: a string of 1 to MaxIDLength UTF-16 units.
func checkName(raw json.RawMessage, label string) error {
	v := models.Violation{Field: label, Limit: MaxIDLength}
	s := stringOf(raw)
	switch {
	case raw == nil:
		v.Rule = models.RuleRequired
	case typeOf(raw) != text:
		v.Rule = models.RuleType
	case s == "":
		v.Rule = models.RuleEmpty
	case models.UTF16Len(s) > MaxIDLength:
		v.Rule = models.RuleTooLong
	default:
		return nil
	}
	return invalid(JoiMessage(v))
}

// readTimestamp returns the time of an operation in milliseconds since 1970; nil for an
// invalid one. It only dates an expense, so a queue is never refused for it
// (docs/contract.md#d2, docs/contract.md#d4).
func readTimestamp(raw json.RawMessage) *int64 {
	t, ok := readTime(raw)
	if !ok {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

// AppendResult appends an entry of a batch's response:
// {resourceId, success, data|error, code?, status, current?}.
func AppendResult(b []byte, r *models.Result) []byte {
	b = appendString(append(b, `{"resourceId":`...), r.ResourceID)
	if r.Failed() {
		b = appendString(append(b, `,"success":false,"error":`...), r.Error)
		b = appendNonEmpty(b, `,"code":`, r.Code)
	} else {
		b = appendExpenseOrNull(append(b, `,"success":true,"data":`...), r.Expense)
	}
	b = appendString(append(b, `,"status":`...), string(r.Status))
	if r.Current != nil {
		b = AppendExpense(append(b, `,"current":`...), r.Current)
	}
	return append(b, '}')
}

func appendExpenseOrNull(b []byte, e *models.Expense) []byte {
	if e == nil {
		return append(b, "null"...)
	}
	return AppendExpense(b, e)
}

// AppendResults appends the response to a batch: {"results":[...]}.
func AppendResults(b []byte, rs []models.Result) []byte {
	b = append(b, `{"results":[`...)
	for i := range rs {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendResult(b, &rs[i])
	}
	return append(b, "]}"...)
}

// A QueuedOperation is encoded as a SyncQueue document (docs/contract.md#documents). "timestamp"
// is present if the device sent one; "error" and "current" if the operation is parked.
type QueuedOperation models.QueuedOperation

// NewQueuedOperation returns the document of op.
func NewQueuedOperation(op models.QueuedOperation) QueuedOperation { return QueuedOperation(op) }

// NewQueuedOperations returns the documents of ops. It is never nil, so that it is encoded as [].
func NewQueuedOperations(ops []models.QueuedOperation) []QueuedOperation {
	list := make([]QueuedOperation, len(ops))
	for i, op := range ops {
		list[i] = QueuedOperation(op)
	}
	return list
}

// MarshalJSON returns AppendQueuedOperation's bytes.
func (q QueuedOperation) MarshalJSON() ([]byte, error) {
	op := models.QueuedOperation(q)
	return AppendQueuedOperation(nil, &op), nil
}

// AppendQueuedOperation appends the document of q to b.
func AppendQueuedOperation(b []byte, q *models.QueuedOperation) []byte {
	b = appendString(append(b, `{"_id":`...), q.ID)
	b = appendString(append(b, `,"user":`...), q.UserID)
	b = appendString(append(b, `,"action":`...), string(q.Action))
	b = appendString(append(b, `,"resourceType":`...), q.ResourceType)
	b = appendString(append(b, `,"resourceId":`...), q.ResourceID)
	b = appendRaw(append(b, `,"data":`...), q.Data)
	b = strconv.AppendBool(append(b, `,"processed":`...), q.State != models.Parked)
	b = appendString(append(b, `,"deviceId":`...), q.DeviceID)
	if q.Timestamp != nil {
		b = strconv.AppendInt(append(b, `,"timestamp":`...), *q.Timestamp, 10)
	}
	b = appendNonEmpty(b, `,"error":`, q.Result.Error)
	if q.Result.Current != nil {
		b = AppendExpense(append(b, `,"current":`...), q.Result.Current)
	}
	b = appendTime(append(b, `,"createdAt":`...), q.CreatedAt)
	b = appendTime(append(b, `,"updatedAt":`...), q.UpdatedAt)
	return append(b, `,"__v":0}`...)
}

func appendRaw(b []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(b, "null"...)
	}
	return append(b, raw...)
}

// A SyncStatus is the response to GET /api/sync/status. It has exactly these two keys.
type SyncStatus struct {
	LastSync          *Time `json:"lastSync"`
	PendingOperations int64 `json:"pendingOperations"`
}

// NewSyncStatus returns the response; lastSync is nil before the first sync.
func NewSyncStatus(lastSync *time.Time, pending int64) SyncStatus {
	return SyncStatus{LastSync: (*Time)(lastSync), PendingOperations: pending}
}
