package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// Work applies the rules inside a transaction of one user. It must be used only by the
// goroutine of the function that Ledger.Write calls, and only until that returns.
type Work struct {
	Tx          *store.Tx
	maxExpenses int64 // 0 is no limit
	maxReceived int64 // waiting invitations per user

	notifyPeople bool // Options.NotifyPeople

	parking parking
}

// Create stores a new expense; the default date is now. Errors: *models.InvalidError,
// models.Conflict with code EXPENSE_LIMIT, models.Invalid with CodeCurrencyLimit.
func (w *Work) Create(d models.Draft, by models.Author) (models.Expense, error) {
	d = d.Normalize()
	if err := models.InvalidIf(d.Check()); err != nil {
		return models.Expense{}, err
	}
	if err := checkLimits(w.Tx.User(), w.maxExpenses, d.Currency); err != nil {
		return models.Expense{}, err
	}
	d = d.WithDate(w.Tx.Clock())
	now := w.Tx.Now()
	e := d.Expense(models.ResolveDay(*d.Date, d.Day, w.Tx.Zone()))
	e.ID, e.UserID, e.Version = NewID(), w.Tx.User().ID, 1
	e.LastSyncedAt, e.CreatedAt, e.UpdatedAt = now, now, now
	w.Tx.InsertExpense(e)
	w.appendToLogs(models.ExpenseCreated, e, by)
	return e, nil
}

// checkLimits returns why a user cannot have another expense in a currency.
func checkLimits(u models.User, maxExpenses int64, currency string) error {
	if maxExpenses > 0 && u.Expenses >= maxExpenses {
		return expenseLimitError(maxExpenses)
	}
	return checkCurrencyLimit(u, currency)
}

func expenseLimitError(most int64) error {
	return &models.Error{
		Kind: models.Conflict, Code: "EXPENSE_LIMIT", Setting: "MAX_EXPENSES_PER_USER",
		Msg: "There can be at most " + strconv.FormatInt(most, 10) + " expenses: delete some of them first",
	}
}

// Update changes the fields of p. Errors: *models.InvalidError, models.NotFound,
// models.Forbidden, and *models.ConflictError if seen is older than the stored version.
func (w *Work) Update(id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error) {
	p = p.Normalize()
	if err := models.InvalidIf(p.Check()); err != nil {
		return models.Expense{}, err
	}
	e, err := w.CheckVersion(id, seen)
	if err != nil {
		return models.Expense{}, err
	}
	owner := w.Tx.In(e.UserID)
	p.Apply(&e, owner.Zone())
	if err := checkCurrencyLimit(owner.User(), e.Currency); err != nil {
		return models.Expense{}, err
	}
	e.Version++
	e.UpdatedAt, e.LastSyncedAt = w.Tx.Now(), w.Tx.Now()
	w.Tx.UpdateExpense(e)
	w.appendToLogs(models.ExpenseUpdated, e, by)
	return e, nil
}

// CodeCurrencyLimit is the error code if an account has entries in
// models.MaxCurrencies currencies already.
const CodeCurrencyLimit = "CURRENCY_LIMIT"

// checkCurrencyLimit returns models.Invalid if an entry in this currency would exceed
// models.MaxCurrencies.
func checkCurrencyLimit(user models.User, currency string) error {
	if len(user.Totals) < models.MaxCurrencies || user.Totals.Of(currency).Count > 0 {
		return nil
	}
	return &models.Error{
		Kind: models.Invalid, Code: CodeCurrencyLimit, Setting: models.FixedLimit,
		Msg: "There can be entries in at most " + strconv.Itoa(models.MaxCurrencies) + " currencies",
	}
}

// Delete removes an expense and returns its last state. Errors: models.NotFound, and
// models.Forbidden if the user is not the owner.
func (w *Work) Delete(id string, by models.Author) (models.Expense, error) {
	e, err := w.authorize(id)
	if err != nil {
		return models.Expense{}, err
	}
	if err := w.Tx.DeleteExpense(e); err != nil {
		return models.Expense{}, err
	}
	w.appendToLogs(models.ExpenseDeleted, e, by)
	return e, nil
}

