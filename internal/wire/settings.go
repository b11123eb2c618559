package wire

import (
	"encoding/json"

	"expenseflow/models"
)

// Settings are the settings of an account: the response of /api/user/settings and the
// payload of account:settings.
type Settings struct {
	Currency string  `json:"currency"`       // the one in force
	Chosen   bool    `json:"currencyChosen"` // false: nobody has chosen one, and Currency is models.DefaultCurrency
	TimeZone *string `json:"timeZone"`       // null: none is set, and the server's default applies
	Name     string  `json:"name,omitempty"`
}

// NewSettings returns the document of s.
func NewSettings(s models.Settings) Settings {
	u := models.User{ChosenCurrency: s.Currency}
	doc := Settings{Currency: u.Currency(), Chosen: s.Currency != "", Name: s.Name}
	if s.Zone != "" {
		doc.TimeZone = &s.Zone
	}
	return doc
}

type settingsEvent struct {
	Settings
	DeviceID string `json:"deviceId,omitempty"`
}

// ParseSettings parses {currency?, timeZone?, name?, deviceId?}, the body of PATCH
// /api/user/settings. The error is models.Invalid with the message of the first
// violation.
func ParseSettings(body json.RawMessage) (models.SettingsPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.SettingsPatch{}, Meta{}, err
	}
	var p models.SettingsPatch
	m, vs := readMeta(o)
	for field, to := range map[string]**string{"currency": &p.Currency, "timeZone": &p.Zone, "name": &p.Name} {
		switch typeOf(o[field]) {
		case absent:
		case text:
			s := models.Trim(stringOf(o[field]))
			*to = &s
		default:
			vs = append(vs, models.Violation{Field: field, Rule: models.RuleType})
		}
	}
	if p.Currency != nil {
		code := models.CurrencyCode(*p.Currency)
		p.Currency = &code
	}
	if err := joiError(sortViolations(append(vs, p.Check()...))); err != nil {
		return models.SettingsPatch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, isSettingsKey)
}

func isSettingsKey(key string) bool {
	return key == "currency" || key == "timeZone" || key == "name" || key == "deviceId"
}
