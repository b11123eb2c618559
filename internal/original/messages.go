package original

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// notification maps a notification. On which other channels the original sent it is not kept.
func notification(d document, c *Collection) (ledger.Record, error) {
	m := d.meta(c)
	n := &models.Notification{ID: m.ID, CreatedAt: m.CreatedAt, Priority: models.PriorityMedium}
	for _, f := range d.fields {
		var err error
		switch f.name {
		case "title":
			n.Title, err = text(f.name, f.value)
		case "message":
			n.Message, err = text(f.name, f.value)
		case "type":
			n.Type, err = text(f.name, f.value)
		case "priority":
			n.Priority, err = text(f.name, f.value)
		case "data":
			n.Data, err = plainJSON(f.value)
		case "read":
			n.Read = isTrue(f.value)
		case "channels", "delivered", "deliveredAt", "readAt": // of the delivery
		default:
			c.unknownField(f)
		}
		if err != nil {
			return ledger.Record{}, err
		}
	}
	return ledger.Record{Notification: n}, nil
}

// preferences maps the settings of a user's notifications.
func preferences(d document, c *Collection) (ledger.Record, error) {
	m := d.meta(c)
	p := models.DefaultPreferences()
	p.CreatedAt, p.UpdatedAt = m.CreatedAt, m.UpdatedAt
	for _, f := range d.fields {
		nested, _ := f.value.DocumentOK()
		var err error
		switch f.name {
		case "channels":
			err = channels(nested, &p, c)
		case "quietHours":
			err = quietHours(nested, &p.Quiet)
		case "frequency":
			frequency(nested, &p.Frequency)
		default:
			c.unknownField(f)
		}
		if err != nil {
			return ledger.Record{}, err
		}
	}
	return ledger.Record{Preferences: &p}, nil
}

func channels(from bson.Raw, p *models.NotificationPreferences, c *Collection) error {
	for name, to := range map[string]*models.Channel{"email": &p.Email, "push": &p.Push, "sms": &p.SMS, "webhook": &p.Webhook} {
		known := models.NotificationTypes
		if name == "sms" {
			known = models.SMSNotificationTypes
		}
		stored, ok := from.Lookup(name).DocumentOK()
		if !ok {
			continue
		}
		if err := channel(stored, to, known); err != nil {
			return err
		}
		if subscription := stored.Lookup("subscription"); !isEmpty(subscription) {
			c.unknownField(field{"channels.push.subscription", subscription})
		}
	}
	return nil
}

func channel(from bson.Raw, to *models.Channel, known []string) (err error) {
	if on, ok := from.Lookup("enabled").BooleanOK(); ok {
		to.Enabled = on
	}
	for name, text := range map[string]*string{"phoneNumber": &to.PhoneNumber, "url": &to.URL, "secret": &to.Secret} {
		if s, ok := from.Lookup(name).StringValueOK(); ok && isUTF8(s) {
			*text = s
		}
	}
	if _, ok := from.Lookup("types").ArrayOK(); !ok {
		return nil
	}
	to.Types = []string{}
	return eachIn(from.Lookup("types"), func(v bson.RawValue) error {
		if s, _ := v.StringValueOK(); slices.Contains(known, s) {
			to.Types = append(to.Types, s)
		}
		return nil
	})
}

func quietHours(from bson.Raw, to *models.QuietHours) (err error) {
	to.Enabled = isTrue(from.Lookup("enabled"))
	if to.Start, err = hour("quietHours.start", from.Lookup("start")); err == nil {
		to.End, err = hour("quietHours.end", from.Lookup("end"))
	}
	if zone, _ := from.Lookup("timezone").StringValueOK(); zone != "" {
		to.Zone = zone
	}
	return err
}

// hour returns a time of the day as HH:MM.
func hour(name string, v bson.RawValue) (string, error) {
	s, err := text(name, v)
	if err != nil || s == "" {
		return "", err
	}
	if len(s) == len("7:00") {
		s = "0" + s
	}
	if !validHour.MatchString(s) {
		return "", problemf("%q is no time such as 22:00", name)
	}
	return s, nil
}

func frequency(from bson.Raw, to *models.Frequency) {
	for _, of := range []struct {
		name  string
		known []string
		to    *string
	}{
		{"budget_alerts", models.AlertFrequencies, &to.BudgetAlerts},
		{"goal_updates", models.AlertFrequencies, &to.GoalUpdates},
		{"expense_summaries", models.SummaryFrequencies, &to.ExpenseSummaries},
	} {
		if s, _ := from.Lookup(of.name).StringValueOK(); slices.Contains(of.known, s) {
			*of.to = s
		}
	}
}
