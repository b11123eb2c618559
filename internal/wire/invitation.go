package wire

import "expenseflow/models"

// Invited is the answer to who invites an address to an expense, and to who takes
// that back. It is the same whether or not the address has an account.
type Invited struct {
	ExpenseID string `json:"expenseId"`
	Invited   bool   `json:"invited"`
}

// An Inviter is who invites, as the invited user sees them.
type Inviter struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// An Invitation is one that waits for its recipient's answer. Description is not in
// events: an event may arrive after the invitation was withdrawn.
type Invitation struct {
	ID          string  `json:"id"`
	ExpenseID   string  `json:"expenseId"`
	From        Inviter `json:"from"`
	Role        string  `json:"role"`
	Description string  `json:"description,omitempty"`
	CreatedAt   Time    `json:"createdAt"`
}

// NewInvitation gives i's document.
func NewInvitation(i models.Invitation) Invitation {
	return Invitation{
		ID: i.ID, ExpenseID: i.ExpenseID, From: Inviter{i.OwnerID, i.OwnerName, i.OwnerEmail},
		Role: string(i.Role), Description: i.Description, CreatedAt: Time(i.CreatedAt),
	}
}

// Invitations is the answer to GET /api/invitations.
type Invitations struct {
	Invitations []Invitation `json:"invitations"`
}

// NewInvitations gives the document.
func NewInvitations(all []models.Invitation) Invitations {
	doc := Invitations{make([]Invitation, len(all))}
	for i, one := range all {
		doc.Invitations[i] = NewInvitation(one)
	}
	return doc
}

// An Accepted is the answer to who accepts an invitation.
type Accepted struct {
	ID      string  `json:"id"` // the invitation's
	Expense Expense `json:"expense"`
}

// A Block tells whether a person is blocked.
type Block struct {
	Person
	Blocked bool `json:"blocked"`
}

// BlockedPeople is the answer to GET /api/people/blocked.
type BlockedPeople struct {
	Blocked []BlockedPerson `json:"blocked"`
}

// A BlockedPerson is one whom the caller blocks.
type BlockedPerson struct {
	Person
	BlockedAt Time `json:"blockedAt"`
}

// NewBlockedPeople gives the document.
func NewBlockedPeople(people []models.Person) BlockedPeople {
	doc := BlockedPeople{make([]BlockedPerson, len(people))}
	for i, p := range people {
		doc.Blocked[i] = BlockedPerson{Person{p.ID, p.Name}, Time(p.At)}
	}
	return doc
}
