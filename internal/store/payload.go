package store

import (
	"encoding/json"

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
	Currency    string `json:"currency,omitempty"`
	Merchant    string `json:"merchant,omitempty"`
	Notes       string `json:"notes,omitempty"`
	Version     int64  `json:"version"`
	SyncedAt    int64  `json:"synced"`
	CreatedAt   int64  `json:"created"`
	UpdatedAt   int64  `json:"updated"`
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

func newExpensePayload(e *models.Expense) *expensePayload {
	if e == nil {
		return nil
	}
	return &expensePayload{
		ID: e.ID, UserID: e.UserID, Description: e.Description, Amount: int64(e.Amount),
		Category: e.Category, Type: e.Type, Date: e.Date.UnixMilli(), Currency: e.Currency,
		Merchant: e.Merchant, Notes: e.Notes, Version: e.Version, SyncedAt: e.LastSyncedAt.UnixMilli(),
		CreatedAt: e.CreatedAt.UnixMilli(), UpdatedAt: e.UpdatedAt.UnixMilli(),
	}
}

func (p *expensePayload) expense() *models.Expense {
	if p == nil {
		return nil
	}
	return &models.Expense{
		ID: p.ID, UserID: p.UserID, Description: p.Description, Amount: models.Money(p.Amount),
		Category: p.Category, Type: p.Type, Date: fromMillis(p.Date), Currency: p.Currency,
		Merchant: p.Merchant, Notes: p.Notes, Version: p.Version, LastSyncedAt: fromMillis(p.SyncedAt),
		CreatedAt: fromMillis(p.CreatedAt), UpdatedAt: fromMillis(p.UpdatedAt),
	}
}

func encodeExpense(e *models.Expense) string {
	b, _ := json.Marshal(newExpensePayload(e)) // strings and integers always marshal
	return string(b)
}

func decodeExpense(b []byte) (models.Expense, error) {
	var p expensePayload
	if err := json.Unmarshal(b, &p); err != nil {
		return models.Expense{}, err
	}
	return *p.expense(), nil
}

func encodeResult(r *models.Result) string {
	p := resultPayload{
		ResourceID: r.ResourceID, Status: r.Status, Error: r.Error,
		Expense: newExpensePayload(r.Expense), Current: newExpensePayload(r.Current),
	}
	if r.Budget != nil {
		b := newBudgetPayload(r.Budget)
		p.Budget = &b
	}
	return encoded(&p)
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
