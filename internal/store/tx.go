package store

import (
	"slices"
	"time"

	"expenseflow/internal/seededbug"
	"expenseflow/models"
)

// An AliasKey names an expense as the device that made it offline does.
type AliasKey struct {
	DeviceID string // "" is any device of the user
	TempID   string
}

// A Post is an expense that a plain POST made, for the case that its answer is
// lost and the device queues the same creation again (docs/contract.md#d17).
type Post struct {
	ExpenseID string
	DeviceID  string
	DataHash  string    // of the normalised data
	At        time.Time // when it was received
}

// A Preload names rows that a transaction is about to read, so that many come
// with one statement. Reading without it is the same, only slower.
type Preload struct {
	ExpenseIDs    []string
	OperationKeys []string
	Aliases       []AliasKey
	PostHashes    []string // Post.DataHash
}

// Preload reads what p names.
func (tx *Tx) Preload(p Preload) error {
	if err := tx.loadAliases(p.Aliases); err != nil {
		return err
	}
	if err := tx.loadExpenses(p.ExpenseIDs); err != nil {
		return err
	}
	if err := tx.loadKeys(p.OperationKeys); err != nil {
		return err
	}
	return tx.loadPosts(p.PostHashes)
}

// Expense is the expense of this id if the user has it, in their view;
// models.NotFound, all alike, if there is none, if it is another user's and not, or
// no longer, shared with this one, and for what is no id at all. A shared expense
// needs the locks of all who have it (see Write).
func (tx *Tx) Expense(id string) (models.Expense, error) {
	if err := tx.loadExpenses([]string{id}); err != nil {
		return models.Expense{}, err
	}
	e, exists, _ := tx.expenses.get(id)
	if !exists {
		return models.Expense{}, errNoExpense
	}
	if err := tx.entitled(&e); err != nil {
		return models.Expense{}, err
	}
	return tx.View(e), nil
}

var errNoExpense = models.E(models.NotFound, "Expense not found")

func (tx *Tx) loadExpenses(ids []string) error {
	ids = unknown(tx.expenses, ids, models.ID24)
	if len(ids) == 0 {
		return tx.failed
	}
	// The user is compared elsewhere: as a condition, it tempts a planner to read
	// all of a busy user's expenses.
	query := "SELECT " + expenseTable.names() + " FROM expenses WHERE " + tx.s.d.in("id")
	err := tx.query(query, []any{tx.s.d.list(ids)}, func(row scanner) error {
		e, err := scanExpense(row)
		tx.expenses.load(e.ID, e, true)
		return err
	})
	absent(tx.expenses, ids)
	if err != nil {
		return err
	}
	return tx.loadShares(ids)
}

// unknown are the keys of which o knows nothing and that may exist at all.
func unknown[K comparable, R any](o *overlay[K, R], keys []K, valid func(K) bool) []K {
	return slices.DeleteFunc(slices.Clone(keys), func(k K) bool {
		_, known := o.entries[k]
		return known || !valid(k)
	})
}

// absent notes that the keys which were looked for and not found do not exist.
func absent[K comparable, R any](o *overlay[K, R], keys []K) {
	var none R
	for _, k := range keys {
		o.load(k, none, false)
	}
}

// InsertExpense saves a new expense.
func (tx *Tx) InsertExpense(e models.Expense) {
	tx.tally(&e, 1)
	tx.expenses.put(e.ID, e, false)
}

// UpdateExpense saves an expense that Expense gave, whoever's it is.
func (tx *Tx) UpdateExpense(e models.Expense) {
	if before, exists, _ := tx.expenses.get(e.ID); exists {
		tx.of[e.UserID].retally(&before, &e)
		e.Shares, e.Traces = before.Shares, before.Traces
	}
	e.Role, e.SharedBy = models.NoRole, ""
	tx.expenses.put(e.ID, e, true)
}

// DeleteExpense removes an expense that Expense gave, with its shares and what
// was said about it.
func (tx *Tx) DeleteExpense(e models.Expense) error {
	before, exists, _ := tx.expenses.get(e.ID)
	if exists {
		tx.of[e.UserID].tally(&before, -1)
	}
	tx.expenses.remove(e.ID)
	if !before.Traces {
		return nil
	}
	return tx.dropTraces(e.ID)
}

// AppendChange adds a change of an expense to the user's log, as Append does.
func (tx *Tx) AppendChange(kind models.ChangeKind, e models.Expense, by models.Author) {
	tx.Append(models.Change{Kind: kind, EntityID: e.ID, Expense: e, Author: by})
}

// Append adds to the user's log; the change gets the next sequence and the
// transaction's moment. What the acting user's device is called, and by which token
// it acts, stands in that user's log alone.
func (tx *Tx) Append(c models.Change) {
	if tx.user.ID != tx.acting {
		c.Author = models.Author{}
	}
	tx.user.Seq++
	c.UserID, c.Seq, c.At = tx.user.ID, tx.user.Seq, tx.Now()
	tx.changes = append(tx.changes, c)
	if seededbug.Enabled(seededbug.EmitBeforeCommit) {
		seededbug.Append(tx.user.ID, c)
	}
}

