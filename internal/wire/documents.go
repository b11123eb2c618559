package wire

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"expenseflow/models"
)

// timeLayout is how every moment is written: three digits of milliseconds, Z.
const timeLayout = `"2006-01-02T15:04:05.000Z"`

// Time is a moment in the contract's spelling.
type Time time.Time

// MarshalJSON gives UTC with three digits of milliseconds.
func (t Time) MarshalJSON() ([]byte, error) { return appendTime(nil, time.Time(t)), nil }

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, timeLayout)
}

// An Expense writes itself as the contract's document (docs/contract.md#documents).
type Expense models.Expense

// NewExpense gives e's document.
func NewExpense(e models.Expense) Expense { return Expense(e) }

// MarshalJSON gives AppendExpense's bytes.
func (e Expense) MarshalJSON() ([]byte, error) {
	m := models.Expense(e)
	return AppendExpense(nil, &m), nil
}

// AppendExpense appends e's document to b. Currency, merchant and notes are in
// it only when they are set; "shared", with how many others, only if the reader
// shares it; "sharedBy" and "role" only if somebody else shares it with the reader.
func AppendExpense(b []byte, e *models.Expense) []byte {
	return append(appendOpenExpense(b, e), '}')
}

// AppendPulled appends e's document as GET /api/sync/pull gives it: with "id"
// beside "_id", which the browser's own database is keyed by, and with the
// moment that the next pull's cursor is compared with (docs/contract.md#documents).
func AppendPulled(b []byte, e *models.Expense) []byte {
	b = appendOpenExpense(b, e)
	b = appendString(append(b, `,"id":`...), e.ID)
	b = appendTime(append(b, `,"lastSyncedAt":`...), e.LastSyncedAt)
	return append(b, '}')
}

// appendOpenExpense leaves the closing brace to its caller.
func appendOpenExpense(b []byte, e *models.Expense) []byte {
	b = appendString(append(b, `{"_id":`...), e.ID)
	b = appendString(append(b, `,"user":`...), e.UserID)
	b = appendString(append(b, `,"description":`...), e.Description)
	b = e.Amount.Append(append(b, `,"amount":`...))
	b = appendString(append(b, `,"category":`...), e.Category)
	b = appendString(append(b, `,"type":`...), e.Type)
	b = appendTime(append(b, `,"date":`...), e.Date)
	b = appendDay(append(b, `,"day":`...), e.Day)
	b = appendSet(b, `,"currency":`, e.Currency)
	b = appendSet(b, `,"merchant":`, e.Merchant)
	b = appendSet(b, `,"notes":`, e.Notes)
	b = appendTime(append(b, `,"createdAt":`...), e.CreatedAt)
	b = appendTime(append(b, `,"updatedAt":`...), e.UpdatedAt)
	b = strconv.AppendInt(append(b, `,"__v":0,"version":`...), e.Version, 10)
	return appendSharing(b, e)
}

// appendSet appends a key and its text, and nothing for an empty text.
func appendSet(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(append(b, key...), s)
}

// appendString appends s as encoding/json writes it, so that the same document
// has the same bytes whoever encodes it.
func appendString(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendEscaped(b, s)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	escaped, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...) // json cannot fail on a string
	}
	return append(b, escaped...)
}

// A Result writes itself as one entry of a batch's answer:
// {resourceId, success, data|error, code?, status, current?}.
type Result models.Result

// NewResult gives r's document.
func NewResult(r models.Result) Result { return Result(r) }

// MarshalJSON gives AppendResult's bytes.
func (r Result) MarshalJSON() ([]byte, error) {
	m := models.Result(r)
	return AppendResult(nil, &m), nil
}

// AppendResult appends r's document to b.
func AppendResult(b []byte, r *models.Result) []byte {
	b = appendString(append(b, `{"resourceId":`...), r.ResourceID)
	if r.Failed() {
		b = appendString(append(b, `,"success":false,"error":`...), r.Error)
		b = appendSet(b, `,"code":`, r.Code)
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

// AppendResults appends the answer to a batch: {"results":[...]}.
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

// A Queued writes itself as the contract's SyncQueue document (docs/contract.md#documents),
// with "timestamp" where the device named one and, of a parked operation,
// "error" and "current".
type Queued models.QueuedOperation

// NewQueued gives op's document.
func NewQueued(op models.QueuedOperation) Queued { return Queued(op) }

// QueuedList gives the documents of ops; never nil, so that it is written [].
func QueuedList(ops []models.QueuedOperation) []Queued {
	list := make([]Queued, len(ops))
	for i, op := range ops {
		list[i] = Queued(op)
	}
	return list
}

// MarshalJSON gives AppendQueued's bytes.
func (q Queued) MarshalJSON() ([]byte, error) {
	op := models.QueuedOperation(q)
	return AppendQueued(nil, &op), nil
}

// AppendQueued appends q's document to b.
func AppendQueued(b []byte, q *models.QueuedOperation) []byte {
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
	b = appendSet(b, `,"error":`, q.Result.Error)
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

// A SyncStatus is the answer to GET /api/sync/status: exactly these two keys.
type SyncStatus struct {
	LastSync          *Time `json:"lastSync"`
	PendingOperations int64 `json:"pendingOperations"`
}

// NewSyncStatus gives the document; lastSync is nil before the first one.
func NewSyncStatus(lastSync *time.Time, pending int64) SyncStatus {
	return SyncStatus{LastSync: (*Time)(lastSync), PendingOperations: pending}
}

// A Page is the wrapped form of the expense list (docs/contract.md#documents).
type Page struct {
	Success    bool       `json:"success"`
	Data       []Expense  `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination says which part of a list a Page is. Page counts from 1; an empty
// list has 0 pages.
type Pagination struct {
	Total int64 `json:"total"`
	Page  int   `json:"page"`
	Limit int   `json:"limit"`
	Pages int64 `json:"pages"`
}

// NewPage gives page number page of a list of total expenses; limit is how many
// a page holds and is at least 1.
func NewPage(es []models.Expense, total int64, page, limit int) Page {
	data := make([]Expense, len(es))
	for i, e := range es {
		data[i] = Expense(e)
	}
	return Page{Success: true, Data: data, Pagination: pagination(total, page, limit)}
}

func pagination(total int64, page, limit int) Pagination {
	return Pagination{Total: total, Page: page, Limit: limit, Pages: (total + int64(limit) - 1) / int64(limit)}
}
