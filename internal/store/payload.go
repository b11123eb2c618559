package store

import (
	"encoding/json"
	"strconv"
	"time"

	"expenseflow/models"
)

// An expensePayload is an expense as the log and the results of operations keep
// it. Rows live for months, so a name never changes its meaning, and a reader
// meets rows without names that were added later.
type expensePayload struct {
	ID          string `json:"id"`
	UserID      string `json:"user"`
	Description string `json:"description"`
	Amount      int64  `json:"amount"` // millionths
	Category    string `json:"category"`
	Type        string `json:"type"`
	Date        int64  `json:"date"` // this and the other times: milliseconds since 1970
	Day         *int64 `json:"day"`  // since 1970-01-01; absent: that of the date in UTC
	Currency    string `json:"currency,omitempty"`
	Merchant    string `json:"merchant,omitempty"`
	Notes       string `json:"notes,omitempty"`
	Version     int64  `json:"version"`
	SyncedAt    int64  `json:"synced"`
	CreatedAt   int64  `json:"created"`
	UpdatedAt   int64  `json:"updated"`

	Shares   int64       `json:"shares,omitempty"`
	Role     models.Role `json:"role,omitempty"` // this and by: of whose view it is
	SharedBy string      `json:"by,omitempty"`
}

// A resultPayload is a models.Result as operations keep it.
type resultPayload struct {
	ResourceID string          `json:"resource"`
	Status     models.Status   `json:"status"`
	Expense    *expensePayload `json:"expense,omitempty"`
	Budget     *budgetPayload  `json:"budget,omitempty"`
	Current    *expensePayload `json:"current,omitempty"`
	Error      string          `json:"error,omitempty"`
}

func (p *expensePayload) expense() *models.Expense {
	if p == nil {
		return nil
	}
	return &models.Expense{
		ID: p.ID, UserID: p.UserID, Description: p.Description, Amount: models.Money(p.Amount),
		Category: p.Category, Type: p.Type, Date: fromMillis(p.Date), Day: dayOr(p.Day, fromMillis(p.Date)), Currency: p.Currency,
		Merchant: p.Merchant, Notes: p.Notes, Version: p.Version, LastSyncedAt: fromMillis(p.SyncedAt),
		CreatedAt: fromMillis(p.CreatedAt), UpdatedAt: fromMillis(p.UpdatedAt),
		Shares: p.Shares, Role: p.Role, SharedBy: p.SharedBy,
	}
}

// dayOr is a day that is kept, or the day in UTC of a moment that has none beside
// it: of entities that were kept before days were.
func dayOr(day *int64, at time.Time) models.Day {
	if day == nil {
		return models.DayOf(at, time.UTC)
	}
	return models.Day(*day)
}

func encodeExpense(e *models.Expense) string { return string(appendExpense(nil, e)) }

// appendExpense writes the JSON of an expensePayload, by hand: a batch has two of
// each expense.
func appendExpense(b []byte, e *models.Expense) []byte {
	if b == nil {
		b = make([]byte, 0, 320)
	}
	b = appendText(append(b, '{'), "id", e.ID)
	b = appendText(append(b, ','), "user", e.UserID)
	b = appendText(append(b, ','), "description", e.Description)
	b = appendInt(append(b, ','), "amount", int64(e.Amount))
	b = appendText(append(b, ','), "category", e.Category)
	b = appendText(append(b, ','), "type", e.Type)
	b = appendInt(append(b, ','), "date", e.Date.UnixMilli())
	b = appendInt(append(b, ','), "day", int64(e.Day))
	b = appendIfText(b, "currency", e.Currency)
	b = appendIfText(b, "merchant", e.Merchant)
	b = appendIfText(b, "notes", e.Notes)
	b = appendInt(append(b, ','), "version", e.Version)
	b = appendInt(append(b, ','), "synced", e.LastSyncedAt.UnixMilli())
	b = appendInt(append(b, ','), "created", e.CreatedAt.UnixMilli())
	b = appendInt(append(b, ','), "updated", e.UpdatedAt.UnixMilli())
	if e.Shares > 0 {
		b = appendInt(append(b, ','), "shares", e.Shares)
	}
	b = appendIfText(b, "role", string(e.Role))
	b = appendIfText(b, "by", e.SharedBy)
	return append(b, '}')
}

func appendName(b []byte, name string) []byte {
	return append(append(append(b, '"'), name...), `":`...)
}

func appendText(b []byte, name, value string) []byte {
	return appendJSONString(appendName(b, name), value)
}

func appendIfText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendText(append(b, ','), name, value)
}

func appendInt(b []byte, name string, value int64) []byte {
	return strconv.AppendInt(appendName(b, name), value, 10)
}

func decodeExpense(b []byte) (models.Expense, error) {
	var p expensePayload
	if err := json.Unmarshal(b, &p); err != nil {
		return models.Expense{}, err
	}
	return *p.expense(), nil
}

// encodeResult writes the JSON of a resultPayload.
func encodeResult(r *models.Result) string {
	b := make([]byte, 0, 448)
	b = appendText(append(b, '{'), "resource", r.ResourceID)
	b = appendText(append(b, ','), "status", string(r.Status))
	if r.Expense != nil {
		b = appendExpense(appendName(append(b, ','), "expense"), r.Expense)
	}
	if r.Budget != nil {
		b = append(appendName(append(b, ','), "budget"), encoded(newBudgetPayload(r.Budget))...)
	}
	if r.Current != nil {
		b = appendExpense(appendName(append(b, ','), "current"), r.Current)
	}
	return string(append(appendIfText(b, "error", r.Error), '}'))
}

func decodeResult(b []byte) (models.Result, error) {
	var p resultPayload
	if err := json.Unmarshal(b, &p); err != nil {
		return models.Result{}, err
	}
	return models.Result{
		ResourceID: p.ResourceID, Status: p.Status, Error: p.Error,
		Expense: p.Expense.expense(), Budget: p.Budget.budget(), Current: p.Current.expense(),
	}, nil
}
