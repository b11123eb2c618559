package wire

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"expenseflow/models"
)

// Preferences is the answer to GET and PUT /api/notifications/preferences, in the
// original's shape.
type Preferences struct {
	ID         string    `json:"_id"`
	User       string    `json:"user"`
	Channels   Channels  `json:"channels"`
	QuietHours Quiet     `json:"quietHours"`
	Frequency  Frequency `json:"frequency"`
	CreatedAt  Time      `json:"createdAt"`
	UpdatedAt  Time      `json:"updatedAt"`
	V          int       `json:"__v"`
}

// Channels are the ways of telling.
type Channels struct {
	Email   Channel        `json:"email"`
	Push    PushChannel    `json:"push"`
	SMS     SMSChannel     `json:"sms"`
	Webhook WebhookChannel `json:"webhook"`
}

// A Channel is one way of telling, and of what.
type Channel struct {
	Enabled bool     `json:"enabled"`
	Types   []string `json:"types"` // never null: pages go through it
}

// A PushChannel is a Channel with the browser's subscription, of which there is
// none as long as Web Push is not built.
type PushChannel struct {
	Channel
	Subscription *struct{} `json:"subscription"`
}

// An SMSChannel is a Channel with its number.
type SMSChannel struct {
	Channel
	PhoneNumber string `json:"phoneNumber"`
}

