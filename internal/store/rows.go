package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"expenseflow/models"
)

// The row types say what the schema holds; Open compares them with the live
// database. Times are milliseconds since 1970 in UTC.

type metaRow struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

type userRow struct {
	ID              string `gorm:"primaryKey"`
	Name            string
	Email           string `gorm:"uniqueIndex:users_email"`
	PasswordHash    []byte
	CreatedAt       int64
	TokenGeneration int64
	Seq             int64
	// LogStart is the sequence of the newest change that was pruned: the log
	// holds LogStart+1 to Seq.
	LogStart      int64
	LastSyncedAt  int64
	LastAppliedAt int64 // when an operation of the queue was last applied

	Totals  totals
	Unread  int64
	Budgets int64

	Received int64

	Revocations int64 // how often a token of the user was signed out
	Expenses    int64 // how many expenses are the user's own

	TimeZone, Currency string // '' until the account has one
}

type revokedTokenRow struct {
	TokenKey  string `gorm:"primaryKey"`
	UserID    string `gorm:"index:revoked_tokens_user"`
	ExpiresAt int64  `gorm:"index:revoked_tokens_expiry"`
}

type expenseRow struct {
	ID           string `gorm:"primaryKey;index:expenses_list,priority:3"`
	UserID       string `gorm:"index:expenses_list,priority:1;index:expenses_pull,priority:1"`
	Description  string
	Amount       int64
	Category     string
	Type         string
	Date         int64 `gorm:"index:expenses_list,priority:2"`
	Day          int64 // since 1970-01-01
	Currency     string
	Merchant     string
	Notes        string
	Version      int64
	LastSyncedAt int64 `gorm:"index:expenses_pull,priority:2"`
	CreatedAt    int64
	UpdatedAt    int64
	Shares       int64
	Traces       int64
}

type changeRow struct {
	UserID   string `gorm:"primaryKey"`
	Seq      int64  `gorm:"primaryKey"`
	Kind     string
	EntityID string
	Payload  string
	DeviceID string
	TokenID  string
	At       int64
}

type operationRow struct {
	ID           string `gorm:"primaryKey;index:operations_parked,priority:3"`
	UserID       string `gorm:"uniqueIndex:operations_key,priority:2;index:operations_parked,priority:1;index:operations_parked_size,priority:1"`
	Key          string `gorm:"uniqueIndex:operations_key,priority:1"`
	State        string
	Action       string
	ResourceType string
	ResourceID   string
	DeviceID     string
	Data         string
	ClientTime   *int64
	Result       string
	CreatedAt    int64 `gorm:"index:operations_parked,priority:2"`
	UpdatedAt    int64 `gorm:"index:operations_age"`
	Size         int64 `gorm:"index:operations_parked_size,priority:2"` // models.QueuedOperation.Size
}

type aliasRow struct {
	UserID    string `gorm:"primaryKey"`
	TempID    string `gorm:"primaryKey"`
	DeviceID  string `gorm:"primaryKey"`
	ExpenseID string
	CreatedAt int64 `gorm:"index:aliases_age"`
}

type deviceRow struct {
	DeviceID  string `gorm:"primaryKey"`
	UserID    string `gorm:"primaryKey;index:devices_user"`
	FirstSeen int64
	LastActed int64
}

type postedCreateRow struct {
	ExpenseID  string `gorm:"primaryKey"`
	UserID     string `gorm:"index:posted_creates_claim,priority:2"`
	DeviceID   string
	DataHash   string `gorm:"index:posted_creates_claim,priority:1"`
	ReceivedAt int64  `gorm:"index:posted_creates_claim,priority:3;index:posted_creates_age"`
}

func (metaRow) TableName() string         { return "meta" }
func (userRow) TableName() string         { return "users" }
func (revokedTokenRow) TableName() string { return "revoked_tokens" }
func (expenseRow) TableName() string      { return "expenses" }
func (changeRow) TableName() string       { return "changes" }
func (operationRow) TableName() string    { return "operations" }
func (aliasRow) TableName() string        { return "aliases" }
func (deviceRow) TableName() string       { return "devices" }
func (postedCreateRow) TableName() string { return "posted_creates" }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func (r *userRow) user() models.User {
	return models.User{
		ID: r.ID, Name: r.Name, Email: r.Email, PasswordHash: r.PasswordHash,
		CreatedAt: fromMillis(r.CreatedAt), TokenGeneration: r.TokenGeneration,
		LogStart: r.LogStart, Seq: r.Seq, SyncedAt: orNever(r.LastSyncedAt),
		Totals: models.Totals(r.Totals), Unread: r.Unread, Budgets: r.Budgets, Received: r.Received, Revocations: r.Revocations,
		Expenses:   r.Expenses,
		ChosenZone: r.TimeZone, ChosenCurrency: r.Currency,
	}
}

var expenseTable = &table{name: "expenses", key: "id", columns: []column{
	{"id", text},
	{"user_id", text},
	{"description", text},
	{"amount", integer},
	{"category", text},
	{"type", text},
	{"date", integer},
	{"day", integer},
	{"currency", text},
	{"merchant", text},
	{"notes", text},
	{"version", integer},
	{"last_synced_at", integer},
	{"created_at", integer},
	{"updated_at", integer},
	{"shares", integer},
	{"traces", integer},
}}

