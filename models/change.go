package models

import "time"

// Author identifies the client that made a change. The zero Author is an unnamed device.
type Author struct {
	DeviceID string // chosen by the client; "" if it sent none
	TokenID  string // jti of the token; "" for tokens without one

	// TokenIssued is when the user signed in, in whole seconds; zero if unknown. It is
	// not stored with the change.
	TokenIssued time.Time

	// Browser identifies the browser by a hash of its secret cookie; "" if it sent none.
	// Two users with the same Browser acted in one browser, which DeviceID cannot prove.
	// It is not stored with the change and never sent to clients.
	Browser string
}

// ChangeKind is the type of a change.
type ChangeKind string

// The kinds of change. The silent ones cause no event; they only mark that the unread
// count or a token's validity has changed.
//
// A change of a shared expense is in the log of every user who has it. For a user who
// gains access it is a creation, for one who loses access a deletion without content.
//
// A new kind also needs: a field of Change and its place in the log (entityOf in
// internal/store/log.go), unless it is silent; its event's name and payload
// (internal/wire/events.go); docs/contract.md, docs/events.md and
// static/expense-events.d.ts; and the page, if it shows it. Clients that read the log over
// HTTP get only changes of expenses (internal/wire/logpage.go).
const (
	ExpenseCreated ChangeKind = "expense_created"
	ExpenseUpdated ChangeKind = "expense_updated"
	ExpenseDeleted ChangeKind = "expense_deleted"

	// ExpenseRetracted replaces a change of an expense that the log's user has lost
	// access to: silent, and without the expense.
	ExpenseRetracted ChangeKind = "expense_retracted"

	// ShareChanged carries the current shares of an expense to its owner.
	ShareChanged ChangeKind = "share_changed"

	// InvitationReceived and InvitationClosed: an invitation waits for the user's
	// answer, or no longer does.
	InvitationReceived ChangeKind = "invitation_received"
	InvitationClosed   ChangeKind = "invitation_closed"

	// PersonBlocked and PersonUnblocked inform the user's other devices.
	PersonBlocked   ChangeKind = "person_blocked"
	PersonUnblocked ChangeKind = "person_unblocked"

	BudgetCreated ChangeKind = "budget_created"
	BudgetUpdated ChangeKind = "budget_updated"
	BudgetDeleted ChangeKind = "budget_deleted"
	BudgetAlerted ChangeKind = "budget_alert"

	// SettingsChanged carries the account's settings, which its totals depend on.
	SettingsChanged ChangeKind = "settings_changed"

	NotificationCreated ChangeKind = "notification_created"
	// SignedOut revokes the token whose key is EntityID, or every token issued before
	// if that is "": silent; processes close the sockets of these tokens.
	SignedOut ChangeKind = "signed_out"

	NotificationMuted   ChangeKind = "notification_kept"    // silent: stored, but the user does not want it live; older name
	NotificationRead    ChangeKind = "notification_read"    // silent
	NotificationDeleted ChangeKind = "notification_deleted" // silent
)

// IsExpense reports whether changes of this kind carry an expense. If so, the event has a
// second name (expense_created and expense:created, chosen by EVENT_NAMES), joins others in
// expenses:batch, and is in the answers to GET /api/sync/changes and sync_request; and if the
// expense is the user's own, its budgets are evaluated, which may make notifications.
func (k ChangeKind) IsExpense() bool {
	return k == ExpenseCreated || k == ExpenseUpdated || k == ExpenseDeleted
}

// A Change is one entry of a user's log. Seq starts at 1 and has no gaps; it is
// assigned under the lock of the user's row, so commit order and sequence agree
// (ARCHITECTURE.md, "The way of one change").
type Change struct {
	UserID   string
	Seq      int64
	Kind     ChangeKind
	EntityID string // "" for a silent change of several notifications

	// The entity after the change, or the last state of a deleted one. Exactly the field
	// that belongs to Kind is set; none for a silent change.
	Expense      Expense // zero unless Kind.IsExpense
	Budget       *Budget
	Alert        *BudgetAlert
	Notification *Notification
	Shares       []Share     // of ShareChanged; nil if the expense is no longer shared
	Invitation   *Invitation // of InvitationReceived, without the expense's description
	Person       *Person     // of PersonBlocked and PersonUnblocked
	Settings     *Settings   // of SettingsChanged

	Author Author
	// ActorID is the user who changed an expense or its shares, whosever log it is; "" for other kinds,
	// for changes of releases that did not keep it, and for a retracted one.
	ActorID string
	At      time.Time
}