// Appended is what the transaction has added to the log, in order.
func (tx *Tx) Appended() []models.Change { return tx.changes }

// OperationByKey finds the stored operation of an idempotency key; "" finds none.
func (tx *Tx) OperationByKey(key string) (models.QueuedOperation, bool, error) {
	if err := tx.loadKeys([]string{key}); err != nil {
		return models.QueuedOperation{}, false, err
	}
	id, exists, _ := tx.keys.get(key)
	if !exists {
		return models.QueuedOperation{}, false, nil
	}
	op, _, _ := tx.operations.get(id)
	return op, true, nil
}

func (tx *Tx) loadKeys(keys []string) error {
	keys = unknown(tx.keys, keys, func(k string) bool { return k != "" })
	if len(keys) == 0 {
		return nil
	}
	query := "SELECT " + operationTable.names() + " FROM operations WHERE user_id = ? AND key <> '' AND " + tx.s.d.in("key")
	err := tx.query(query, []any{tx.user.ID, tx.s.d.list(keys)}, tx.loadOperation)
	absent(tx.keys, keys)
	return err
}

func (tx *Tx) loadOperation(row scanner) error {
	op, err := scanOperation(row)
	tx.operations.load(op.ID, op, true)
	if op.Key != "" {
		tx.keys.load(op.Key, op.ID, true)
	}
	return err
}

// Operation is the user's stored operation of this id; models.NotFound if there
// is none.
func (tx *Tx) Operation(id string) (models.QueuedOperation, error) {
	if _, _, known := tx.operations.get(id); !known && models.ID24(id) {
		query := "SELECT " + operationTable.names() + " FROM operations WHERE id = ? AND user_id = ?"
		if err := tx.query(query, []any{id, tx.user.ID}, tx.loadOperation); err != nil {
			return models.QueuedOperation{}, err
		}
	}
	op, exists, _ := tx.operations.get(id)
	if !exists {
		return op, models.E(models.NotFound, "Operation not found")
	}
	return op, nil
}

// Parked is how many operations of the user wait for a person, and how many bytes of
// clients' they hold, without those of this transaction that are not written yet.
func (tx *Tx) Parked() (rows, bytes int64, err error) {
	query := "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM operations WHERE user_id = ? AND state = 'parked'"
	err = tx.query(query, []any{tx.user.ID}, func(row scanner) error { return row.Scan(&rows, &bytes) })
	return rows, bytes, err
}

// InsertOperation saves a new operation.
func (tx *Tx) InsertOperation(op models.QueuedOperation) { tx.saveOperation(op, false) }

// UpdateOperation saves an operation that Operation or OperationByKey gave.
func (tx *Tx) UpdateOperation(op models.QueuedOperation) { tx.saveOperation(op, true) }

func (tx *Tx) saveOperation(op models.QueuedOperation, stored bool) {
	tx.operations.put(op.ID, op, stored)
	if op.Key != "" {
		tx.keys.put(op.Key, op.ID, stored)
	}
	if op.State == models.Applied {
		tx.user.LastAppliedAt = tx.now
	}
}

// Alias is the expense that a device calls tempID. An unnamed device ("") finds
// the newest one of that name from any device of the user.
func (tx *Tx) Alias(deviceID, tempID string) (expenseID string, ok bool, err error) {
	if err := tx.loadAliases([]AliasKey{{deviceID, tempID}}); err != nil {
		return "", false, err
	}
	if deviceID == "" {
		expenseID, ok, _ = tx.anyAliases.get(tempID)
		return expenseID, ok, nil
	}
	expenseID, ok, _ = tx.aliases.get(AliasKey{deviceID, tempID})
	return expenseID, ok, nil
}

// loadAliases reads every device's names among those of keys, so that it knows
// the newest too.
func (tx *Tx) loadAliases(keys []AliasKey) error {
	var temps []string
	for _, k := range keys {
		temps = append(temps, k.TempID)
	}
	temps = slices.DeleteFunc(temps, func(id string) bool { return id == "" || tx.tempIDs[id] })
	if len(temps) == 0 {
		return nil
	}
	query := "SELECT temp_id, device_id, expense_id FROM aliases WHERE user_id = ? AND " +
		tx.s.d.in("temp_id") + " ORDER BY created_at DESC, expense_id DESC"
	err := tx.query(query, []any{tx.user.ID, tx.s.d.list(mapped(temps, storable))}, tx.loadAlias)
	for _, id := range temps {
		tx.tempIDs[id] = err == nil
	}
	return err
}

