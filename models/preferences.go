package models

import (
	"net/url"
	"regexp"
	"slices"
	"time"
)

// NotificationPreferences say how a user wants to be told. They are the original's
// switches. This server tells over its sockets alone: Push, QuietHours and
// Frequency.BudgetAlerts decide what it tells there (see Tells); the other channels
// are kept for the page that shows them, and nothing is sent by them.
type NotificationPreferences struct {
	Email, Push, SMS, Webhook Channel
	Quiet                     QuietHours
	Frequency                 Frequency

	// AlertedAt is when a budget alert was last told to a user who wants them once a
	// day or a week; the zero time is never.
	AlertedAt time.Time

	CreatedAt, UpdatedAt time.Time // UTC; zero as long as nothing is stored
}

// A Channel is one way of telling. Of the last three fields an SMS has the first
// and a Webhook the others.
type Channel struct {
	Enabled     bool
	Types       []string // of NotificationTypes
	PhoneNumber string   // E.164, such as +4912345; may be empty
	URL         string   // http or https; may be empty
	Secret      string
}

// QuietHours are hours of a day in which nothing is told live.
type QuietHours struct {
	Enabled    bool
	Start, End string // HH:MM; an end before the start is on the next day
	Zone       string // of the IANA database
}

// Frequency is how often to tell of what happens often.
type Frequency struct {
	BudgetAlerts     string // one of AlertFrequencies
	GoalUpdates      string // one of AlertFrequencies; nothing that this server sends
	ExpenseSummaries string // one of SummaryFrequencies; nothing that this server sends
}

// What the switches may be set to.
var (
	NotificationTypes    = []string{NotifyBudget, NotifyGoal, NotifyExpense, "security_alert", NotifySystem}
	SMSNotificationTypes = []string{NotifyBudget, "security_alert", NotifySystem}
	AlertFrequencies     = []string{"immediate", "daily", "weekly"}
	SummaryFrequencies   = []string{"daily", "weekly", "monthly"}
)

// Limits of preferences, in UTF-16 units.
const (
	MaxWebhookURL    = 2048
	MaxWebhookSecret = 256
)

// DefaultPreferences are those of who has set none, as in the original.
func DefaultPreferences() NotificationPreferences {
	return NotificationPreferences{
		Email:     Channel{Enabled: true, Types: []string{NotifyBudget, NotifyGoal, "security_alert", NotifySystem}},
		Push:      Channel{Enabled: true, Types: []string{NotifyBudget, NotifyGoal, NotifyExpense}},
		SMS:       Channel{Types: []string{"security_alert"}},
		Webhook:   Channel{Types: []string{}},
		Quiet:     QuietHours{Zone: "UTC"},
		Frequency: Frequency{BudgetAlerts: "immediate", GoalUpdates: "daily", ExpenseSummaries: "weekly"},
	}
}

// Tells reports whether a notification of a type is told live at a moment; it is
// kept in the list in any case. A low balance goes with the budget alerts and a
// changed one with the expenses, for they have no switch of their own; what a user asks for (a test) is told whatever the
// types say.
func (p *NotificationPreferences) Tells(notification string, at time.Time) bool {
	switch notification {
	case NotifyBalance:
		notification = NotifyBudget
	case NotifyChange:
		notification = NotifyExpense
	}
	wanted := notification == NotifySystem || slices.Contains(p.Push.Types, notification)
	return p.Push.Enabled && wanted && !p.Quiet.holds(at)
}

// BudgetAlertsEvery is the time within which a user wants to hear of budgets at
// most once; 0 is always.
func (p *NotificationPreferences) BudgetAlertsEvery() time.Duration {
	switch p.Frequency.BudgetAlerts {
	case "daily":
		return 24 * time.Hour
	case "weekly":
		return 7 * 24 * time.Hour
	}
	return 0
}

// holds reports whether a moment lies in the quiet hours: from Start, included, to
// End. An end that is not set, or equals the start, makes no hours.
func (q *QuietHours) holds(at time.Time) bool {
	if !q.Enabled || q.Start == "" || q.End == "" || q.Start == q.End {
		return false
	}
	zone, ok := LoadZone(q.Zone)
	if !ok {
		return false // a zone that this program's database lost
	}
	now := at.In(zone).Format("15:04")
	if q.Start < q.End {
		return q.Start <= now && now < q.End
	}
	return now >= q.Start || now < q.End
}

var phoneNumber = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)

// Check gives every rule that p breaks, and nil for good preferences. Values of
// lists are the door's business.
func (p *NotificationPreferences) Check() (vs []Violation) {
	if n := p.SMS.PhoneNumber; n != "" && !phoneNumber.MatchString(n) {
		vs = append(vs, Violation{Field: "channels.sms.phoneNumber", Rule: RulePhone})
	}
	vs = append(vs, checkText("channels.webhook.url", &p.Webhook.URL, MaxWebhookURL, false)...)
	if u, err := url.Parse(p.Webhook.URL); p.Webhook.URL != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		vs = append(vs, Violation{Field: "channels.webhook.url", Rule: RuleURL})
	}
	vs = append(vs, checkText("channels.webhook.secret", &p.Webhook.Secret, MaxWebhookSecret, false)...)
	return append(vs, CheckZone("quietHours.timezone", p.Quiet.Zone)...)
}
