package wire

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// Preferences is the response to GET and PUT /api/notifications/preferences.
type Preferences struct {
	ID         string     `json:"_id"`
	User       string     `json:"user"`
	Channels   Channels   `json:"channels"`
	QuietHours QuietHours `json:"quietHours"`
	Frequency  Frequency  `json:"frequency"`
	CreatedAt  Time       `json:"createdAt"`
	UpdatedAt  Time       `json:"updatedAt"`
	V          int        `json:"__v"`
}

// Channels are the channels by which notifications can be delivered.
type Channels struct {
	Email   Channel        `json:"email"`
	Push    PushChannel    `json:"push"`
	SMS     SMSChannel     `json:"sms"`
	Webhook WebhookChannel `json:"webhook"`
}

// A Channel is one channel and the types of notification for it.
type Channel struct {
	Enabled bool     `json:"enabled"`
	Types   []string `json:"types"` // never null, because pages iterate over it
}

// A PushChannel is a Channel with the browser's Web Push subscription, which is always
// null because Web Push is not implemented.
type PushChannel struct {
	Channel
	Subscription *struct{} `json:"subscription"`
}

// A SMSChannel is a Channel with its number.
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

// QuietHours are the hours in which no notification is sent live; "" is not set.
type QuietHours struct {
	Enabled  bool   `json:"enabled"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Timezone string `json:"timezone"`
}

// Frequency is how often to send notifications.
type Frequency struct {
	BudgetAlerts     string `json:"budget_alerts"`
	GoalUpdates      string `json:"goal_updates"`
	ExpenseSummaries string `json:"expense_summaries"`
}

// NewPreferences returns the document of u's preferences. Its _id is the user's, because
// there is one per user.
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
		QuietHours: QuietHours{p.Quiet.Enabled, p.Quiet.Start, p.Quiet.End, p.Quiet.Zone},
		Frequency:  Frequency(p.Frequency),
		CreatedAt:  Time(created), UpdatedAt: Time(updated),
	}
}

// A PreferencesChange applies the settings of a request to preferences.
type PreferencesChange func(*models.NotificationPreferences)

// ParsePreferences parses the body of PUT /api/notifications/preferences. Absent
// settings keep their value; an empty string unsets one. Errors: models.Invalid with
// Joi's message for the first violation, and models.NotImplemented for a Web Push
// subscription.
func ParsePreferences(body json.RawMessage) (PreferencesChange, error) {
	o, err := readObject(body)
	if err != nil {
		return nil, err
	}
	r := &preferencesReader{}
	root := r.section(o, "", append([]string{"channels", "quietHours", "frequency", "_id", "id"}, ignoredKeys...)...)
	r.channels(root.section("channels", "email", "push", "sms", "webhook"))
	r.quietHours(root.section("quietHours", "enabled", "start", "end", "timezone"))
	r.frequency(root.section("frequency", "budget_alerts", "goal_updates", "expense_summaries"))
	return func(p *models.NotificationPreferences) {
		for _, set := range r.sets {
			set(p)
		}
	}, r.err
}

// A preferencesReader reads preferences from nested objects. It collects the first error
// and the changes to make if there is none.
type preferencesReader struct {
	err  error
	sets []PreferencesChange
}

func (r *preferencesReader) refuse(label, what string) {
	if r.err == nil {
		r.err = invalid(quote(label) + " " + what)
	}
}

// A section is an object within a body, with the prefix of its keys in error messages.
type section struct {
	r      *preferencesReader
	object object
	prefix string // "channels.push.", or "" for the body itself
}

// section returns the section for o, which may have no other keys than these.
func (r *preferencesReader) section(o object, prefix string, keys ...string) section {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(keys, key) {
			r.refuse(prefix+key, "is not allowed")
		}
	}
	return section{r, o, prefix}
}

// section returns the object under a key; an absent one counts as {}.
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

// flag reads a boolean and adds a change that writes it to *at(p).
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

// text reads a string that is valid, empty or null, and adds a change that writes it.
func (s section) text(key, refusal string, valid func(string) bool, at func(*models.NotificationPreferences) *string) {
	raw := s.object[key]
	if raw == nil {
		return
	}
	v := stringOf(raw)
	switch {
	case typeOf(raw) != text && typeOf(raw) != null:
		s.r.refuse(s.prefix+key, "must be a string")
	case v != "" && !valid(v):
		s.r.refuse(s.prefix+key, refusal)
	}
	s.r.sets = append(s.r.sets, func(p *models.NotificationPreferences) { *at(p) = v })
}

// choice reads one of the known strings.
func (s section) choice(key string, known []string, at func(*models.NotificationPreferences) *string) {
	if raw := s.object[key]; raw != nil && !slices.Contains(known, stringOf(raw)) {
		s.r.refuse(s.prefix+key, mustBeOneOf(known))
		return
	}
	s.text(key, "", func(string) bool { return true }, at)
}

// channel reads the settings that every channel has.
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
	for value := range rawjson.Elements(raw) {
		if name := stringOf(value); !slices.Contains(known, name) {
			s.r.refuse(elementLabel(s.prefix+"types", i), mustBeOneOf(known))
		} else if !slices.Contains(types, name) {
			types = append(types, name)
		}
		i++
	}
	s.r.sets = append(s.r.sets, func(p *models.NotificationPreferences) { at(p).Types = types })
}

func anyText(string) bool { return true } // models validates the value

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
	sms.text("phoneNumber", "", anyText, func(p *models.NotificationPreferences) *string { return &p.SMS.PhoneNumber })
	hook := s.section("webhook", "enabled", "types", "url", "secret")
	hook.channel(models.NotificationTypes, func(p *models.NotificationPreferences) *models.Channel { return &p.Webhook })
	hook.text("url", "", anyText, func(p *models.NotificationPreferences) *string { return &p.Webhook.URL })
	hook.text("secret", "", anyText, func(p *models.NotificationPreferences) *string { return &p.Webhook.Secret })
}

// timeOfDay matches a time of day, whose hour may have one digit.
var timeOfDay = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):[0-5][0-9]$`)

func (r *preferencesReader) quietHours(s section) {
	const refusal = "must be a time of day such as 22:30"
	s.flag("enabled", func(p *models.NotificationPreferences) *bool { return &p.Quiet.Enabled })
	s.text("start", refusal, timeOfDay.MatchString, func(p *models.NotificationPreferences) *string { return &p.Quiet.Start })
	s.text("end", refusal, timeOfDay.MatchString, func(p *models.NotificationPreferences) *string { return &p.Quiet.End })
	s.text("timezone", "", anyText, func(p *models.NotificationPreferences) *string { return &p.Quiet.Zone })
	r.sets = append(r.sets, func(p *models.NotificationPreferences) {
		p.Quiet.Start, p.Quiet.End = padHour(p.Quiet.Start), padHour(p.Quiet.End)
	})
}

// padHour adds a leading zero to 7:30, so that times of day compare as strings.
func padHour(hhmm string) string {
	if len(hhmm) == len("7:30") {
		return "0" + hhmm
	}
	return hhmm
}

func (r *preferencesReader) frequency(s section) {
	type preferences = models.NotificationPreferences
	s.choice("budget_alerts", models.AlertFrequencies, func(p *preferences) *string { return &p.Frequency.BudgetAlerts })
	s.choice("goal_updates", models.AlertFrequencies, func(p *preferences) *string { return &p.Frequency.GoalUpdates })
	s.choice("expense_summaries", models.SummaryFrequencies, func(p *preferences) *string { return &p.Frequency.ExpenseSummaries })
}
