package wire

import (
	"encoding/json"

	"expenseflow/models"
)

// Settings are what an account chose for itself: the answer of /api/user/settings
// and the payload of account:settings.
type Settings struct {
	Currency string  `json:"currency"` // the one in force
	TimeZone *string `json:"timeZone"` // null: no client has named one, and the server's counts
}

// NewSettings gives s's document.
func NewSettings(s models.Settings) Settings {
	u := models.User{ChosenCurrency: s.Currency}
	doc := Settings{Currency: u.Currency()}
	if s.Zone != "" {
		doc.TimeZone = &s.Zone
	}
	return doc
}

type settingsTold struct {
	Settings
	DeviceID string `json:"deviceId,omitempty"`
}

// ParseSettings reads {currency?, timeZone?, deviceId?}, the body of PATCH
// /api/user/settings. Errors are models.Invalid, about the first fault.
func ParseSettings(body json.RawMessage) (models.SettingsPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.SettingsPatch{}, Meta{}, err
	}
	var p models.SettingsPatch
	m, vs := readMeta(o)
	for field, to := range map[string]**string{"currency": &p.Currency, "timeZone": &p.Zone} {
		switch typeOf(o[field]) {
		case absent:
		case text:
			s := models.Trim(str(o[field]))
			*to = &s
		default:
			vs = append(vs, models.Violation{Field: field, Rule: models.RuleType})
		}
	}
	if p.Currency != nil {
		code := models.CurrencyCode(*p.Currency)
		p.Currency = &code
	}
	if err := joiError(ordered(append(vs, p.Check()...))); err != nil {
		return models.SettingsPatch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, settingsKey)
}

func settingsKey(key string) bool { return key == "currency" || key == "timeZone" || key == "deviceId" }
