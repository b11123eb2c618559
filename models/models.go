// Package models holds what expenseflow talks about: users, expenses, money,
// queued operations, changes and errors.
//
// The types know neither JSON names (internal/wire does) nor storage (internal/
// store maps them). Invariants that need no database live here: the exact
// arithmetic of Money, the limits of a Draft, what a Patch may touch.
package models

import (
	"cmp"
	"time"
)

// A User is one account.
type User struct {
	ID           string // 24 hex digits
	Name         string // trimmed, 1 to 50 UTF-16 units
	Email        string // trimmed, lower case, unique
	PasswordHash []byte // bcrypt
	CreatedAt    time.Time

	// TokenGeneration is written into every token; a token of an older
	// generation is refused. A password change raises it. Tokens of the
	// original installation carry none and count as generation 0.
	TokenGeneration int64

	// The user's log holds the changes LogStart+1 to Seq; older ones were pruned.
	LogStart, Seq int64
	SyncedAt      time.Time // of the newest stored change

	Totals   Totals // of all the user's entries
	Unread   int64  // notifications
	Budgets  int64  // how many there are
	Received int64  // how often an expense of somebody else was shared with the user

	Revocations int64 // how often a token of the user was signed out; it only grows
	Expenses    int64 // how many expenses are the user's own

	// ChosenZone and ChosenCurrency are "" until the account has one; whoever counts
	// asks Zone and Currency.
	ChosenZone     string // an IANA name: the first that a client named, or what was set
	ChosenCurrency string // one of Currencies
}

// Zone is where the account's days begin; otherwise is that of accounts which
// have none of their own.
func (u *User) Zone(otherwise *time.Location) *time.Location {
	if zone, ok := LoadZone(u.ChosenZone); ok {
		return zone
	}
	return otherwise
}

// Currency is the account's. Its entries without a currency are in it.
func (u *User) Currency() string { return cmp.Or(u.ChosenCurrency, DefaultCurrency) }

// Balance is the user's, which is as new as the user was read.
func (u *User) Balance() Balance {
	own, others := u.Totals.In(u.Currency())
	return Balance{CurrencyTotal: own, Others: others, UpdatedAt: u.SyncedAt}
}

// An Expense is one income or expense entry of one user.
type Expense struct {
	ID          string // 24 lower-case hex digits, the browser's _id
	UserID      string
	Description string
	Amount      Money
	Category    string
	Type        string    // "income" or "expense"
	Date        time.Time // UTC, whole milliseconds
	Day         Day       // what totals count it by; set with Date, and Possible for it
	Currency    string    // upper case, 3 to 5 letters; "" if none was named
	Merchant    string    // at most 50 UTF-16 units
	Notes       string    // at most 500 UTF-16 units

	// Version starts at 1 and grows by 1 with every stored change. A client
	// sends back the version it saw; see ConflictError.
	Version int64

	// LastSyncedAt grows strictly per user and is assigned under the user's
	// lock, so that a time cursor over it misses nothing (docs/contract.md#delta-and-pull).
	LastSyncedAt time.Time

	CreatedAt time.Time // UTC, whole milliseconds
	UpdatedAt time.Time // UTC, whole milliseconds

	// Shares is with how many other users the owner, UserID, shares it.
	Shares int64
	// Traces tells that rows of other tables belong to it: it was shared at some
	// time, or there are comments.
	Traces bool

	// Role and SharedBy are of the user whose view this is: what they may do and
	// the owner's name. Of one's own expenses they are empty.
	Role     Role
	SharedBy string
}

// A Draft is a new expense as a client described it, already of the right
// types. Check tells whether the rules allow it.
type Draft struct {
	Description string
	Amount      Money
	Category    string
	Type        string
	Date        *time.Time // nil: the server chooses
	Day         *Day       // of Date; nil: its day in the account's zone
	Currency    string
	Merchant    string
	Notes       string
}

