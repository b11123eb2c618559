package models

// A HistoryAction says what a change of an expense was to the reader of its history.
type HistoryAction string

// The actions of a history.
const (
	HistoryCreated  HistoryAction = "created"
	HistoryReceived HistoryAction = "received" // another user's expense was shared with the reader
	HistoryUpdated  HistoryAction = "updated"
	HistoryRole     HistoryAction = "role"    // the reader's role changed, the expense did not
	HistoryShared   HistoryAction = "shared"  // whom the reader's expense is shared with, or who is invited, changed
	HistoryDeleted  HistoryAction = "deleted" // by its owner, who reads it
	HistoryLost     HistoryAction = "lost"    // deleted or no longer shared: a member is not told which
)

// A HistoryEntry is one change of an expense in its reader's log.
type HistoryEntry struct {
	Change Change
	// Before is the change before of the same: of the expense, or of whom it is shared with.
	// It is nil for the first, if it is no longer kept or too far away to be looked for, and
	// after the reader had no access.
	Before *Change
	// Actor made the change; nil if that is not kept, the account is deleted, or the reader
	// may not know: a member is told only of users who have the expense.
	Actor *Person
}

// Action returns what the change was to the reader.
func (h *HistoryEntry) Action() HistoryAction {
	c := &h.Change
	switch {
	case c.Kind == ShareChanged:
		return HistoryShared
	case c.Kind == ExpenseDeleted && c.Expense.UserID == c.UserID:
		return HistoryDeleted
	case c.Kind == ExpenseDeleted:
		return HistoryLost
	case c.Kind == ExpenseCreated && c.Expense.Role != NoRole:
		return HistoryReceived
	case c.Kind == ExpenseCreated:
		return HistoryCreated
	case h.Before != nil && h.Before.Expense.Version == c.Expense.Version:
		return HistoryRole
	}
	return HistoryUpdated
}

// A History is a page of the changes of an expense that are in its reader's log.
type History struct {
	Expense *Expense       // as it is now; nil if it is deleted
	Entries []HistoryEntry // newest first
	Next    int64          // the next page has the changes before this sequence; 0 for none
	// Complete reports that the page ends with the first change. If Next is 0 and it is
	// false, older changes are no longer kept.
	Complete bool
}