// A WebhookChannel is a Channel with its address.
type WebhookChannel struct {
	Channel
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

// Quiet are the hours in which nothing is told live; "" is not set.
type Quiet struct {
	Enabled  bool   `json:"enabled"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Timezone string `json:"timezone"`
}

// Frequency is how often to tell.
type Frequency struct {
	BudgetAlerts     string `json:"budget_alerts"`
	GoalUpdates      string `json:"goal_updates"`
	ExpenseSummaries string `json:"expense_summaries"`
}

// NewPreferences gives the document of u's preferences. There is one for a user, so
// it has the user's id.
func NewPreferences(u models.User, p models.NotificationPreferences) Preferences {
	created, updated := p.CreatedAt, p.UpdatedAt
	if created.IsZero() {
		created, updated = u.CreatedAt, u.CreatedAt
	}
	channel := func(c models.Channel) Channel { return Channel{c.Enabled, append([]string{}, c.Types...)} }
	return Preferences{
		ID: u.ID, User: u.ID,
		Channels: Channels{
			Email: channel(p.Email), Push: PushChannel{Channel: channel(p.Push)},
			SMS:     SMSChannel{channel(p.SMS), p.SMS.PhoneNumber},
			Webhook: WebhookChannel{channel(p.Webhook), p.Webhook.URL, p.Webhook.Secret},
		},
		QuietHours: Quiet{p.Quiet.Enabled, p.Quiet.Start, p.Quiet.End, p.Quiet.Zone},
		Frequency:  Frequency(p.Frequency),
		CreatedAt:  Time(created), UpdatedAt: Time(updated),
	}
}

// A PreferencesChange writes what a body names into preferences.
type PreferencesChange func(*models.NotificationPreferences)

// ParsePreferences reads the body of PUT /api/notifications/preferences. What it
// does not name stays as it is; an empty text unsets. Errors are models.Invalid in
// Joi's words, about the first fault, and models.NotBuilt for a subscription to Web
// Push.
func ParsePreferences(body json.RawMessage) (PreferencesChange, error) {
	o, err := readObject(body)
	if err != nil {
		return nil, err
	}
	r := &preferencesReader{}
	root := r.section(o, "", append([]string{"channels", "quietHours", "frequency", "_id", "id"}, ignored...)...)
	r.channels(root.section("channels", "email", "push", "sms", "webhook"))
	r.quietHours(root.section("quietHours", "enabled", "start", "end", "timezone"))
	r.frequency(root.section("frequency", "budget_alerts", "goal_updates", "expense_summaries"))
	return func(p *models.NotificationPreferences) {
		for _, set := range r.sets {
			set(p)
		}
	}, r.err
}

// A preferencesReader takes preferences out of nested objects: the first fault, and
// what to set if there is none.
type preferencesReader struct {
	err  error
	sets []PreferencesChange
}

func (r *preferencesReader) refuse(label, what string) {
	if r.err == nil {
		r.err = invalid(quoted(label) + " " + what)
	}
}

// A section is an object within a body, and how it is called there.
type section struct {
	r      *preferencesReader
	object object
	prefix string // "channels.push.", or "" for the body itself
}

// section is the object o, which may have keys and no others.
func (r *preferencesReader) section(o object, prefix string, keys ...string) section {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(keys, key) {
			r.refuse(prefix+key, "is not allowed")
		}
	}
	return section{r, o, prefix}
}

// section is the object under a key; an absent one is empty.
func (s section) section(key string, keys ...string) section {
	raw := s.object[key]
	if raw == nil {
		return section{s.r, object{}, s.prefix + key + "."}
	}
	if typeOf(raw) != objectType {
		s.r.refuse(s.prefix+key, "must be of type object")
		return section{s.r, object{}, s.prefix + key + "."}
	}
	return s.r.section(split(raw), s.prefix+key+".", keys...)
}

// flag reads a boolean and has it written to what at points to.
func (s section) flag(key string, at func(*models.NotificationPreferences) *bool) {
	raw := s.object[key]
	switch typeOf(raw) {
	case absent:
	case boolean:
		yes := raw[0] == 't'
		s.r.sets = append(s.r.sets, func(p *models.NotificationPreferences) { *at(p) = yes })
	default:
		s.r.refuse(s.prefix+key, "must be a boolean")
	}
}

// text reads a text that valid takes, or one that is empty or null.
func (s section) text(key, refusal string, valid func(string) bool, at func(*models.NotificationPreferences) *string) {
	raw := s.object[key]
	if raw == nil {
		return
	}
	v := str(raw)
	switch {
	case typeOf(raw) != text && typeOf(raw) != null:
		s.r.refuse(s.prefix+key, "must be a string")
	case v != "" && !valid(v):
		s.r.refuse(s.prefix+key, refusal)
	}
	s.r.sets = append(s.r.sets, func(p *models.NotificationPreferences) { *at(p) = v })
}

// choice reads one of several texts.
func (s section) choice(key string, known []string, at func(*models.NotificationPreferences) *string) {
	if raw := s.object[key]; raw != nil && !slices.Contains(known, str(raw)) {
		s.r.refuse(s.prefix+key, listed(known))
		return
	}
	s.text(key, "", func(string) bool { return true }, at)
}

// channel reads what every channel has.
func (s section) channel(known []string, at func(*models.NotificationPreferences) *models.Channel) {
	s.flag("enabled", func(p *models.NotificationPreferences) *bool { return &at(p).Enabled })
	raw := s.object["types"]
	if raw == nil {
		return
	}
	if typeOf(raw) != array {
		s.r.refuse(s.prefix+"types", "must be an array")
		return
	}
	types, i := []string{}, 0
	for value := range elements(raw) {
		if name := str(value); !slices.Contains(known, name) {
			s.r.refuse(element(s.prefix+"types", i), listed(known))
		} else if !slices.Contains(types, name) {
			types = append(types, name)
		}
		i++
	}
	s.r.sets = append(s.r.sets, func(p *models.NotificationPreferences) { at(p).Types = types })
}

func anything(string) bool { return true } // the rules are models'

func (r *preferencesReader) channels(s section) {
	email := s.section("email", "enabled", "types")
	email.channel(models.NotificationTypes, func(p *models.NotificationPreferences) *models.Channel { return &p.Email })
	push := s.section("push", "enabled", "types", "subscription")
	push.channel(models.NotificationTypes, func(p *models.NotificationPreferences) *models.Channel { return &p.Push })
	if raw := push.object["subscription"]; r.err == nil && raw != nil && typeOf(raw) != null {
		r.err = ErrNoWebPush
	}
	sms := s.section("sms", "enabled", "types", "phoneNumber")
	sms.channel(models.SMSNotificationTypes, func(p *models.NotificationPreferences) *models.Channel { return &p.SMS })
	sms.text("phoneNumber", "", anything, func(p *models.NotificationPreferences) *string { return &p.SMS.PhoneNumber })
	hook := s.section("webhook", "enabled", "types", "url", "secret")
	hook.channel(models.NotificationTypes, func(p *models.NotificationPreferences) *models.Channel { return &p.Webhook })
	hook.text("url", "", anything, func(p *models.NotificationPreferences) *string { return &p.Webhook.URL })
	hook.text("secret", "", anything, func(p *models.NotificationPreferences) *string { return &p.Webhook.Secret })
}

// clock is a time of day as the original takes it; the hour may have one digit.
var clock = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):[0-5][0-9]$`)

func (r *preferencesReader) quietHours(s section) {
	const refusal = "must be a time of day such as 22:30"
	s.flag("enabled", func(p *models.NotificationPreferences) *bool { return &p.Quiet.Enabled })
	s.text("start", refusal, clock.MatchString, func(p *models.NotificationPreferences) *string { return &p.Quiet.Start })
	s.text("end", refusal, clock.MatchString, func(p *models.NotificationPreferences) *string { return &p.Quiet.End })
	s.text("timezone", "", anything, func(p *models.NotificationPreferences) *string { return &p.Quiet.Zone })
	r.sets = append(r.sets, func(p *models.NotificationPreferences) {
		p.Quiet.Start, p.Quiet.End = twoDigits(p.Quiet.Start), twoDigits(p.Quiet.End)
	})
}

// twoDigits makes 7:30 comparable as a text.
func twoDigits(hhmm string) string {
	if len(hhmm) == len("7:30") {
		return "0" + hhmm
	}
	return hhmm
}

func (r *preferencesReader) frequency(s section) {
	s.choice("budget_alerts", models.AlertFrequencies, func(p *models.NotificationPreferences) *string { return &p.Frequency.BudgetAlerts })
	s.choice("goal_updates", models.AlertFrequencies, func(p *models.NotificationPreferences) *string { return &p.Frequency.GoalUpdates })
	s.choice("expense_summaries", models.SummaryFrequencies, func(p *models.NotificationPreferences) *string { return &p.Frequency.ExpenseSummaries })
}

// ParseTestNotification reads {title?, message?} of POST /api/notifications/test;
// what is absent or empty is as in the original. Errors are models.Invalid.
func ParseTestNotification(body json.RawMessage) (title, message string, err error) {
	o, err := readObject(body)
	if err != nil {
		return "", "", err
	}
	title, message = models.Trim(str(o["title"])), models.Trim(str(o["message"]))
	if title == "" {
		title = "Test Notification"
	}
	if message == "" {
		message = "This is a test notification from ExpenseFlow."
	}
	vs := append(models.CheckText("title", title, models.MaxNotificationTitle), models.CheckText("message", message, models.MaxNotificationMessage)...)
	return title, message, joiError(vs)
}
