package store

import (
	"encoding/json"

	"expenseflow/models"
)

// What the log keeps of a change that is not of an expense. As with an
// expensePayload, names never change their meaning.

type budgetPayload struct {
	ID        string        `json:"id"`
	UserID    string        `json:"user"`
	Name      string        `json:"name"`
	Category  string        `json:"category"`
	Amount    int64         `json:"amount"` // millionths
	Period    models.Period `json:"period"`
	Start     *int64        `json:"start,omitempty"` // this and the other times: milliseconds since 1970
	End       *int64        `json:"end,omitempty"`
	StartDay  *int64        `json:"startDay,omitempty"` // this and the other days: since 1970-01-01; absent: that of the moment in UTC
	EndDay    *int64        `json:"endDay,omitempty"`
	Threshold int           `json:"threshold"`
	Version   int64         `json:"version"`
	CreatedAt int64         `json:"created"`
	UpdatedAt int64         `json:"updated"`
}

type alertPayload struct {
	Budget      budgetPayload `json:"budget"`
	From        int64         `json:"from"` // this and to: midnight UTC of a day
	To          int64         `json:"to"`
	Currency    string        `json:"currency,omitempty"` // "": older than currencies
	SpentUnits  int64         `json:"units"`
	SpentMicros int64         `json:"micros"`
	Level       models.Level  `json:"level"`
}

type notificationPayload struct {
	ID        string          `json:"id"`
	UserID    string          `json:"user"`
	Title     string          `json:"title"`
	Message   string          `json:"message"`
	Type      string          `json:"type"`
	Priority  string          `json:"priority"`
	Data      json.RawMessage `json:"data,omitempty"`
	Read      bool            `json:"read"`
	CreatedAt int64           `json:"created"`
}

func newBudgetPayload(b *models.Budget) budgetPayload {
	return budgetPayload{
		ID: b.ID, UserID: b.UserID, Name: b.Name, Category: b.Category, Amount: int64(b.Amount),
		Period: b.Period, Start: orOpen(b.Start), End: orOpen(b.End), Threshold: b.Threshold,
		StartDay: dayOf(b.Start, b.StartDay), EndDay: dayOf(b.End, b.EndDay),
		Version: b.Version, CreatedAt: b.CreatedAt.UnixMilli(), UpdatedAt: b.UpdatedAt.UnixMilli(),
	}
}

func (p *budgetPayload) budget() *models.Budget {
	if p == nil {
		return nil
	}
	b := models.Budget{
		ID: p.ID, UserID: p.UserID, Name: p.Name, Category: p.Category, Amount: models.Money(p.Amount),
		Period: p.Period, Start: fromOpen(p.Start), End: fromOpen(p.End), Threshold: p.Threshold,
		Version: p.Version, CreatedAt: fromMillis(p.CreatedAt), UpdatedAt: fromMillis(p.UpdatedAt),
	}
	if p.Start != nil {
		b.StartDay = dayOr(p.StartDay, b.Start)
	}
	if p.End != nil {
		b.EndDay = dayOr(p.EndDay, b.End)
	}
	return &b
}

func newAlertPayload(a *models.BudgetAlert) alertPayload {
	s := &a.State
	return alertPayload{
		Budget: newBudgetPayload(&s.Budget), From: s.From.Time().UnixMilli(), To: s.To.Time().UnixMilli(), Currency: s.Currency,
		SpentUnits: s.Spent.Units, SpentMicros: s.Spent.Micros, Level: s.Level,
	}
}

// alert gives the alert; a budget that alerts is active.
func (p *alertPayload) alert() *models.BudgetAlert {
	return &models.BudgetAlert{State: models.BudgetState{
		Budget: *p.Budget.budget(), From: dayOr(nil, fromMillis(p.From)), To: dayOr(nil, fromMillis(p.To)), Currency: p.Currency,
		Spent: models.Sum{Units: p.SpentUnits, Micros: p.SpentMicros}, Level: p.Level, Active: true,
	}}
}

func newNotificationPayload(n *models.Notification) notificationPayload {
	return notificationPayload{
		ID: n.ID, UserID: n.UserID, Title: n.Title, Message: n.Message, Type: n.Type,
		Priority: n.Priority, Data: n.Data, Read: n.Read, CreatedAt: n.CreatedAt.UnixMilli(),
	}
}

func (p *notificationPayload) notification() *models.Notification {
	return &models.Notification{
		ID: p.ID, UserID: p.UserID, Title: p.Title, Message: p.Message, Type: p.Type,
		Priority: p.Priority, Data: p.Data, Read: p.Read, CreatedAt: fromMillis(p.CreatedAt),
	}
}