// A Patch names the fields of an expense that a client wants changed; nil
// leaves a field alone.
type Patch struct {
	Description *string
	Amount      *Money
	Category    *string
	Type        *string
	Date        *time.Time
	Day         *Day // as in a Draft
	Currency    *string
	Merchant    *string
	Notes       *string
}

// Author says where a change came from. The zero Author is an unnamed device.
type Author struct {
	DeviceID string // as the client names itself; "" if it did not
	TokenID  string // jti of the token that was used; "" for tokens without one

	// TokenIssued is when the user signed in, whole seconds; zero if the door
	// does not know. It is no part of a change and not stored.
	TokenIssued time.Time

	// Browser names the browser by a secret of its own, a cookie; "" if none came. Two
	// users who share it acted in one browser, which DeviceID never proves. It is no
	// part of a change and is told to nobody.
	Browser string
}

// ChangeKind names what happened to an entity.
type ChangeKind string

// The kinds of change that a log holds. The silent ones make no event of their
// own: they only tell that the unread count has moved.
//
// A change of a shared expense is in the log of everybody who has it. For who
// gets it, it was created; for who loses it, it was deleted, and of what it was
// nothing is said.
const (
	ExpenseCreated ChangeKind = "expense_created"
	ExpenseUpdated ChangeKind = "expense_updated"
	ExpenseDeleted ChangeKind = "expense_deleted"

	// ExpenseRetracted stands in a log for a change of an expense that its user
	// has no right to any more: silent, and without the expense.
	ExpenseRetracted ChangeKind = "expense_retracted"

	// ShareChanged tells an owner with whom an expense is shared from now on.
	ShareChanged ChangeKind = "share_changed"

	// InvitationReceived and InvitationClosed tell a user that an invitation waits for
	// their answer, and that it does so no more.
	InvitationReceived ChangeKind = "invitation_received"
	InvitationClosed   ChangeKind = "invitation_closed"

	// PersonBlocked and PersonUnblocked tell a user's other devices whom they block.
	PersonBlocked   ChangeKind = "person_blocked"
	PersonUnblocked ChangeKind = "person_unblocked"

	BudgetCreated ChangeKind = "budget_created"
	BudgetUpdated ChangeKind = "budget_updated"
	BudgetDeleted ChangeKind = "budget_deleted"
	BudgetAlerted ChangeKind = "budget_alert"

	// SettingsChanged tells what an account chose: its totals may count otherwise.
	SettingsChanged ChangeKind = "settings_changed"

	NotificationCreated ChangeKind = "notification_created"
	// SignedOut says that the token of that key is refused from now on, every
	// token given out before if there is no key: silent, for processes with sockets.
	SignedOut ChangeKind = "signed_out"

	NotificationKept    ChangeKind = "notification_kept"    // silent: one that its user does not want to be told live
	NotificationRead    ChangeKind = "notification_read"    // silent
	NotificationDeleted ChangeKind = "notification_deleted" // silent
)

// OfExpense tells whether such a change is of an expense.
func (k ChangeKind) OfExpense() bool {
	return k == ExpenseCreated || k == ExpenseUpdated || k == ExpenseDeleted
}

// A Change is one entry of a user's log. Seq starts at 1 and has no gap per
// user; it is assigned under the user's row lock, so commit order and sequence
// agree (ARCHITECTURE.md, "The way of one change").
type Change struct {
	UserID   string
	Seq      int64
	Kind     ChangeKind
	EntityID string // "" for a silent change of several notifications

	// The entity after the change, or the last state of a deleted one: exactly the
	// one that Kind is about is set, and none for a silent change.
	Expense      Expense // zero unless Kind.OfExpense
	Budget       *Budget
	Alert        *BudgetAlert
	Notification *Notification
	Shares       []Share     // of ShareChanged; of an expense that nobody else has any more, nil
	Invitation   *Invitation // of InvitationReceived, without what the expense says
	Person       *Person     // of PersonBlocked and PersonUnblocked
	Settings     *Settings   // of SettingsChanged

	Author Author
	At     time.Time
}
