package wire

import (
	"encoding/json"
	"slices"
	"strconv"

	"expenseflow/models"
)

// appendSharing appends the keys of an expense's document that are about sharing.
func appendSharing(b []byte, e *models.Expense) []byte {
	if e.Shares > 0 {
		b = strconv.AppendInt(append(b, `,"shared":`...), e.Shares, 10)
	}
	if e.Role == models.NoRole {
		return b
	}
	b = appendString(append(b, `,"sharedBy":{"id":`...), e.UserID)
	b = appendString(append(b, `,"name":`...), e.SharedBy)
	return appendString(append(b, `},"role":`...), string(e.Role))
}

// A Person is the public part of another user's account.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// A Share is a user with whom an expense is shared. Email is sent to the owner only.
type Share struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	Role  string `json:"role"`
}

// Shares lists the users with whom an expense is shared: the response to ending a share
// (docs/contract.md#live-features).
type Shares struct {
	ExpenseID  string  `json:"expenseId"`
	SharedWith []Share `json:"sharedWith"`
}

// NewShares returns the document of shares.
func NewShares(expenseID string, shares []models.Share) Shares {
	list := make([]Share, len(shares))
	for i, s := range shares {
		list[i] = Share{ID: s.UserID, Name: s.Name, Email: s.Email, Role: string(s.Role)}
	}
	return Shares{ExpenseID: expenseID, SharedWith: list}
}

// sharesEvent is the payload of expense:shared, which is sent to the owner's devices.
type sharesEvent struct {
	Shares
	DeviceID string `json:"deviceId,omitempty"`
}

// A Sharing is the response to GET /api/expenses/:id/share.
type Sharing struct {
	Shares
	Owner   Person    `json:"owner"`
	Role    string    `json:"role"`              // of the caller
	Invited []Invitee `json:"invited,omitempty"` // for the owner only
}

// An Invitee is an address that was invited to an expense and has not accepted. It is
// listed whatever the state of the invitation and whether or not it has an account.
type Invitee struct {
	Email     string `json:"email"`
	Role      string `json:"role"`
	CreatedAt Time   `json:"createdAt"`
}

// NewSharing returns the document of s.
func NewSharing(expenseID string, s models.Sharing) Sharing {
	doc := Sharing{Shares: NewShares(expenseID, s.Shares), Owner: Person{s.OwnerID, s.OwnerName}, Role: string(s.Role)}
	for _, i := range s.Invited {
		doc.Invited = append(doc.Invited, Invitee{i.Email, string(i.Role), Time(i.CreatedAt)})
	}
	return doc
}

// ParseShare parses {email, role, deviceId?}, the body of POST /api/expenses/:id/share.
// The error is models.Invalid with Joi's message for the first violation.
func ParseShare(body json.RawMessage) (email string, role models.Role, m Meta, err error) {
	o, err := readObject(body)
	if err != nil {
		return "", "", Meta{}, err
	}
	vs := slices.Concat(requireText(o, "email"), requireText(o, "role"))
	email, role = models.NormalizeEmail(stringOf(o["email"])), models.Role(stringOf(o["role"]))
	if len(vs) == 0 {
		vs = append(models.CheckEmail(email), models.CheckRole(role)...)
	}
	m, more := readMeta(o)
	if err := joiError(append(vs, more...)); err != nil {
		return "", "", m, err
	}
	return email, role, m, refuseUnknown(body, o, func(key string) bool {
		return key == "email" || key == "role" || key == "deviceId"
	})
}

// requireText returns a violation if a required string is absent or of another type.
func requireText(o object, field string) []models.Violation {
	switch typeOf(o[field]) {
	case absent:
		return []models.Violation{{Field: field, Rule: models.RuleRequired}}
	case text:
		return nil
	}
	return []models.Violation{{Field: field, Rule: models.RuleType}}
}

// An Activity is a comment on an expense or a change of it
// (docs/contract.md#live-features). The text of a comment is plain text, never markup.
type Activity struct {
	ID   string       `json:"id"`
	Type string       `json:"type"`
	User Person       `json:"user"`
	Data ActivityData `json:"data"`
	At   Time         `json:"at"`
}

// ActivityData is the content of an Activity.
type ActivityData struct {
	Text string `json:"text"`
}

// NewActivity returns the document of a.
func NewActivity(a models.Activity) Activity {
	return Activity{a.ID, a.Type, Person{a.UserID, a.UserName}, ActivityData{a.Text}, Time(a.At)}
}

// An ActivityPage is the response to GET /api/expenses/:id/activity.
type ActivityPage struct {
	ExpenseID  string     `json:"expenseId"`
	Activities []Activity `json:"activities"`
	Pagination Pagination `json:"pagination"`
}

// NewActivityPage returns page number page of a list of total activities. limit is the
// number per page, at least 1.
func NewActivityPage(expenseID string, as []models.Activity, total int64, page, limit int) ActivityPage {
	list := make([]Activity, len(as))
	for i, a := range as {
		list[i] = NewActivity(a)
	}
	return ActivityPage{expenseID, list, pagination(total, page, limit)}
}

// ParseComment parses {text}, the body of POST /api/expenses/:id/activity. Errors are as
// for ParseShare.
func ParseComment(body json.RawMessage) (text string, err error) {
	o, err := readObject(body)
	if err != nil {
		return "", err
	}
	text = stringOf(o["text"])
	vs := requireText(o, "text")
	if len(vs) == 0 {
		vs = models.CheckComment(text)
	}
	if err := joiError(vs); err != nil {
		return "", err
	}
	return text, refuseUnknown(body, o, func(key string) bool { return key == "text" })
}
