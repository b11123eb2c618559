package wire

import (
	"encoding/json"
	"slices"

	"expenseflow/models"
)

// A User is all that is ever written of an account (docs/contract.md#documents).
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// NewUser gives u's document.
func NewUser(u models.User) User { return User{ID: u.ID, Name: u.Name, Email: u.Email} }

// A Session is the answer to registering and signing in.
type Session struct {
	Token string `json:"token"`
	User  User   `json:"user"`
}

// A Profile is the answer to GET /api/user/profile.
type Profile struct {
	Name      string `json:"name"`
	Email     string `json:"email"`
	CreatedAt Time   `json:"createdAt"`
}

// NewProfile gives u's document.
func NewProfile(u models.User) Profile {
	return Profile{Name: u.Name, Email: u.Email, CreatedAt: Time(u.CreatedAt)}
}

// A PasswordChange is the body of a password change.
type PasswordChange struct {
	Current string
	New     string
}

// ParseRegistration reads the body of a registration, checked and normalized.
// minPassword is in UTF-16 units. Errors are models.Invalid in Joi's words,
// about the first fault.
func ParseRegistration(body json.RawMessage, minPassword int) (models.Registration, error) {
	f, err := readForm(body, "name", "email", "password")
	if err != nil {
		return models.Registration{}, err
	}
	r := models.Registration{Name: f.values["name"], Email: f.values["email"], Password: f.values["password"]}.Normalize()
	return r, f.finish(r.Check(minPassword))
}

// ParseLogin reads the body of a sign-in. Errors are ParseRegistration's. What
// later pages send along (rememberMe, totpToken) is allowed and changes nothing:
// a token lasts JWT_EXPIRE, and there is no second factor.
func ParseLogin(body json.RawMessage) (email, password string, err error) {
	f, err := readForm(body, "email", "password")
	if err != nil {
		return "", "", err
	}
	f.ignored = []string{"rememberMe", "totpToken"}
	email, password = models.NormalizeEmail(f.values["email"]), f.values["password"]
	vs := append(models.CheckEmail(email), notEmpty("password", password)...)
	return email, password, f.finish(vs)
}

// ParsePasswordChange reads {currentPassword, newPassword}. Errors are
// ParseRegistration's.
func ParsePasswordChange(body json.RawMessage, minPassword int) (PasswordChange, error) {
	f, err := readForm(body, "currentPassword", "newPassword")
	if err != nil {
		return PasswordChange{}, err
	}
	c := PasswordChange{Current: f.values["currentPassword"], New: f.values["newPassword"]}
	vs := append(notEmpty("currentPassword", c.Current), models.CheckPassword("newPassword", c.New, minPassword)...)
	return c, f.finish(vs)
}

// ParseDeletion reads {password}. Errors are ParseRegistration's.
func ParseDeletion(body json.RawMessage) (password string, err error) {
	f, err := readForm(body, "password")
	if err != nil {
		return "", err
	}
	return f.values["password"], f.finish(notEmpty("password", f.values["password"]))
}

// A KnownSession is a token of the user's that may still be good.
type KnownSession struct {
	ID        string   `json:"id"`
	Current   bool     `json:"current"` // whether it is the one that asks
	Devices   []string `json:"devices"` // that opened a socket with it
	FirstSeen Time     `json:"firstSeen"`
	LastSeen  Time     `json:"lastSeen"`
	ExpiresAt Time     `json:"expiresAt"`
}

// NewKnownSession gives the document, to the bearer of the token of this key.
func NewKnownSession(s models.Session, key string) KnownSession {
	devices := s.Devices
	if devices == nil {
		devices = []string{}
	}
	return KnownSession{s.Key, s.Key == key, devices, Time(s.FirstSeen), Time(s.LastSeen), Time(s.ExpiresAt)}
}

func notEmpty(field, s string) []models.Violation {
	if s != "" {
		return nil
	}
	return []models.Violation{{Field: field, Rule: models.RuleEmpty}}
}

// A form is an object of texts, all required, and no other keys but ignored ones.
type form struct {
	body       json.RawMessage
	object     object
	fields     []string
	ignored    []string
	values     map[string]string
	violations []models.Violation
}

func readForm(body json.RawMessage, fields ...string) (*form, error) {
	o, err := readObject(body)
	if err != nil {
		return nil, err
	}
	f := &form{body: body, object: o, fields: fields, values: make(map[string]string)}
	for _, field := range fields {
		switch raw := o[field]; typeOf(raw) {
		case absent:
			f.violations = append(f.violations, models.Violation{Field: field, Rule: models.RuleRequired})
		case text:
			f.values[field] = str(raw)
		default:
			f.violations = append(f.violations, models.Violation{Field: field, Rule: models.RuleType})
		}
	}
	return f, nil
}

// finish gives the error about the first fault: a field of the wrong type, a
// rule that a good one breaks, or an unknown key.
func (f *form) finish(broken []models.Violation) error {
	broken = slices.DeleteFunc(broken, func(v models.Violation) bool {
		_, read := f.values[v.Field]
		return !read
	})
	if err := joiError(ordered(append(f.violations, broken...))); err != nil {
		return err
	}
	return refuseUnknown(f.body, f.object, func(key string) bool {
		return slices.Contains(f.fields, key) || slices.Contains(f.ignored, key)
	})
}