// loadAlias notes an alias; the first of its name is the newest.
func (tx *Tx) loadAlias(row scanner) error {
	var temp, device, expense string
	if err := row.Scan(&temp, &device, &expense); err != nil {
		return err
	}
	k := AliasKey{original(device), original(temp)}
	tx.aliases.load(k, expense, true)
	tx.anyAliases.load(k.TempID, expense, true)
	return nil
}

// SetAlias notes that a device calls this expense tempID; a later one of the
// same name replaces it.
func (tx *Tx) SetAlias(deviceID, tempID, expenseID string) {
	tx.aliases.put(AliasKey{deviceID, tempID}, expenseID, !tx.tempIDs[tempID])
	tx.anyAliases.put(tempID, expenseID, false)
}

func mapped[T, U any](from []T, f func(T) U) []U {
	to := make([]U, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}

// TouchDevice records that the author's device and browser act for this user now.
func (tx *Tx) TouchDevice(by models.Author) {
	if by.DeviceID != "" {
		tx.devices.put(deviceName(by.DeviceID), struct{}{}, true)
	}
	if by.Browser != "" {
		tx.devices.put(browserName(by.Browser), struct{}{}, true)
	}
}

// The names in table devices: of a device as it calls itself, which anybody may claim,
// and of a browser by its cookie. storable writes a backslash before two hex digits
// alone, so no client can call its device what a browser is called.
func deviceName(id string) string   { return storable(id) }
func browserName(key string) string { return `\browser ` + key }

// A DeviceHistory says when a device or a browser acted and for whom; a zero time is never.
type DeviceHistory struct {
	FirstOwn, LastOwn time.Time // for the transaction's user
	LastOther         time.Time // for any other user
}

// DeviceHistory is what is stored of devices that call themselves so, whoever's they
// are, without what the transaction itself notes. It is the only place where what a
// client chose to call itself is looked up among other users: such a name proves
// nothing.
func (tx *Tx) DeviceHistory(deviceID string) (DeviceHistory, error) {
	return tx.history(deviceName(deviceID))
}

// BrowserHistory is DeviceHistory of one browser.
func (tx *Tx) BrowserHistory(key string) (DeviceHistory, error) { return tx.history(browserName(key)) }

func (tx *Tx) history(name string) (DeviceHistory, error) {
	var first, last, other int64
	err := tx.query(`SELECT COALESCE(MIN(CASE WHEN user_id = ? THEN first_seen END), 0),
		COALESCE(MAX(CASE WHEN user_id = ? THEN last_acted END), 0),
		COALESCE(MAX(CASE WHEN user_id <> ? THEN last_acted END), 0) FROM devices WHERE device_id = ?`,
		[]any{tx.user.ID, tx.user.ID, tx.user.ID, name},
		func(row scanner) error { return row.Scan(&first, &last, &other) })
	return DeviceHistory{FirstOwn: orNever(first), LastOwn: orNever(last), LastOther: orNever(other)}, err
}

func orNever(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMillis(ms)
}

// RecordPost notes an expense that a plain POST made.
func (tx *Tx) RecordPost(p Post) { tx.posts.put(p.ExpenseID, p, false) }

// ClaimPost finds the earliest unclaimed post of this device with this data
// that was received between from and to, both included, and claims it: no
// other operation gets it (docs/contract.md#d17).
func (tx *Tx) ClaimPost(deviceID, dataHash string, from, to time.Time) (expenseID string, ok bool, err error) {
	if err := tx.loadPosts([]string{dataHash}); err != nil {
		return "", false, err
	}
	var found *Post
	for _, e := range tx.posts.entries {
		p := e.row
		fits := e.exists && p.DeviceID == deviceID && p.DataHash == dataHash && !p.At.Before(from) && !p.At.After(to)
		if fits && (found == nil || p.At.Before(found.At) || (p.At.Equal(found.At) && p.ExpenseID < found.ExpenseID)) {
			found = &p
		}
	}
	if found == nil {
		return "", false, nil
	}
	if !seededbug.Enabled(seededbug.KeptClaim) {
		tx.posts.remove(found.ExpenseID)
	}
	return found.ExpenseID, true, nil
}

func (tx *Tx) loadPosts(hashes []string) error {
	hashes = slices.DeleteFunc(slices.Clone(hashes), func(h string) bool { return tx.postHashes[h] })
	if len(hashes) == 0 {
		return nil
	}
	query := "SELECT expense_id, device_id, data_hash, received_at FROM posted_creates WHERE user_id = ? AND " + tx.s.d.in("data_hash")
	err := tx.query(query, []any{tx.user.ID, tx.s.d.list(hashes)}, func(row scanner) error {
		var p Post
		var at int64
		err := row.Scan(&p.ExpenseID, &p.DeviceID, &p.DataHash, &at)
		p.DeviceID, p.At = original(p.DeviceID), fromMillis(at)
		tx.posts.load(p.ExpenseID, p, true)
		return err
	})
	for _, h := range hashes {
		tx.postHashes[h] = err == nil
	}
	return err
}
