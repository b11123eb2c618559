package models

import (
	"strings"
	"time"
)

// A Role says what somebody may do with an expense.
type Role string

// The roles. An owner may do everything, an editor may change and comment, a
// viewer may read and comment. Whoever has no role does not learn that the
// expense exists.
const (
	NoRole     Role = ""
	RoleOwner  Role = "owner"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
)

// SharedRoles are the roles that an owner can give.
var SharedRoles = []string{string(RoleViewer), string(RoleEditor)}

// Bounds of sharing.
const (
	MaxShares  = 50   // users that one expense is shared with
	MaxComment = 1024 // bytes

	MaxComments       = 1_000  // around one expense
	MaxCommentsByUser = 20_000 // around all expenses
)

// A Share is one user's right to another user's expense.
type Share struct {
	ExpenseID string
	UserID    string
	Name      string // the user's
	Email     string // the user's
	Role      Role   // RoleEditor or RoleViewer
	CreatedAt time.Time
}

// A Right is what a user may do with an expense, as of a change of the user's own
// log: what ended or changed it later is behind that one.
type Right struct {
	Role Role
	Seq  int64
}

// A Sharing is who has an expense, as one of them sees it.
type Sharing struct {
	OwnerID, OwnerName string
	Role               Role    // of who asks
	Shares             []Share // oldest first

	// Invited are those who have not accepted, oldest first: for the owner alone.
	Invited []Invitation
}

// The types of Activity around an expense. Comments are kept; the others are told
// to who is there, and gone.
const (
	ActivityComment = "comment"
	ActivityUpdated = "updated"
	ActivityTyping  = "typing"
	ActivityJoined  = "joined"
	ActivityLeft    = "left"
)

// An Activity is something that happened around an expense and is kept with it.
type Activity struct {
	ID        string // 24 hex digits
	ExpenseID string
	UserID    string
	UserName  string
	Type      string // ActivityComment or ActivityUpdated
	Text      string // of a comment, as it was written; nothing in it is interpreted
	At        time.Time

	// Audience is the users who have the expense at that moment: whoever lost it before,
	// be it in another process, is told nothing. It is not stored.
	Audience []string
}

// CheckRole gives RuleOneOf for a role that nobody can be given.
func CheckRole(role Role) []Violation {
	s := string(role)
	return checkOneOf("role", &s, SharedRoles)
}

// CheckComment gives the rule that a comment's text breaks: blank, longer than
// MaxComment bytes, or with characters that no database keeps.
func CheckComment(text string) []Violation {
	v := Violation{Field: "text"}
	switch {
	case Trim(text) == "":
		v.Rule = RuleEmpty
	case len(text) > MaxComment:
		v.Rule, v.Limit = RuleTooBig, MaxComment
	case strings.ContainsRune(text, 0):
		v.Rule = RuleNUL
	default:
		return nil
	}
	return []Violation{v}
}
