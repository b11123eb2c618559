package wire

import (
	"encoding/json"
	"time"

	"expenseflow/models"
)

// A Notification is a notification's document, live and in lists (docs/contract.md#live-features).
type Notification struct {
	ID        string          `json:"id"`
	Title     string          `json:"title"`
	Message   string          `json:"message"`
	Type      string          `json:"type"`
	Priority  string          `json:"priority"`
	Data      json.RawMessage `json:"data"` // null if there is none
	Timestamp Time            `json:"timestamp"`
	Read      bool            `json:"read"`
}

// NewNotification gives n's document.
func NewNotification(n models.Notification) Notification {
	return Notification{
		ID: n.ID, Title: n.Title, Message: n.Message, Type: n.Type, Priority: n.Priority,
		Data: n.Data, Timestamp: Time(n.CreatedAt), Read: n.Read,
	}
}

// A NotificationPage is the answer to GET /api/notifications.
type NotificationPage struct {
	Notifications []Notification `json:"notifications"`
	Pagination    Pagination     `json:"pagination"`
}

// NewNotificationPage gives page number page of a list of total notifications;
// limit is how many a page holds and is at least 1.
func NewNotificationPage(ns []models.Notification, total int64, page, limit int) NotificationPage {
	list := make([]Notification, len(ns))
	for i, n := range ns {
		list[i] = NewNotification(n)
	}
	return NotificationPage{list, pagination(total, page, limit)}
}

// A Count is the answer to GET /api/notifications/unread-count, and the payload
// of notification_count.
type Count struct {
	Count int64 `json:"count"`
}

// A Balance is the answer to GET /api/accounts/balance: in the account's currency,
// and beside it in others.
type Balance struct {
	Balance    Total           `json:"balance"`
	Income     Total           `json:"income"`
	Expense    Total           `json:"expense"`
	Currency   string          `json:"currency"`
	ByCurrency []CurrencyTotal `json:"byCurrency"`
	UpdatedAt  *Time           `json:"updatedAt"` // null before the first entry
}

// NewBalance gives b's document, with what rates know.
func NewBalance(b models.Balance, rates *models.Rates) Balance {
	return Balance{
		Balance: Total(b.Balance()), Income: Total(b.Income), Expense: Total(b.Expense),
		Currency: b.Currency, ByCurrency: currencyTotals(b.Others, b.Currency, rates), UpdatedAt: known(b.UpdatedAt),
	}
}

// A BalanceChange is the payload of account:balance.
type BalanceChange struct {
	Balance
	Delta Total  `json:"delta"` // against what the sockets were told before; 0 for a greeting
	Cause *Cause `json:"cause"` // null for a greeting
}

// A Cause is the change that moved a balance, the last one of several.
type Cause struct {
	ExpenseID string `json:"expenseId"`
	Action    string `json:"action"` // created, updated or deleted
}

var causes = map[models.ChangeKind]string{
	models.ExpenseCreated: "created", models.ExpenseUpdated: "updated", models.ExpenseDeleted: "deleted",
}

// NewBalanceChange gives the payload that tells of b after it moved by delta; by
// is the newest change of an expense that moved it, nil for a greeting.
func NewBalanceChange(b models.Balance, rates *models.Rates, delta models.Sum, by *models.Change) BalanceChange {
	c := BalanceChange{Balance: NewBalance(b, rates), Delta: Total(delta)}
	if by != nil {
		c.Cause = &Cause{ExpenseID: by.EntityID, Action: causes[by.Kind]}
	}
	return c
}

// A Dashboard is the answer to GET /api/dashboard, and the payload of
// dashboard:update. From and To are its first and its last day.
type Dashboard struct {
	From        Day             `json:"from"`
	To          Day             `json:"to"`
	Version     int64           `json:"version"`
	Currency    string          `json:"currency"` // of all figures but those in ByCurrency
	Totals      DashboardTotals `json:"totals"`
	ByCurrency  []CurrencyTotal `json:"byCurrency"` // of the other currencies
	ByCategory  []CategoryTotal `json:"byCategory"`
	Series      []DayTotal      `json:"series"` // days with entries alone
	Recent      []Expense       `json:"recent"`
	GeneratedAt Time            `json:"generatedAt"`
}

// DashboardTotals are what all entries of a dashboard amount to.
type DashboardTotals struct {
	Income  Total `json:"income"`
	Expense Total `json:"expense"`
	Balance Total `json:"balance"`
	Count   int64 `json:"count"`
}

// A CategoryTotal is what was spent on one category; Percentage is its share of
// all that was spent.
type CategoryTotal struct {
	Category   string  `json:"category"`
	Total      Total   `json:"total"`
	Count      int64   `json:"count"`
	Percentage float64 `json:"percentage"`
}

// A DayTotal is what one day brought.
type DayTotal struct {
	Date    Day   `json:"date"`
	Income  Total `json:"income"`
	Expense Total `json:"expense"`
}

