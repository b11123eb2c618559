package models

// Settings are the settings of an account; "" is not chosen.
type Settings struct {
	Zone     string `log:"zone,omitempty"`     // an IANA name
	Currency string `log:"currency,omitempty"` // one of Currencies
	Name     string `log:"name,omitempty"`     // the user's; "" in changes that are older than its place here
}

// Settings returns the settings of the user's account.
func (u *User) Settings() Settings {
	return Settings{Zone: u.ChosenZone, Currency: u.ChosenCurrency, Name: u.Name}
}

// A SettingsPatch holds the settings to change; nil keeps one.
type SettingsPatch struct {
	Zone     *string
	Currency *string // in upper case
	Name     *string // trimmed
}

// Check returns every rule that the settings of p break; nil if valid.
func (p SettingsPatch) Check() (vs []Violation) {
	vs = checkText("name", p.Name, MaxName, true)
	if p.Zone != nil {
		vs = append(vs, CheckZone("timeZone", *p.Zone)...)
	}
	if p.Currency == nil {
		return vs
	}
	if _, known := FindCurrency(*p.Currency); !known {
		vs = append(vs, Violation{Field: "currency", Rule: RuleSupported, Value: *p.Currency})
	}
	return vs
}
