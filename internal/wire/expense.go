package wire

import (
	"strconv"

	"expenseflow/models"
)

// An Expense is encoded as the document of an expense (docs/contract.md#documents).
type Expense models.Expense

// NewExpense returns the document of e.
func NewExpense(e models.Expense) Expense { return Expense(e) }

// MarshalJSON returns the output of AppendExpense.
func (e Expense) MarshalJSON() ([]byte, error) {
	m := models.Expense(e)
	return AppendExpense(nil, &m), nil
}

// AppendExpense appends the document of e to b. Currency, merchant, notes and tags are present
// only if set; "shared", the number of other users, only if the reader is the owner and
// shares it; "sharedBy" and "role" only if another user shares it with the reader.
func AppendExpense(b []byte, e *models.Expense) []byte {
	return append(appendExpenseFields(b, e), '}')
}

// AppendPulledExpense appends the document of e for GET /api/sync/pull: with "id", which keys
// the browser's database, and "lastSyncedAt", which the cursor of the next pull is
// compared with (docs/contract.md#documents).
func AppendPulledExpense(b []byte, e *models.Expense) []byte {
	b = appendExpenseFields(b, e)
	b = appendString(append(b, `,"id":`...), e.ID)
	b = appendTime(append(b, `,"lastSyncedAt":`...), e.LastSyncedAt)
	return append(b, '}')
}

// appendExpenseFields appends the document without its closing brace.
func appendExpenseFields(b []byte, e *models.Expense) []byte {
	b = appendString(append(b, `{"_id":`...), e.ID)
	b = appendString(append(b, `,"user":`...), e.UserID)
	b = appendString(append(b, `,"description":`...), e.Description)
	b = e.Amount.Append(append(b, `,"amount":`...))
	b = appendString(append(b, `,"category":`...), e.Category)
	b = appendString(append(b, `,"type":`...), e.Type)
	b = appendTime(append(b, `,"date":`...), e.Date)
	b = appendDay(append(b, `,"day":`...), e.Day)
	b = appendNonEmpty(b, `,"currency":`, e.Currency)
	for i := range models.TextFields {
		b = appendNonEmpty(b, textKeys[i], models.TextFields[i].Of(*e))
	}
	b = appendTags(b, `,"tags":`, e.Tags)
	b = appendTime(append(b, `,"createdAt":`...), e.CreatedAt)
	b = appendTime(append(b, `,"updatedAt":`...), e.UpdatedAt)
	b = strconv.AppendInt(append(b, `,"__v":0,"version":`...), e.Version, 10)
	return appendSharing(b, e)
}

// appendTags appends a key and the list of tags; nothing if there are none.
func appendTags(b []byte, key string, tags models.Tags) []byte {
	if tags == "" {
		return b
	}
	b = append(append(b, key...), '[')
	for i, tag := range tags.List() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, tag)
	}
	return append(b, ']')
}

// textKeys are the keys of models.TextFields in the document.
var textKeys = mapText(func(f models.TextField) string { return `,"` + f.Name + `":` })

func mapText(fn func(models.TextField) string) (all []string) {
	for _, f := range models.TextFields {
		all = append(all, fn(f))
	}
	return all
}

// An ExpensePage is the wrapped form of the list of expenses (docs/contract.md#documents).
type ExpensePage struct {
	Success    bool       `json:"success"`
	Data       []Expense  `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// NewExpensePage returns page number page of a list of total expenses. limit is the number of
// expenses per page, at least 1.
func NewExpensePage(es []models.Expense, total int64, page, limit int) ExpensePage {
	data := make([]Expense, len(es))
	for i, e := range es {
		data[i] = Expense(e)
	}
	return ExpensePage{Success: true, Data: data, Pagination: pagination(total, page, limit)}
}
