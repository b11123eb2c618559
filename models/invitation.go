package models

import "time"

// Limits of invitations. MaxInvitations and MaxInvitationsPerAddress are of the inviting
// user and count every invitation that was not accepted, whatever its state, so their
// errors reveal nothing about the invited address.
const (
	MaxInvitations           = 1000 // of one user, to all addresses
	MaxInvitationsPerAddress = 50   // of one user to one address
	MaxPendingInvitations    = 1000 // waiting for one user's answer

	// WithdrawnInvitationTTL is how long a withdrawn invitation still counts, so that inviting
	// and withdrawing in turn reaches the limits too.
	WithdrawnInvitationTTL = 24 * time.Hour

	MaxBlocked = 1000 // people that one user blocks
)

// An Invitation offers a role in an expense to the owner of an e-mail address.
type Invitation struct {
	ID        string `gorm:"primaryKey"` // 24 hex digits
	ExpenseID string `gorm:"uniqueIndex:invitations_open,priority:1" log:"expense"`
	// the inviting user; "" if that account was removed
	OwnerID string `gorm:"column:user_id;index:invitations_user,priority:1" log:"owner"`
	// the invited address
	Email string `gorm:"uniqueIndex:invitations_open,priority:2;index:invitations_user,priority:2;index:invitations_email,priority:1"`
	// Role is RoleEditor or RoleViewer.
	Role      Role            `log:"role"`
	State     InvitationState `gorm:"index:invitations_email,priority:2"`
	CreatedAt time.Time       `gorm:"serializer:millis;index:invitations_undelivered" log:"created"`

	// Set only in the recipient's view.
	OwnerName   string `gorm:"->" log:"name"`
	OwnerEmail  string `gorm:"->" log:"email"`
	Description string `gorm:"->"`
}

// An InvitationState is the state of an invitation. It is never shown to the inviting
// user.
type InvitationState string

// The states of an invitation. A background task delivers new and withdrawn ones, so
// the request that makes them takes the same time and has the same answer whether or
// not the address has an account.
const (
	InvitationNew       InvitationState = "new"
	InvitationPending   InvitationState = "pending"   // the recipient sees it
	InvitationWaiting   InvitationState = "waiting"   // no account has the address yet
	InvitationDeclined  InvitationState = "declined"  // or suppressed; the recipient does not see it
	InvitationWithdrawn InvitationState = "withdrawn" // the recipient may still see it
	InvitationExpired   InvitationState = "gone"      // only counts towards limits, for WithdrawnInvitationTTL
)

// A Contact is a user's decision about another user.
type Contact string

// The decisions. NoContact is the default.
const (
	NoContact       Contact = ""
	ContactAccepted Contact = "accepted" // their later shares need no invitation
	ContactBlocked  Contact = "blocked"  // their invitations are suppressed
)

// A Person is the public part of another user's account.
type Person struct {
	ID   string
	Name string    `log:"name"`
	At   time.Time `gorm:"column:updated_at;serializer:millis"` // when they were blocked; only in the list of blocked people
}
