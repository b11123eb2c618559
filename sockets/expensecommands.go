package sockets

import (
	"context"
	"encoding/json"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An expenseService has the rules of expenses; *ledger.Ledger is one.
type expenseService interface {
	CreateExpense(ctx context.Context, userID string, c ledger.ExpenseCreation) (models.Expense, error)
	UpdateExpense(ctx context.Context, userID, id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error)
	DeleteExpense(ctx context.Context, userID, id string, by models.Author) (models.Expense, error)
	// InitZone ignores a name that is no zone's, and accounts that have a zone.
	InitZone(ctx context.Context, userID, name string, by models.Author) error
	// RightTo returns models.NotFound for a user without any right.
	RightTo(ctx context.Context, userID, expenseID string) (models.Right, error)
	Comment(ctx context.Context, userID, expenseID, text string) (models.Activity, error)
	// Audience returns all users who have the expense, and models.NotFound for a user
	// who does not.
	Audience(ctx context.Context, userID, expenseID string) ([]string, error)
}

// expenseCommands handles the commands that change expenses
// (docs/contract.md#commands). They go through the rules of an HTTP request.
type expenseCommands struct{ expenses expenseService }

// create handles expense:create {description, amount, category, type?, date?,
// deviceId?, clientId?}. With a clientId its repetition has no effect.
func (c *expenseCommands) create(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	draft, meta, err := wire.ParseCommandDraft(arg)
	if err != nil {
		return receipt{}, err
	}
	return storedReceipt(c.expenses.CreateExpense(ctx, s.userID,
		ledger.ExpenseCreation{Draft: draft, Author: s.author(meta), ClientID: meta.ClientID}))
}

// update handles expense:update {id, version?, deviceId?, and the fields that change}.
func (c *expenseCommands) update(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	patch, meta, err := wire.ParseCommandPatch(arg)
	if err != nil {
		return receipt{}, err
	}
	if meta.ID == "" {
		return receipt{}, errNoID
	}
	return storedReceipt(c.expenses.UpdateExpense(ctx, s.userID, meta.ID, meta.Version, patch, s.author(meta)))
}

// remove handles expense:delete {id, deviceId?}.
func (c *expenseCommands) remove(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	meta, err := wire.ParseMeta(arg)
	if err != nil {
		return receipt{}, err
	}
	if meta.ID == "" {
		return receipt{}, errNoID
	}
	return storedReceipt(c.expenses.DeleteExpense(ctx, s.userID, meta.ID, s.author(meta)))
}

var errNoID = models.E(models.Invalid, `"id" is required`)

// storedReceipt answers with the expense as it is stored, or was last.
func storedReceipt(e models.Expense, err error) (receipt, error) {
	return receipt{Expense: wire.AppendExpense(nil, &e)}, err
}
