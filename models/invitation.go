package models

import "time"

// Bounds of invitations. All but the last are of the inviting user, count whatever
// became of an invitation other than being accepted, and may be told: so they say
// nothing about who is invited.
const (
	MaxInvitations     = 1000 // of one user, to everybody
	MaxInvitationsPair = 50   // of one user to one address
	MaxReceived        = 1000 // that wait for one user's answer

	// InvitationRest is how long an invitation that was withdrawn still counts: who
	// invites and withdraws in turn reaches the bounds too.
	InvitationRest = 24 * time.Hour

	MaxBlocked = 1000 // people that one user blocks
)

// An Invitation offers a role in somebody's expense to whoever has an address.
type Invitation struct {
	ID        string // 24 hex digits
	ExpenseID string
	OwnerID   string // who invites; "" if that account was removed
	Email     string // who is invited
	Role      Role   // RoleEditor or RoleViewer
	State     InvitationState
	CreatedAt time.Time

	// Of an invitation that its recipient reads.
	OwnerName, OwnerEmail, Description string
}

// An InvitationState says what became of an invitation. Its owner is never told.
type InvitationState string

// The states of an invitation. New and withdrawn ones are still to be delivered,
// which is done apart from the request that made them: its work and its answer are
// the same whether or not the address has an account.
const (
	InvitationNew       InvitationState = "new"
	InvitationPending   InvitationState = "pending"   // the recipient sees it
	InvitationWaiting   InvitationState = "waiting"   // for an account with the address
	InvitationDeclined  InvitationState = "declined"  // or suppressed; the recipient does not see it
	InvitationWithdrawn InvitationState = "withdrawn" // the recipient may still see it
	InvitationGone      InvitationState = "gone"      // it only counts, for InvitationRest
)

// A Contact is what a user has decided about another.
type Contact string

// The contacts. Of nobody whose user never accepted an invitation of theirs, nor
// blocked them, there is one.
const (
	NoContact       Contact = ""
	ContactAccepted Contact = "accepted" // later shares of theirs need no invitation
	ContactBlocked  Contact = "blocked"  // their invitations do not arrive
)

// A Person is another user, as far as one is shown to others.
type Person struct {
	ID   string
	Name string
	At   time.Time // since when they are blocked, in a list of those
}
