package models

import (
	"strings"
	"time"
)

// A Role is a user's permission for an expense.
type Role string

// The roles. An owner may do everything, an editor may change and comment, a viewer may
// read and comment. To a user without a role the expense does not exist.
const (
	NoRole     Role = ""
	RoleOwner  Role = "owner"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
)

// SharedRoles lists the roles that an owner can grant.
var SharedRoles = []string{string(RoleViewer), string(RoleEditor)}

// Limits of sharing.
const (
	MaxShares  = 50   // users that one expense is shared with
	MaxComment = 1024 // bytes of a comment

	MaxComments       = 1_000  // per expense
	MaxCommentsByUser = 20_000 // per user, for all expenses
)

// A Share is a user's access to another user's expense.
type Share struct {
	ExpenseID string    `gorm:"primaryKey;index:shares_user,priority:2"`
	UserID    string    `gorm:"primaryKey;index:shares_user,priority:1" log:"user"`
	Name      string    `gorm:"->" log:"name"`  // the user's
	Email     string    `gorm:"->" log:"email"` // the user's
	Role      Role      `log:"role"`            // RoleEditor or RoleViewer
	CreatedAt time.Time `gorm:"serializer:millis" log:"created"`
}

// A Right is a user's role in an expense as of sequence Seq of the user's log. Changes
// of the role after that have a larger sequence.
type Right struct {
	Role Role
	Seq  int64
}

// A Sharing lists the users who have access to an expense, in the view of one of them.
type Sharing struct {
	OwnerID, OwnerName string
	Role               Role    // of the viewing user
	Shares             []Share // oldest first

	// Invited are the invitations not accepted yet, oldest first. Only the owner sees
	// them.
	Invited []Invitation
}

// The types of Activity of an expense. Comments are stored; the others are only sent to
// connected devices.
const (
	ActivityComment = "comment"
	ActivityUpdated = "updated"
	ActivityTyping  = "typing"
	ActivityJoined  = "joined"
	ActivityLeft    = "left"
)

// An Activity is a comment on an expense or a change of it.
type Activity struct {
	ID        string    `gorm:"primaryKey;index:activities_list,priority:3"` // 24 hex digits
	ExpenseID string    `gorm:"index:activities_list,priority:1"`
	UserID    string    `gorm:"index:activities_user"`
	UserName  string    `gorm:"->"`
	Type      string    // ActivityComment or ActivityUpdated
	Text      string    // of a comment: plain text
	At        time.Time `gorm:"column:created_at;serializer:millis;index:activities_list,priority:2"`

	// Audience is the IDs of the users who have access at that time, so that a user who
	// lost it, be it in another process, receives nothing. It is not stored.
	Audience []string `gorm:"-"`
}

// CheckRole returns RuleOneOf for a role that cannot be granted.
func CheckRole(role Role) []Violation {
	s := string(role)
	return checkOneOf("role", &s, SharedRoles)
}

// CheckComment returns the rule that a comment's text breaks: blank, longer than
// MaxComment bytes, or with a NUL character.
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
