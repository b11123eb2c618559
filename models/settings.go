package models

// Settings are what an account chooses for itself; "" is not chosen.
type Settings struct {
	Zone     string // an IANA name
	Currency string // one of Currencies
}

// Settings are those of the user's account.
func (u *User) Settings() Settings { return Settings{Zone: u.ChosenZone, Currency: u.ChosenCurrency} }

// A SettingsPatch names the settings that somebody wants changed; nil leaves one
// alone.
type SettingsPatch struct {
	Zone     *string
	Currency *string // in upper case
}

// Check gives every rule that the named settings break.
func (p SettingsPatch) Check() (vs []Violation) {
	if p.Zone != nil {
		vs = append(vs, CheckZone("timeZone", *p.Zone)...)
	}
	if p.Currency == nil {
		return vs
	}
	if _, known := FindCurrency(*p.Currency); !known {
		vs = append(vs, Violation{Field: "currency", Rule: RuleKnown, Value: *p.Currency})
	}
	return vs
}
