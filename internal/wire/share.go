package wire

import (
	"encoding/json"
	"slices"
	"strconv"

	"expenseflow/models"
)

// appendSharing appends what a document says of those who have the expense.
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

// A Person is as much of a user as others see.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// A Share is a user with whom an expense is shared. Email is there for the
// expense's owner alone.
type Share struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	Role  string `json:"role"`
}

// Shares is the answer to who shares an expense (docs/contract.md#live-features): with whom it is
// shared from then on.
type Shares struct {
	ExpenseID  string  `json:"expenseId"`
	SharedWith []Share `json:"sharedWith"`
}

// NewShares gives the document.
func NewShares(expenseID string, shares []models.Share) Shares {
	list := make([]Share, len(shares))
	for i, s := range shares {
		list[i] = Share{ID: s.UserID, Name: s.Name, Email: s.Email, Role: string(s.Role)}
	}
	return Shares{ExpenseID: expenseID, SharedWith: list}
}

// sharesTold is the payload of expense:shared, for the owner's devices.
type sharesTold struct {
	Shares
	DeviceID string `json:"deviceId,omitempty"`
}

// A Sharing is the answer to GET /api/expenses/:id/share.
type Sharing struct {
	Shares
	Owner   Person    `json:"owner"`
	Role    string    `json:"role"`              // of who asks
	Invited []Invitee `json:"invited,omitempty"` // for the owner alone
}

// An Invitee is an address that was invited to an expense and has not accepted:
// whatever became of it, and whether or not it has an account.
type Invitee struct {
	Email     string `json:"email"`
	Role      string `json:"role"`
	CreatedAt Time   `json:"createdAt"`
}

// NewSharing gives the document.
func NewSharing(expenseID string, s models.Sharing) Sharing {
	doc := Sharing{Shares: NewShares(expenseID, s.Shares), Owner: Person{s.OwnerID, s.OwnerName}, Role: string(s.Role)}
	for _, i := range s.Invited {
		doc.Invited = append(doc.Invited, Invitee{i.Email, string(i.Role), Time(i.CreatedAt)})
	}
	return doc
}

// ParseShare reads the body of POST /api/expenses/:id/share, {email, role}, and
// who sends it. Errors are models.Invalid in Joi's words, about the first fault.
func ParseShare(body json.RawMessage) (email string, role models.Role, m Meta, err error) {
	o, err := readObject(body)
	if err != nil {
		return "", "", Meta{}, err
	}
	vs := slices.Concat(notText(o, "email"), notText(o, "role"))
	email, role = models.NormalizeEmail(str(o["email"])), models.Role(str(o["role"]))
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

// notText gives the rule that a required text breaks by not being one.
func notText(o object, field string) []models.Violation {
	switch typeOf(o[field]) {
	case absent:
		return []models.Violation{{Field: field, Rule: models.RuleRequired}}
	case text:
		return nil
	}
	return []models.Violation{{Field: field, Rule: models.RuleType}}
}

// An Activity is something that happened around an expense (docs/contract.md#live-features). Data
// is {text} of a comment, which is text as it was written: whoever shows it must
// not take it for markup.
type Activity struct {
	ID   string       `json:"id"`
	Type string       `json:"type"`
	User Person       `json:"user"`
	Data ActivityData `json:"data"`
	At   Time         `json:"at"`
}

// ActivityData is what an Activity says.
type ActivityData struct {
	Text string `json:"text"`
}

// NewActivity gives a's document.
func NewActivity(a models.Activity) Activity {
	return Activity{a.ID, a.Type, Person{a.UserID, a.UserName}, ActivityData{a.Text}, Time(a.At)}
}

// An ActivityPage is the answer to GET /api/expenses/:id/activity.
type ActivityPage struct {
	ExpenseID  string     `json:"expenseId"`
	Activities []Activity `json:"activities"`
	Pagination Pagination `json:"pagination"`
}

// NewActivityPage gives page number page of a list of total activities; limit is
// how many a page holds and is at least 1.
func NewActivityPage(expenseID string, as []models.Activity, total int64, page, limit int) ActivityPage {
	list := make([]Activity, len(as))
	for i, a := range as {
		list[i] = NewActivity(a)
	}
	return ActivityPage{expenseID, list, pagination(total, page, limit)}
}

// ParseComment reads the body of POST /api/expenses/:id/activity, {text}. Errors
// are ParseShare's.
func ParseComment(body json.RawMessage) (text string, err error) {
	o, err := readObject(body)
	if err != nil {
		return "", err
	}
	text = str(o["text"])
	vs := notText(o, "text")
	if len(vs) == 0 {
		vs = models.CheckComment(text)
	}
	if err := joiError(vs); err != nil {
		return "", err
	}
	return text, refuseUnknown(body, o, func(key string) bool { return key == "text" })
}
