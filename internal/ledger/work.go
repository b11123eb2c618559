package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// Work is the rules inside a transaction. It is used by one goroutine, inside
// the function that Ledger.Write called.
type Work struct{ Tx *store.Tx }

// Create stores a new expense; without a date it is of now. The error is a
// *models.InvalidError for a draft that breaks a rule.
func (w *Work) Create(d models.Draft, by models.Author) (models.Expense, error) {
	d = d.Normalize()
	if err := models.InvalidIf(d.Check()); err != nil {
		return models.Expense{}, err
	}
	now := w.Tx.Now()
	e := models.Expense{
		ID: NewID(), UserID: w.Tx.User().ID,
		Description: d.Description, Amount: d.Amount, Category: d.Category, Type: d.Type, Date: now,
		Currency: d.Currency, Merchant: d.Merchant, Notes: d.Notes,
		Version: 1, LastSyncedAt: now, CreatedAt: now, UpdatedAt: now,
	}
	if d.Date != nil {
		e.Date = *d.Date
	}
	w.Tx.InsertExpense(e)
	w.announce(models.ExpenseCreated, e, by)
	return e, nil
}

// Update changes the fields that p names. Errors: *models.InvalidError,
// models.NotFound, and *models.ConflictError if seen is older than what is
// stored.
func (w *Work) Update(id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error) {
	p = p.Normalize()
	if err := models.InvalidIf(p.Check()); err != nil {
		return models.Expense{}, err
	}
	e, err := w.Seen(id, seen)
	if err != nil {
		return models.Expense{}, err
	}
	p.Apply(&e)
	e.Version++
	e.UpdatedAt, e.LastSyncedAt = w.Tx.Now(), w.Tx.Now()
	w.Tx.UpdateExpense(e)
	w.announce(models.ExpenseUpdated, e, by)
	return e, nil
}

// Delete removes an expense and gives its last state; models.NotFound if there
// is none.
func (w *Work) Delete(id string, by models.Author) (models.Expense, error) {
	e, err := w.Tx.Expense(id)
	if err != nil {
		return models.Expense{}, err
	}
	w.Tx.DeleteExpense(e)
	w.announce(models.ExpenseDeleted, e, by)
	return e, nil
}

// Seen gives the stored expense if it is no newer than seen, the version that
// the client last read; nil has seen everything.
func (w *Work) Seen(id string, seen *int64) (models.Expense, error) {
	e, err := w.Tx.Expense(id)
	if err == nil && seen != nil && e.Version > *seen {
		return models.Expense{}, &models.ConflictError{Stored: e}
	}
	return e, err
}

// Resolve gives the id of the expense that a device calls id. What no device
// calls so comes back as it is, and is no expense's id.
func (w *Work) Resolve(id, deviceID string) (string, error) {
	if models.ID24(id) {
		return id, nil
	}
	real, ok, err := w.Tx.Alias(deviceID, id)
	if err != nil || !ok {
		return id, err
	}
	return real, nil
}

// announce writes the change into the log. The device acted for this user
// (CONTRACT decision 13).
func (w *Work) announce(kind models.ChangeKind, e models.Expense, by models.Author) {
	w.Tx.AppendChange(kind, e, by)
	w.Tx.TouchDevice(by.DeviceID)
}

// createOnce is Create with what makes a repetition harmless.
func (w *Work) createOnce(c Creation) (models.Expense, error) {
	c.Draft = c.Draft.Normalize()
	key := c.key(w.Tx.User().ID)
	first, ok, err := w.Tx.OperationByKey(key)
	if err != nil || ok {
		return value(first.Result.Expense), err
	}
	e, err := w.Create(c.Draft, c.Author)
	if err != nil {
		return models.Expense{}, err
	}
	if key != "" {
		w.Tx.InsertOperation(c.operation(key, e))
	}
	if c.Posted && c.Author.DeviceID != "" {
		w.Tx.RecordPost(store.Post{ExpenseID: e.ID, DeviceID: c.Author.DeviceID, DataHash: DataHash(c.Draft), At: e.CreatedAt})
	}
	return e, nil
}

// key names the creation for its repetition; "" if the client did not. The data
// is part of it, so that a client which starts to count again loses nothing.
func (c Creation) key(userID string) string {
	if c.ClientID == "" {
		return ""
	}
	return Key("client", userID, c.Author.DeviceID, c.ClientID, DataHash(c.Draft))
}

func (c Creation) operation(key string, e models.Expense) models.QueuedOperation {
	return models.QueuedOperation{
		ID: NewID(), UserID: e.UserID, Key: key, State: models.Applied,
		Operation: models.Operation{
			Action: models.Create, ResourceType: "expense", ResourceID: c.ClientID, DeviceID: c.Author.DeviceID,
		},
		Result:    models.Result{ResourceID: c.ClientID, Status: models.StatusCreated, Expense: &e},
		CreatedAt: e.CreatedAt, UpdatedAt: e.CreatedAt,
	}
}

func value(e *models.Expense) models.Expense {
	if e == nil {
		return models.Expense{}
	}
	return *e
}

// DataHash names a draft's normalized data (CONTRACT D17). An amount is the
// same however it was written.
func DataHash(d models.Draft) string {
	d = d.Normalize()
	date := ""
	if d.Date != nil {
		date = strconv.FormatInt(d.Date.UnixMilli(), 10)
	}
	return Key("data", d.Description, d.Amount.String(), d.Category, d.Type, date, d.Currency, d.Merchant, d.Notes)
}

// Key is a short name for a list of texts: the same for the same list only,
// wherever one text ends and the next begins.
func Key(parts ...string) string {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