// NewDashboard gives d's document, with what rates know.
func NewDashboard(d models.Dashboard, rates *models.Rates) Dashboard {
	doc := Dashboard{
		From: Day(d.From), To: Day(d.To), Version: d.Version, GeneratedAt: Time(d.GeneratedAt),
		Currency: d.Currency, ByCurrency: currencyTotals(d.Others, d.Currency, rates),
		Totals:     DashboardTotals{Total(d.Income), Total(d.Expense), Total(d.Balance()), d.Count},
		ByCategory: make([]CategoryTotal, len(d.ByCategory)), Series: make([]DayTotal, len(d.Series)), Recent: make([]Expense, len(d.Recent)),
	}
	for i, c := range d.ByCategory {
		doc.ByCategory[i] = CategoryTotal{c.Category, Total(c.Total), c.Count, share(c.Total, d.Expense)}
	}
	for i, day := range d.Series {
		doc.Series[i] = DayTotal{Day(day.Day), Total(day.Income), Total(day.Expense)}
	}
	for i, e := range d.Recent {
		doc.Recent[i] = Expense(e)
	}
	return doc
}

// ParseDays reads the parameters from and to of GET /api/dashboard: days, or moments
// whose days in the account's zone count, both included. "" names none, which leaves
// that end to the dashboard. Errors are models.Invalid.
func ParseDays(from, to string) (first, last models.DayRef, err error) {
	first, okFirst := dayRef(parseDate(from))
	last, okLast := dayRef(parseDate(to))
	return first, last, checkDays(first, okFirst || from == "", last, okLast || to == "")
}

// ParseDashboardSubscribe reads the argument of dashboard:subscribe, an object
// {from?, to?} with ParseDays' meaning; what is null or "" in it is absent, and
// so is the object itself. Errors are models.Invalid.
func ParseDashboardSubscribe(arg json.RawMessage) (first, last models.DayRef, err error) {
	if typeOf(arg) == null {
		return first, last, nil
	}
	o, err := readObject(arg)
	if err != nil {
		return first, last, err
	}
	first, okFirst := dayRef(readDate(o["from"]))
	last, okLast := dayRef(readDate(o["to"]))
	return first, last, checkDays(first, okFirst || unnamed(o["from"]), last, okLast || unnamed(o["to"]))
}

// dayRef names a day as it was read. The first moment of year 1 is the zero time,
// which names none; a millisecond later is of the same days.
func dayRef(at time.Time, day *models.Day, ok bool) (models.DayRef, bool) {
	switch {
	case !ok || !storable(at):
		return models.DayRef{}, false
	case day != nil:
		return models.OnDay(*day), true
	case at.IsZero():
		at = at.Add(time.Millisecond)
	}
	return models.DayRef{At: at}, true
}

func unnamed(raw json.RawMessage) bool { return raw == nil || nothing(raw) }

// checkDays compares days that are named by themselves; others are compared where
// the account's zone is known.
func checkDays(from models.DayRef, okFrom bool, to models.DayRef, okTo bool) error {
	switch {
	case !okFrom:
		return invalid(`"from" must be a valid date`)
	case !okTo:
		return invalid(`"to" must be a valid date`)
	case from.Bare && to.Bare && to.Day < from.Day:
		return invalid(`"to" must be greater than or equal to "from"`)
	}
	return nil
}

// storable tells whether an expense can be of this date.
func storable(t time.Time) bool { return len(models.Patch{Date: &t}.Check()) == 0 }

// A deleted document is what remains to be told of something.
type deleted struct {
	ID       string `json:"id"`
	Under    string `json:"_id"`
	DeviceID string `json:"deviceId,omitempty"`
}

// announced gives the payload of the event that tells of a change of anything
// but an expense; nil for a silent one.
func announced(c *models.Change) any {
	switch c.Kind {
	case models.BudgetCreated, models.BudgetUpdated:
		return struct {
			Budget
			DeviceID string `json:"deviceId,omitempty"`
		}{NewBudget(*c.Budget), c.Author.DeviceID}
	case models.BudgetDeleted:
		return deleted{c.EntityID, c.EntityID, c.Author.DeviceID}
	case models.BudgetAlerted:
		return NewAlert(c.Alert.State)
	case models.NotificationCreated:
		return NewNotification(*c.Notification)
	case models.InvitationReceived:
		return NewInvitation(*c.Invitation)
	case models.InvitationClosed:
		return closed{c.EntityID, c.Author.DeviceID}
	case models.PersonBlocked, models.PersonUnblocked:
		return blocked{Block{Person{c.Person.ID, c.Person.Name}, c.Kind == models.PersonBlocked}, c.Author.DeviceID}
	case models.SettingsChanged:
		return settingsTold{NewSettings(*c.Settings), c.Author.DeviceID}
	case models.ShareChanged:
		return sharesTold{NewShares(c.EntityID, c.Shares), c.Author.DeviceID}
	}
	return nil
}

// closed is the payload of invitation:closed.
type closed struct {
	ID       string `json:"id"`
	DeviceID string `json:"deviceId,omitempty"`
}

// blocked is the payload of person:blocked and person:unblocked.
type blocked struct {
	Block
	DeviceID string `json:"deviceId,omitempty"`
}