type settingsPayload struct {
	Zone     string `json:"zone,omitempty"`
	Currency string `json:"currency,omitempty"`
}

type sharesPayload []sharePayload

type sharePayload struct {
	UserID    string      `json:"user"`
	Name      string      `json:"name"`
	Email     string      `json:"email"`
	Role      models.Role `json:"role"`
	CreatedAt int64       `json:"created"`
}

func newSharesPayload(shares []models.Share) sharesPayload {
	p := sharesPayload{}
	for _, s := range shares {
		p = append(p, sharePayload{s.UserID, s.Name, s.Email, s.Role, s.CreatedAt.UnixMilli()})
	}
	return p
}

func (p sharesPayload) shares(expenseID string) (shares []models.Share) {
	for _, s := range p {
		shares = append(shares, models.Share{
			ExpenseID: expenseID, UserID: s.UserID, Name: s.Name, Email: s.Email, Role: s.Role, CreatedAt: fromMillis(s.CreatedAt),
		})
	}
	return shares
}

type invitationPayload struct {
	ExpenseID  string      `json:"expense"`
	OwnerID    string      `json:"owner"`
	OwnerName  string      `json:"name"`
	OwnerEmail string      `json:"email"`
	Role       models.Role `json:"role"`
	CreatedAt  int64       `json:"created"`
}

func newInvitationPayload(i *models.Invitation) invitationPayload {
	return invitationPayload{i.ExpenseID, i.OwnerID, i.OwnerName, i.OwnerEmail, i.Role, i.CreatedAt.UnixMilli()}
}

func (p *invitationPayload) invitation(id string) *models.Invitation {
	return &models.Invitation{
		ID: id, ExpenseID: p.ExpenseID, OwnerID: p.OwnerID, OwnerName: p.OwnerName, OwnerEmail: p.OwnerEmail,
		Role: p.Role, State: models.InvitationPending, CreatedAt: fromMillis(p.CreatedAt),
	}
}

type personPayload struct {
	Name string `json:"name"`
}

// encodeEntity is what the log keeps of a change's entity; "" for none.
func encodeEntity(c *models.Change) string {
	switch {
	case c.Kind.OfExpense():
		return encodeExpense(&c.Expense)
	case c.Kind == models.ShareChanged:
		return encoded(newSharesPayload(c.Shares))
	case c.Invitation != nil:
		return encoded(newInvitationPayload(c.Invitation))
	case c.Person != nil:
		return encoded(personPayload{c.Person.Name})
	case c.Settings != nil:
		return encoded(settingsPayload(*c.Settings))
	case c.Budget != nil:
		return encoded(newBudgetPayload(c.Budget))
	case c.Alert != nil:
		return encoded(newAlertPayload(c.Alert))
	case c.Notification != nil:
		return encoded(newNotificationPayload(c.Notification))
	}
	return ""
}

func encoded(payload any) string {
	b, _ := json.Marshal(payload) // strings, integers and valid JSON always marshal
	return string(b)
}

// decodeEntity sets c's entity. Of a kind that a newer program wrote there is none.
func decodeEntity(c *models.Change, payload []byte) (err error) {
	switch c.Kind {
	case models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted:
		c.Expense, err = decodeExpense(payload)
	case models.ShareChanged:
		var p sharesPayload
		err = json.Unmarshal(payload, &p)
		c.Shares = p.shares(c.EntityID)
	case models.InvitationReceived:
		var p invitationPayload
		err = json.Unmarshal(payload, &p)
		c.Invitation = p.invitation(c.EntityID)
	case models.PersonBlocked, models.PersonUnblocked:
		var p personPayload
		err = json.Unmarshal(payload, &p)
		c.Person = &models.Person{ID: c.EntityID, Name: p.Name}
	case models.SettingsChanged:
		var p settingsPayload
		err = json.Unmarshal(payload, &p)
		c.Settings = (*models.Settings)(&p)
	case models.BudgetCreated, models.BudgetUpdated, models.BudgetDeleted:
		var p budgetPayload
		err = json.Unmarshal(payload, &p)
		c.Budget = p.budget()
	case models.BudgetAlerted:
		var p alertPayload
		err = json.Unmarshal(payload, &p)
		c.Alert = p.alert()
	case models.NotificationCreated:
		var p notificationPayload
		err = json.Unmarshal(payload, &p)
		c.Notification = p.notification()
	}
	return err
}
