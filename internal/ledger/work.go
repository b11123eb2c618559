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

	"expenseflow/internal/failpoint"
	"expenseflow/internal/seededbug"
	"expenseflow/internal/store"
	"expenseflow/models"
)

// Work is the rules inside a transaction. It is used by one goroutine, inside
// the function that Ledger.Write called.
type Work struct {
	Tx          *store.Tx
	maxExpenses int64 // 0 is no limit
	maxReceived int64 // invitations that wait for one user
}

// Create stores a new expense; without a date it is of now. Errors: a
// *models.InvalidError for a draft that breaks a rule, models.Conflict for a user who
// has as many as are allowed.
func (w *Work) Create(d models.Draft, by models.Author) (models.Expense, error) {
	d = d.Normalize()
	if err := models.InvalidIf(d.Check()); err != nil {
		return models.Expense{}, err
	}
	if w.maxExpenses > 0 && w.Tx.User().Expenses >= w.maxExpenses {
		return models.Expense{}, tooManyExpenses(w.maxExpenses)
	}
	if err := countable(w.Tx, d.Currency); err != nil {
		return models.Expense{}, err
	}
	d = d.Dated(w.Tx.Clock())
	now := w.Tx.Now()
	e := models.Expense{
		ID: NewID(), UserID: w.Tx.User().ID,
		Description: d.Description, Amount: d.Amount, Category: d.Category, Type: d.Type,
		Date: *d.Date, Day: models.NamedDay(*d.Date, d.Day, w.Tx.Zone()),
		Currency: d.Currency, Merchant: d.Merchant, Notes: d.Notes,
		Version: 1, LastSyncedAt: now, CreatedAt: now, UpdatedAt: now,
	}
	w.Tx.InsertExpense(e)
	w.announce(models.ExpenseCreated, e, by)
	return e, nil
}

func tooManyExpenses(most int64) error {
	return &models.Error{
		Kind: models.Conflict, Code: "EXPENSE_LIMIT",
		Msg: "There can be at most " + strconv.FormatInt(most, 10) + " expenses: delete some of them first",
	}
}

// Update changes the fields that p names. Errors: *models.InvalidError,
// models.NotFound, models.Forbidden, and *models.ConflictError if seen is older
// than what is stored.
func (w *Work) Update(id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error) {
	p = p.Normalize()
	if err := models.InvalidIf(p.Check()); err != nil {
		return models.Expense{}, err
	}
	e, err := w.Seen(id, seen)
	if err != nil {
		return models.Expense{}, err
	}
	if seededbug.Enabled(seededbug.ZeroValueUpdate) && p.Notes != nil && *p.Notes == "" {
		p.Notes = nil
	}
	owner := w.Tx.In(e.UserID)
	p.Apply(&e, owner.Zone())
	if err := countable(owner, e.Currency); err != nil {
		return models.Expense{}, err
	}
	e.Version++
	e.UpdatedAt, e.LastSyncedAt = w.Tx.Now(), w.Tx.Now()
	w.Tx.UpdateExpense(e)
	w.announce(models.ExpenseUpdated, e, by)
	return e, nil
}

// CodeCurrencyLimit is the code of one currency too many.
const CodeCurrencyLimit = "CURRENCY_LIMIT"

// countable is models.Invalid if the account has too many currencies for an entry
// in a further one.
func countable(t *store.Tx, currency string) error {
	user := t.User()
	if len(user.Totals) < models.MaxCurrencies || user.Totals.Of(currency).Count > 0 {
		return nil
	}
	return &models.Error{
		Kind: models.Invalid, Code: CodeCurrencyLimit,
		Msg: "There can be entries in at most " + strconv.Itoa(models.MaxCurrencies) + " currencies",
	}
}

// Delete removes an expense and gives its last state. Errors: models.NotFound,
// and models.Forbidden for whoever does not own it.
func (w *Work) Delete(id string, by models.Author) (models.Expense, error) {
	e, err := w.allowed(id)
	if err != nil {
		return models.Expense{}, err
	}
	if err := w.Tx.DeleteExpense(e); err != nil {
		return models.Expense{}, err
	}
	if !seededbug.Enabled(seededbug.DroppedTombstone) {
		w.announce(models.ExpenseDeleted, e, by)
	}
	return e, nil
}

// Seen gives the stored expense, to who may change it, if it is no newer than
// seen, the version that the client last read; nil has seen everything.
func (w *Work) Seen(id string, seen *int64) (models.Expense, error) {
	e, err := w.allowed(id, models.RoleEditor)
	if err == nil && seen != nil && e.Version > *seen {
		return models.Expense{}, &models.ConflictError{Stored: e}
	}
	return e, err
}

// allowed gives the expense of this id to who may do something with it: to its
// owner, and to those with whom it is shared in one of these roles. Every door asks
// here. Whoever else has the expense gets models.Forbidden; all others get the one
// models.NotFound, be it that they never had it, have it no longer, or that there is
// none: so nobody learns of an expense, or of its end, who has no right to it.
func (w *Work) allowed(id string, roles ...models.Role) (models.Expense, error) {
	e, err := w.Tx.Expense(id)
	if err == nil && e.Role != models.NoRole && !slices.Contains(roles, e.Role) {
		return models.Expense{}, errForbidden
	}
	return e, err
}

