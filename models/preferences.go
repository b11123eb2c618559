package models

import (
	"net/url"
	"regexp"
	"slices"
	"time"
)

// NotificationPreferences are a user's settings for notifications. This server delivers
// over sockets only: Push, Quiet and Frequency.BudgetAlerts decide what it sends there
// (see AllowsLive). The other channels are stored for the settings page and have no effect.
type NotificationPreferences struct {
	Email     Channel    `log:"email"`
	Push      Channel    `log:"push"`
	SMS       Channel    `log:"sms"`
	Webhook   Channel    `log:"webhook"`
	Quiet     QuietHours `log:"quiet"`
	Frequency Frequency  `log:"frequency"`

	// AlertedAt is when the last budget alert was sent to a user who wants them daily
	// or weekly; zero is never.
	AlertedAt time.Time

	CreatedAt, UpdatedAt time.Time // UTC; zero if nothing is stored
}

// A Channel is one way of delivery. PhoneNumber is used by SMS; URL and Secret are used
// by Webhook.
type Channel struct {
	Enabled     bool     `log:"enabled"`
	Types       []string `log:"types"`           // of NotificationTypes
	PhoneNumber string   `log:"phone,omitempty"` // E.164, such as +4912345; may be empty
	URL         string   `log:"url,omitempty"`   // http or https; may be empty
	Secret      string   `log:"secret,omitempty"`
}

// QuietHours are hours of the day in which no notification is sent live.
type QuietHours struct {
	Enabled bool   `log:"enabled"`
	Start   string `log:"start"` // HH:MM; an end before the start is on the next day
	End     string `log:"end"`
	Zone    string `log:"zone"` // of the IANA database
}

// Frequency is how often to send notifications of frequent events.
type Frequency struct {
	BudgetAlerts     string `log:"budgetAlerts"`     // one of AlertFrequencies
	GoalUpdates      string `log:"goalUpdates"`      // one of AlertFrequencies; has no effect
	ExpenseSummaries string `log:"expenseSummaries"` // one of SummaryFrequencies; has no effect
}

// The allowed values of preferences.
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

// DefaultPreferences returns the preferences of a user who has stored none.
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

// AllowsLive reports whether a notification of this type is sent live at the given time; it
// is stored in any case. A low balance follows the setting of budget alerts; a changed
// balance and what others do follow that of expenses, for they have none of their own. System notifications, such
// as a requested test, ignore the list of types.
func (p *NotificationPreferences) AllowsLive(notification string, at time.Time) bool {
	switch notification {
	case NotifyLowBalance:
		notification = NotifyBudget
	case NotifyBalanceChange, NotifyInvited, NotifyShared, NotifyCommented, NotifyEdited:
		notification = NotifyExpense
	}
	wanted := notification == NotifySystem || slices.Contains(p.Push.Types, notification)
	return p.Push.Enabled && wanted && !p.Quiet.contains(at)
}

// BudgetAlertInterval returns the minimum time between two budget alerts; 0 is no minimum.
func (p *NotificationPreferences) BudgetAlertInterval() time.Duration {
	switch p.Frequency.BudgetAlerts {
	case "daily":
		return 24 * time.Hour
	case "weekly":
		return 7 * 24 * time.Hour
	}
	return 0
}

// contains reports whether a time lies in the quiet hours: Start is included, End is not.
// There are none if either is unset or both are equal.
func (q *QuietHours) contains(at time.Time) bool {
	if !q.Enabled || q.Start == "" || q.End == "" || q.Start == q.End {
		return false
	}
	zone, ok := LoadZone(q.Zone)
	if !ok {
		return false // the zone was removed from the time zone database
	}
	now := at.In(zone).Format("15:04")
	if q.Start < q.End {
		return q.Start <= now && now < q.End
	}
	return now >= q.Start || now < q.End
}

var phoneNumber = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)

// Check returns every rule that p breaks; nil if valid. It does not check the Types of
// channels, which internal/wire does.
func (p *NotificationPreferences) Check() (vs []Violation) {
	if n := p.SMS.PhoneNumber; n != "" && !phoneNumber.MatchString(n) {
		vs = append(vs, Violation{Field: "channels.sms.phoneNumber", Rule: RulePhone})
	}
	vs = append(vs, checkText("channels.webhook.url", &p.Webhook.URL, MaxWebhookURL, false)...)
	if s := p.Webhook.URL; s != "" && !isWebURL(s) {
		vs = append(vs, Violation{Field: "channels.webhook.url", Rule: RuleURL})
	}
	vs = append(vs, checkText("channels.webhook.secret", &p.Webhook.Secret, MaxWebhookSecret, false)...)
	return append(vs, CheckZone("quietHours.timezone", p.Quiet.Zone)...)
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
