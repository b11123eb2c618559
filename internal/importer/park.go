package importer

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// What a row's reason says beside the rule that it breaks.
const (
	textNotParked = ". It does not wait for a decision, because too many changes do already"
	textWaits     = "It waits for a decision since an earlier import: "
)

// operationKey returns the idempotency key of the operation that a row with this key is parked as.
func operationKey(rowKey string) string { return ledger.HashKey("imported row", rowKey) }

// parkedData is the data of a CREATE as a device queues it.
type parkedData struct {
	Description string      `json:"description"`
	Amount      wire.Amount `json:"amount"`
	Category    string      `json:"category"`
	Type        string      `json:"type"`
	Date        string      `json:"date"` // YYYY-MM-DD
	Currency    string      `json:"currency,omitempty"`
	Merchant    string      `json:"merchant,omitempty"`
	Notes       string      `json:"notes,omitempty"`
	Tags        []string    `json:"tags,omitempty"`
}

// queued returns the operation as which a row is parked, without what the transaction adds.
func (r *row) queued(importID, why string) (q models.QueuedOperation, err error) {
	d := &r.draft
	q.Data, err = json.Marshal(parkedData{
		d.Description, wire.Amount(d.Amount), d.Category, d.Type, r.Day.String(), d.Currency, d.Merchant, d.Notes, d.Tags.List(),
	})
	q.Action, q.ResourceType, q.DeviceID = models.Create, "expense", "import_"+importID
	q.ResourceID = "temp_import_" + r.base[:24]
	q.Key = operationKey(r.base)
	q.Result = models.Result{ResourceID: q.ResourceID, Status: models.StatusParked, Error: why}
	return q, err
}

// park parks a row that a rule refuses. Beyond the limits of parked operations it is only reported.
func (r *run) park(w *ledger.Work, row *row, why string) error {
	if row.operation != nil {
		row.stays(why)
		return nil
	}
	q, err := row.queued(r.imp.ID, why)
	if err != nil {
		return err
	}
	q.ID, q.UserID, q.CreatedAt, q.UpdatedAt = ledger.NewID(), r.user.ID, w.Tx.Now(), w.Tx.Now()
	err = w.Park(q)
	if errors.Is(err, ledger.ErrParkedFull) {
		row.refuse(why + textNotParked)
		return nil
	}
	row.status, row.reason = wire.RowParked, why
	return err
}

// stays says of a row that was parked before that it is refused again.
func (r *row) stays(why string) {
	switch {
	case !r.waits():
		r.refuse(why)
	case r.own:
		r.status, r.reason = wire.RowParked, why
	default:
		r.duplicate("", textWaits+why)
	}
}

// waits reports whether the row waits for a decision since an earlier time.
func (r *row) waits() bool { return r.operation != nil && r.operation.State == models.Parked }

// settled reports whether it does so no longer.
func (r *row) settled() bool { return r.status == wire.RowNew && r.waits() }

// settle stores that the operation of a row was applied. It gives up its key, because the row is
// known as imported from now on.
func settle(w *ledger.Work, q models.QueuedOperation, e models.Expense) {
	q.State, q.Key, q.Data, q.UpdatedAt = models.Applied, "", nil, w.Tx.Now()
	q.Result = models.Result{ResourceID: q.ResourceID, Status: models.StatusCreated, Expense: &e}
	w.Tx.UpdateOperation(q)
}

// operations returns the operations of rows that were parked once, by the rows' keys.
func (r *run) operations(ctx context.Context, in store.Imports, rows []*row) (map[string]models.QueuedOperation, error) {
	keys, of := []string{}, map[string]string{}
	for _, row := range rows {
		if row.status == wire.RowNew {
			key := operationKey(row.base)
			keys, of[key] = append(keys, key), row.base
		}
	}
	found, err := in.OperationsByKey(ctx, r.user.ID, keys)
	operations := make(map[string]models.QueuedOperation, len(found))
	for _, q := range found {
		operations[of[q.Key]] = q
	}
	return operations, err
}

// announce tells the user's devices what a transaction has parked, and once that nothing more can
// be.
func (r *run) announce(ops []models.QueuedOperation, full bool) {
	ops = slices.Clip(ops)
	if full && !r.saidFull {
		r.saidFull = true
		ops = append(ops, ledger.ParkedFullNotice(r.user.ID))
	}
	if len(ops) > 0 {
		r.im.OnParked(r.user.ID, ops)
	}
}