// CheckVersion returns the stored expense if the user may change it and its version is not newer
// than seen, the version that the client last read; nil accepts any version.
func (w *Work) CheckVersion(id string, seen *int64) (models.Expense, error) {
	e, err := w.authorize(id, models.RoleEditor)
	if err == nil && seen != nil && e.Version > *seen {
		return models.Expense{}, &models.ConflictError{Stored: e}
	}
	return e, err
}

// authorize returns the expense if the user owns it or has one of these roles in it. Every
// permission check goes through it. A user with another role gets models.Forbidden. A
// user without access gets the same models.NotFound as for an unknown id, so that the
// error does not reveal whether the expense exists or existed.
func (w *Work) authorize(id string, roles ...models.Role) (models.Expense, error) {
	e, err := w.Tx.Expense(id)
	if err == nil && e.Role != models.NoRole && !slices.Contains(roles, e.Role) {
		return models.Expense{}, errForbidden
	}
	return e, err
}

// Resolve returns the id of the expense for which a device uses a temporary id. Other
// values of id are returned unchanged, ids of expenses in lower case.
func (w *Work) Resolve(id, deviceID string) (string, error) {
	if lower := strings.ToLower(id); models.IsID(lower) {
		return lower, nil
	}
	real, ok, err := w.Tx.Alias(deviceID, id)
	if err != nil || !ok {
		return id, err
	}
	return real, nil
}

// appendToLogs appends the change to the logs of all users who have the expense, and records
// that the device acted for this user (docs/contract.md#accounts-on-one-device).
func (w *Work) appendToLogs(kind models.ChangeKind, e models.Expense, by models.Author) {
	w.Tx.TouchDevice(by)
	if e.Role == models.NoRole {
		w.Tx.AppendChange(kind, e, by)
		if e.Shares == 0 {
			return
		}
	} else {
		w.Tx.In(e.UserID).AppendChange(kind, w.Tx.In(e.UserID).View(e), by)
	}
	for _, t := range w.Tx.Members(e) {
		t.AppendChange(kind, viewFor(t, kind, e), by)
	}
}

// viewFor returns an expense in the view of a member. Of a deleted expense a member gets
// only the id.
func viewFor(t *store.Tx, kind models.ChangeKind, e models.Expense) models.Expense {
	if kind == models.ExpenseDeleted {
		return models.Expense{ID: e.ID}
	}
	return t.View(e)
}

// CreateOnce creates an expense, idempotently if c has a RequestID or ClientID. again
// reports whether it was a repetition. Errors are as for Create, and models.Conflict with
// CodeKeyReused if the key was used for other data.
func (w *Work) CreateOnce(c ExpenseCreation) (e models.Expense, again bool, err error) {
	c.Draft = c.Draft.Normalize()
	key, data := c.Key(w.Tx.User().ID), DataHash(c.Draft)
	first, again, err := w.Tx.OperationByKey(key)
	switch {
	case err != nil:
		return e, false, err
	case again && string(first.Data) != quoteHex(data):
		return e, false, keyReusedError(c.RequestID, "expense")
	case again:
		return derefExpense(first.Result.Expense), true, nil
	}
	if e, err = w.Create(c.datedDraft(), c.Author); err != nil {
		return e, false, err
	}
	if err := w.storeCreationNames(c, data, e); err != nil {
		return e, false, err
	}
	if c.Posted && c.ClientID == "" && c.Author.DeviceID != "" {
		w.Tx.RecordPost(store.Post{ExpenseID: e.ID, DeviceID: c.Author.DeviceID, DataHash: data, At: w.Tx.Clock()})
	}
	return e, false, nil
}

