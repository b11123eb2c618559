// Package portable has the files with which a user leaves, and comes back: the export of an
// account as JSON, which can be imported again into an equal account, and of its expenses as CSV.
//
// The JSON file is one object, whose members are in this order:
//
//	format            "expenseflow-account"
//	version           1
//	exportedAt        when
//	account           id, name, email, createdAt, and timeZone and currency if chosen; in an
//	                  operator's export with secrets passwordHash and passwordScheme too
//	preferences       of notifications, null if none were stored; without the secret of the
//	                  webhook but in an export with secrets
//	budgets, goals    arrays
//	expenses          the user's own, newest first; with whom each is shared, for information
//	comments          on these expenses; those of others for information
//	notifications     oldest first
//	parkedOperations  of the offline queue, oldest first
//	sharedWithMe      expenses of others, and commentsElsewhere, the user's comments on them: for
//	                  information
//	counts            how many elements each array has: the mark of a file that is whole
//
// Amounts are decimal numbers with up to six decimals, exactly as stored: a reader with binary
// floating point keeps 15 digits of them. Times are RFC 3339 in UTC with milliseconds. A field
// that is empty is left out. What a later version adds is ignored; a file of a later version
// is refused.
//
// What it promises:
//
//   - An export is of one moment, and written in constant memory. So is an import read.
//   - Without secrets no export has a password hash or another credential.
//   - An import is idempotent (ledger.Import): an interrupted one is repeated, and an export of one
//     account that is imported into another twice is there once.
//   - Export, import into an empty database by an operator, export: the same bytes but for
//     exportedAt, and what others own or wrote.
//   - A file that is damaged, cut off or of another program is refused with one sentence. What
//     came before the damage is imported already, unless a dry run said so first.
package portable

import (
	"encoding/json"
	"time"

	"expenseflow/models"
)

// Format and Version name the files that this package writes, and reads.
const (
	Format  = "expenseflow-account"
	Version = 1
)

// The scheme of a password hash.
const (
	schemeBcrypt     = "bcrypt"
	schemeLongBcrypt = "bcrypt-sha256" // of base64(SHA-256(password)), for passwords of over 72 bytes
	longHashPrefix   = "$bcrypt-sha256$"
)

// The arrays of a file, in their order.
const (
	sectionBudgets       = "budgets"
	sectionGoals         = "goals"
	sectionExpenses      = "expenses"
	sectionComments      = "comments"
	sectionNotifications = "notifications"
	sectionParked        = "parkedOperations"
	sectionReceived      = "sharedWithMe"
	sectionElsewhere     = "commentsElsewhere"
)

// An account is the account itself.
type account struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Email          string `json:"email"`
	CreatedAt      stamp  `json:"createdAt"`
	TimeZone       string `json:"timeZone,omitempty"`
	Currency       string `json:"currency,omitempty"`
	PasswordHash   string `json:"passwordHash,omitempty"`
	PasswordScheme string `json:"passwordScheme,omitempty"`

	exportedAt string // of the file, as it is there
}

// meta is what entities have in common.
type meta struct {
	Version   int64 `json:"version,omitempty"`
	CreatedAt stamp `json:"createdAt,omitzero"`
	UpdatedAt stamp `json:"updatedAt,omitzero"`
}

type expense struct {
	ID          string   `json:"id"`
	Date        stamp    `json:"date"`
	Day         string   `json:"day,omitempty"` // YYYY-MM-DD; "": that of the date in the account's zone
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Amount      amount   `json:"amount"`
	Currency    string   `json:"currency,omitempty"` // "": the account's
	Category    string   `json:"category"`
	Merchant    string   `json:"merchant,omitempty"`
	Notes       string   `json:"notes,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	meta
	SharedWith []share `json:"sharedWith,omitempty"`
	Owner      string  `json:"owner,omitempty"` // this and Role: of what others share with the user
	Role       string  `json:"role,omitempty"`
}

type share struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role"`
	Since stamp  `json:"since"`
}