func expenseValues(e *models.Expense) []any {
	return []any{
		e.ID, e.UserID, e.Description, int64(e.Amount), e.Category,
		e.Type, e.Date.UnixMilli(), int64(e.Day), e.Currency, e.Merchant, e.Notes,
		e.Version, e.LastSyncedAt.UnixMilli(), e.CreatedAt.UnixMilli(), e.UpdatedAt.UnixMilli(),
		e.Shares, flag(e.Traces),
	}
}

// flag is a truth as both engines keep it.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

type scanner interface{ Scan(dest ...any) error }

func scanExpense(s scanner) (models.Expense, error) {
	var e models.Expense
	var amount, date, synced, created, updated, traces int64
	err := s.Scan(&e.ID, &e.UserID, &e.Description, &amount, &e.Category,
		&e.Type, &date, &e.Day, &e.Currency, &e.Merchant, &e.Notes,
		&e.Version, &synced, &created, &updated, &e.Shares, &traces)
	e.Traces = traces != 0
	e.Amount, e.Date, e.LastSyncedAt = models.Money(amount), fromMillis(date), fromMillis(synced)
	e.CreatedAt, e.UpdatedAt = fromMillis(created), fromMillis(updated)
	return e, err
}

var changeTable = &table{name: "changes", key: "user_id, seq", columns: []column{
	{"user_id", text},
	{"seq", integer},
	{"kind", text},
	{"entity_id", text},
	{"payload", text},
	{"device_id", text},
	{"token_id", text},
	{"at", integer},
}}

func changeValues(c *models.Change, payload string) []any {
	return []any{
		c.UserID, c.Seq, string(c.Kind), c.EntityID,
		payload, storable(c.Author.DeviceID), storable(c.Author.TokenID), c.At.UnixMilli(),
	}
}

func scanChange(s scanner) (models.Change, error) {
	var c models.Change
	var payload, device, token string
	var at int64
	if err := s.Scan(&c.UserID, &c.Seq, &c.Kind, &c.EntityID, &payload, &device, &token, &at); err != nil {
		return c, err
	}
	c.Author = models.Author{DeviceID: original(device), TokenID: original(token)}
	c.At = fromMillis(at)
	if err := decodeEntity(&c, []byte(payload)); err != nil {
		return c, fmt.Errorf("change %d of user %s: %w", c.Seq, c.UserID, err)
	}
	return c, nil
}

var operationTable = &table{name: "operations", key: "id", columns: []column{
	{"id", text},
	{"user_id", text},
	{"key", text},
	{"state", text},
	{"action", text},
	{"resource_type", text},
	{"resource_id", text},
	{"device_id", text},
	{"data", text},
	{"client_time", nullableInteger},
	{"result", text},
	{"created_at", integer},
	{"updated_at", integer},
	{"size", integer},
}}

func operationValues(o *models.QueuedOperation, result string) []any {
	return []any{
		o.ID, o.UserID, o.Key, string(o.State), string(o.Action),
		o.ResourceType, storable(o.ResourceID), storable(o.DeviceID), storableJSON(o.Data),
		o.Timestamp, result, o.CreatedAt.UnixMilli(), o.UpdatedAt.UnixMilli(), o.Size(),
	}
}

func scanOperation(s scanner) (models.QueuedOperation, error) {
	var o models.QueuedOperation
	var resource, device, data, result string
	var created, updated, size int64
	err := s.Scan(&o.ID, &o.UserID, &o.Key, &o.State, &o.Action,
		&o.ResourceType, &resource, &device, &data,
		&o.Timestamp, &result, &created, &updated, &size)
	if err != nil {
		return o, err
	}
	o.ResourceID, o.DeviceID = original(resource), original(device)
	o.CreatedAt, o.UpdatedAt = fromMillis(created), fromMillis(updated)
	if data != "" {
		o.Data = json.RawMessage(data)
	}
	if o.Result, err = decodeResult([]byte(result)); err != nil {
		return o, fmt.Errorf("operation %s: %w", o.ID, err)
	}
	return o, nil
}

var aliasTable = &table{name: "aliases", key: "temp_id, user_id, device_id", columns: []column{
	{"user_id", text}, {"temp_id", text}, {"device_id", text}, {"expense_id", text}, {"created_at", integer},
}}

var deviceTable = &table{name: "devices", key: "device_id, user_id", columns: []column{
	{"device_id", text}, {"user_id", text}, {"first_seen", integer}, {"last_acted", integer},
}}

var postTable = &table{name: "posted_creates", key: "expense_id", columns: []column{
	{"expense_id", text}, {"user_id", text}, {"device_id", text}, {"data_hash", text}, {"received_at", integer},
}}

// storable escapes the names that devices choose for themselves, so that any of
// them can be kept, NUL characters and broken UTF-8 included: parking an
// operation must never fail on what it is called. original undoes it.
func storable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\\") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == '\\' || (r == utf8.RuneError && n == 1) {
			fmt.Fprintf(&b, `\%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func original(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if _, err := fmt.Sscanf(s[i:min(i+3, len(s))], `\%02x`, &c); err == nil {
			b.WriteByte(c)
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// storableJSON mends broken UTF-8 as encoding/json does when it decodes; nil
// becomes "".
func storableJSON(data json.RawMessage) string { return strings.ToValidUTF8(string(data), "\uFFFD") }