// storeCreationNames stores a creation under each of its idempotency keys that is not used
// yet. A page that sent both keys queues the expense with the ClientID only.
func (w *Work) storeCreationNames(c ExpenseCreation, data string, e models.Expense) error {
	for _, name := range []ExpenseCreation{{RequestID: c.RequestID}, {ClientID: c.ClientID, Author: c.Author}} {
		key := name.Key(w.Tx.User().ID)
		if key == "" {
			continue
		}
		if _, taken, err := w.Tx.OperationByKey(key); err != nil || taken {
			return err
		}
		result := models.Result{ResourceID: cmp.Or(name.RequestID, name.ClientID), Expense: &e}
		w.storeCreation(key, "expense", data, c.Author.DeviceID, result)
	}
	return nil
}

// Key returns the idempotency key of the creation; "" if the client chose none.
func (c ExpenseCreation) Key(userID string) string {
	return creationKey(userID, c.RequestID, c.Author.DeviceID, c.ClientID)
}

func creationKey(userID, requestID, deviceID, clientID string) string {
	switch {
	case requestID != "":
		return HashKey("request", userID, requestID)
	case clientID != "":
		return HashKey("client", userID, deviceID, clientID)
	}
	return ""
}

// CodeKeyReused is the error code if an idempotency key was used for other data.
const CodeKeyReused = "IDEMPOTENCY_KEY_REUSED"

func keyReusedError(requestID, what string) error {
	name := "clientId"
	if requestID != "" {
		name = "Idempotency-Key"
	}
	return &models.Error{Kind: models.Conflict, Msg: "This " + name + " was used for another " + what, Code: CodeKeyReused}
}

func (c ExpenseCreation) datedDraft() models.Draft {
	if c.Date == nil {
		return c.Draft
	}
	return c.Draft.WithDate(*c.Date)
}

// storeCreation stores the result of a creation under its idempotency key. data is a hash, by
// which a repetition with other data is recognised.
func (w *Work) storeCreation(key, what, data, deviceID string, made models.Result) {
	now := w.Tx.Now()
	made.Status = models.StatusCreated
	w.Tx.InsertOperation(models.QueuedOperation{
		ID: NewID(), UserID: w.Tx.User().ID, Key: key, State: models.Applied,
		Operation: models.Operation{
			Action: models.Create, ResourceType: what, ResourceID: made.ResourceID, DeviceID: deviceID,
			Data: json.RawMessage(quoteHex(data)),
		},
		Result: made, CreatedAt: now, UpdatedAt: now,
	})
}

// quoteHex returns a JSON string of hex digits.
func quoteHex(digits string) string { return `"` + digits + `"` }

func derefExpense(e *models.Expense) models.Expense {
	if e == nil {
		return models.Expense{}
	}
	return *e
}

// firstTexts is how many of models.TextFields the first release had: merchant and notes.
const firstTexts = 2

// DataHash returns a hash of a draft's normalized data (docs/contract.md#d17). It does
// not depend on the notation of the amount, nor on a Day that is the date's day in UTC.
//
// Hashes are stored and compared with those of later releases, so the hash of data without
// a new field must stay as it is: a later field is hashed with its name, and only if it is set.
func DataHash(d models.Draft) string {
	d = d.Normalize()
	date := ""
	if d.Date != nil {
		date = strconv.FormatInt(d.Date.UnixMilli(), 10)
	}
	parts := []string{"data", d.Description, d.Amount.String(), d.Category, d.Type, date, d.Currency, d.Merchant, d.Notes}
	if d.Day != nil && (d.Date == nil || *d.Day != models.DayOf(*d.Date, time.UTC)) {
		parts = append(parts, d.Day.String())
	}
	for _, f := range models.TextFields[firstTexts:] {
		if text := *f.InDraft(&d); text != "" {
			parts = append(parts, f.Name, text)
		}
	}
	if d.Tags != "" {
		parts = append(parts, "tags", string(d.Tags))
	}
	return HashKey(parts...)
}

// HashKey returns a SHA-256 hash of a list of strings in hex. Lengths are part of the hash,
// so lists with the same concatenation have different hashes.
func HashKey(parts ...string) string {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