type budget struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Category  string `json:"category"`
	Amount    amount `json:"amount"`
	Period    string `json:"period"`
	Threshold *int   `json:"alertThreshold,omitempty"` // percent
	Start     *stamp `json:"startDate,omitempty"`
	StartDay  string `json:"startDay,omitempty"`
	End       *stamp `json:"endDate,omitempty"`
	EndDay    string `json:"endDay,omitempty"`
	meta
}

type goal struct {
	ID          string      `json:"id"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	Target      amount      `json:"targetAmount"`
	Current     amount      `json:"currentAmount"`
	Type        string      `json:"goalType"`
	Category    string      `json:"category"`
	TargetDate  stamp       `json:"targetDate"`
	Priority    string      `json:"priority"`
	Status      string      `json:"status"`
	Reminder    string      `json:"reminderFrequency"`
	Milestones  []milestone `json:"milestones,omitempty"`
	meta
}

type milestone struct {
	ID         string `json:"id"`
	Amount     amount `json:"amount"`
	Date       stamp  `json:"date"`
	AchievedAt stamp  `json:"achievedAt,omitzero"`
}

type comment struct {
	ID        string `json:"id"`
	ExpenseID string `json:"expenseId"`
	AuthorID  string `json:"authorId"`
	Author    string `json:"author"`
	Text      string `json:"text"`
	At        stamp  `json:"at"`
}

type notification struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Priority  string          `json:"priority"`
	Title     string          `json:"title"`
	Message   string          `json:"message"`
	Data      json.RawMessage `json:"data,omitempty"`
	Read      bool            `json:"read"`
	CreatedAt stamp           `json:"createdAt"`
	ActorID   string          `json:"actorId,omitempty"` // this, ExpenseID and Times: as in models.Notification
	ExpenseID string          `json:"expenseId,omitempty"`
	Times     int64           `json:"times,omitempty"`
}

type parked struct {
	ID           string          `json:"id"`
	Action       string          `json:"action"`
	ResourceType string          `json:"resourceType"`
	ResourceID   string          `json:"resourceId"`
	DeviceID     string          `json:"deviceId,omitempty"`
	Data         json.RawMessage `json:"data,omitempty"`
	Timestamp    *int64          `json:"timestamp,omitempty"` // milliseconds since 1970, by the device's clock
	Error        string          `json:"error,omitempty"`
	CreatedAt    stamp           `json:"createdAt"`
	Key          string          `json:"key,omitempty"` // by which a device that sends it again is answered
}

type preferences struct {
	Email      channel    `json:"email"`
	Push       channel    `json:"push"`
	SMS        channel    `json:"sms"`
	Webhook    channel    `json:"webhook"`
	QuietHours quietHours `json:"quietHours"`
	Frequency  frequency  `json:"frequency"`
	CreatedAt  stamp      `json:"createdAt,omitzero"`
	UpdatedAt  stamp      `json:"updatedAt,omitzero"`
}

// These have the fields of their models, so that they convert.
type (
	channel struct {
		Enabled     bool     `json:"enabled"`
		Types       []string `json:"types"`
		PhoneNumber string   `json:"phoneNumber,omitempty"`
		URL         string   `json:"url,omitempty"`
		Secret      string   `json:"secret,omitempty"`
	}
	quietHours struct {
		Enabled bool   `json:"enabled"`
		Start   string `json:"start"`
		End     string `json:"end"`
		Zone    string `json:"timeZone"`
	}
	frequency struct {
		BudgetAlerts     string `json:"budgetAlerts"`
		GoalUpdates      string `json:"goalUpdates"`
		ExpenseSummaries string `json:"expenseSummaries"`
	}
)

// An amount is models.Money as a JSON number.
type amount models.Money

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) { return models.Money(a).Append(nil), nil }

// UnmarshalJSON implements json.Unmarshaler. A string with a number is one too.
func (a *amount) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	m, err := models.ParseMoney(n.String())
	*a = amount(m)
	return err
}

// A stamp is a time as RFC 3339 in UTC with milliseconds; "" is the zero time.
type stamp struct{ time.Time }

const stampLayout = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	return []byte(`"` + s.UTC().Format(stampLayout) + `"`), nil
}