// Resolve gives the id of the expense that a device calls id. What no device
// calls so comes back as it is, and is no expense's id.
func (w *Work) Resolve(id, deviceID string) (string, error) {
	if lower := strings.ToLower(id); models.ID24(lower) {
		return lower, nil
	}
	real, ok, err := w.Tx.Alias(deviceID, id)
	if err != nil || !ok {
		return id, err
	}
	return real, nil
}

// announce writes the change into the logs of all who have the expense. The
// device acted for this user (docs/contract.md#accounts-on-one-device).
func (w *Work) announce(kind models.ChangeKind, e models.Expense, by models.Author) {
	if seededbug.Enabled(seededbug.RelayTrusted) {
		seededbug.Remember(e.ID, e)
	}
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
		t.AppendChange(kind, seenBy(t, kind, e), by)
	}
}

// seenBy is an expense as somebody it is shared with sees it. Of one that is
// gone they get the id alone.
func seenBy(t *store.Tx, kind models.ChangeKind, e models.Expense) models.Expense {
	if kind == models.ExpenseDeleted {
		return models.Expense{ID: e.ID}
	}
	return t.View(e)
}

// CreateOnce is Create with what makes a repetition harmless; again tells that it
// was one. It also is models.Conflict for other data under a name that was used.
func (w *Work) CreateOnce(c Creation) (e models.Expense, again bool, err error) {
	c.Draft = c.Draft.Normalize()
	key, data := c.Key(w.Tx.User().ID), DataHash(c.Draft)
	first, again, err := w.Tx.OperationByKey(key)
	failpoint.Here(failpoint.AfterDedupe)
	switch {
	case err != nil:
		return e, false, err
	case again && string(first.Data) != quoted(data):
		return e, false, reused(c.RequestID, "expense")
	case again:
		return value(first.Result.Expense), true, nil
	}
	if e, err = w.Create(c.dated(), c.Author); err != nil {
		return e, false, err
	}
	if err := w.rememberNames(c, data, e); err != nil {
		return e, false, err
	}
	if c.Posted && c.ClientID == "" && c.Author.DeviceID != "" {
		w.Tx.RecordPost(store.Post{ExpenseID: e.ID, DeviceID: c.Author.DeviceID, DataHash: data, At: w.Tx.Clock()})
	}
	return e, false, nil
}

// rememberNames keeps a creation under all of its names that are free: a page that
// sent both knows it by its own alone when it queues it.
func (w *Work) rememberNames(c Creation, data string, e models.Expense) error {
	for _, name := range []Creation{{RequestID: c.RequestID}, {ClientID: c.ClientID, Author: c.Author}} {
		key := name.Key(w.Tx.User().ID)
		if key == "" {
			continue
		}
		if _, taken, err := w.Tx.OperationByKey(key); err != nil || taken {
			return err
		}
		w.remember(key, "expense", data, c.Author.DeviceID, models.Result{ResourceID: cmp.Or(name.RequestID, name.ClientID), Expense: &e})
	}
	return nil
}

// Key is the idempotency key of a creation that its client has named, else "".
func (c Creation) Key(userID string) string {
	return nameKey(userID, c.RequestID, c.Author.DeviceID, c.ClientID)
}

func nameKey(userID, requestID, deviceID, clientID string) string {
	switch {
	case requestID != "":
		return Key("request", userID, requestID)
	case clientID != "":
		return Key("client", userID, deviceID, clientID)
	}
	return ""
}

// CodeKeyReused is the code of a name that was used for other data.
const CodeKeyReused = "IDEMPOTENCY_KEY_REUSED"

func reused(requestID, what string) error {
	name := "clientId"
	if requestID != "" {
		name = "Idempotency-Key"
	}
	return &models.Error{Kind: models.Conflict, Msg: "This " + name + " was used for another " + what, Code: CodeKeyReused}
}

func (c Creation) dated() models.Draft {
	if c.Date == nil {
		return c.Draft
	}
	return c.Draft.Dated(*c.Date)
}

// remember keeps what a repetition of a creation finds, under its key. Of the data
// it keeps the name alone: that tells whether the repetition is one.
func (w *Work) remember(key, what, data, deviceID string, made models.Result) {
	now := w.Tx.Now()
	made.Status = models.StatusCreated
	w.Tx.InsertOperation(models.QueuedOperation{
		ID: NewID(), UserID: w.Tx.User().ID, Key: key, State: models.Applied,
		Operation: models.Operation{
			Action: models.Create, ResourceType: what, ResourceID: made.ResourceID, DeviceID: deviceID,
			Data: json.RawMessage(quoted(data)),
		},
		Result: made, CreatedAt: now, UpdatedAt: now,
	})
}

// quoted is a JSON text of hex digits.
func quoted(digits string) string { return `"` + digits + `"` }

func value(e *models.Expense) models.Expense {
	if e == nil {
		return models.Expense{}
	}
	return *e
}

// DataHash names a draft's normalized data (docs/contract.md#d17). An amount is the
// same however it was written, and so is a day that its date tells.
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
	return Key(parts...)
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
