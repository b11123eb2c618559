package wire

import "expenseflow/models"

// InviteResponse is the response to inviting an address to an expense and to withdrawing the
// invitation. It is the same whether or not the address has an account.
type InviteResponse struct {
	ExpenseID string `json:"expenseId"`
	Invited   bool   `json:"invited"`
}

// An Inviter is the inviting user in the recipient's view.
type Inviter struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// An Invitation is an invitation that waits for its recipient's answer. Events have no
// Description, because an event may arrive after the invitation was withdrawn.
type Invitation struct {
	ID          string  `json:"id"`
	ExpenseID   string  `json:"expenseId"`
	From        Inviter `json:"from"`
	Role        string  `json:"role"`
	Description string  `json:"description,omitempty"`
	CreatedAt   Time    `json:"createdAt"`
}

// NewInvitation returns the document of i.
func NewInvitation(i models.Invitation) Invitation {
	return Invitation{
		ID: i.ID, ExpenseID: i.ExpenseID, From: Inviter{i.OwnerID, i.OwnerName, i.OwnerEmail},
		Role: string(i.Role), Description: i.Description, CreatedAt: Time(i.CreatedAt),
	}
}

// Invitations is the response to GET /api/invitations.
type Invitations struct {
	Invitations []Invitation `json:"invitations"`
}

// NewInvitations returns the response.
func NewInvitations(all []models.Invitation) Invitations {
	doc := Invitations{make([]Invitation, len(all))}
	for i, one := range all {
		doc.Invitations[i] = NewInvitation(one)
	}
	return doc
}

// An AcceptResponse is the response to accepting an invitation.
type AcceptResponse struct {
	ID      string  `json:"id"` // the invitation's
	Expense Expense `json:"expense"`
}

// A BlockState is a person and whether the caller blocks them.
type BlockState struct {
	Person
	Blocked bool `json:"blocked"`
}

// BlockedPeople is the response to GET /api/people/blocked.
type BlockedPeople struct {
	Blocked []BlockedPerson `json:"blocked"`
}

// A BlockedPerson is a person whom the caller blocks.
type BlockedPerson struct {
	Person
	BlockedAt Time `json:"blockedAt"`
}

// NewBlockedPeople returns the response.
func NewBlockedPeople(people []models.Person) BlockedPeople {
	doc := BlockedPeople{make([]BlockedPerson, len(people))}
	for i, p := range people {
		doc.Blocked[i] = BlockedPerson{Person{p.ID, p.Name}, Time(p.At)}
	}
	return doc
}
