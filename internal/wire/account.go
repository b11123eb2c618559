package wire

import (
	"encoding/json"
	"slices"

	"expenseflow/models"
)

// A User is the public document of an account (docs/contract.md#documents). Nothing else
// of an account is ever written into a response.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// NewUser returns the document of u.
func NewUser(u models.User) User { return User{ID: u.ID, Name: u.Name, Email: u.Email} }

// An AuthResponse is the response to a registration or a sign-in.
type AuthResponse struct {
	Token string `json:"token"`
	User  User   `json:"user"`
}

// A TokenResponse is the response to POST /api/auth/refresh.
type TokenResponse struct {
	Token     string `json:"token"`
	ExpiresAt Time   `json:"expiresAt"`
}

// ParseTokenRefresh parses {token}, the argument of auth:refresh. The error is
// models.Invalid.
func ParseTokenRefresh(arg json.RawMessage) (token string, err error) {
	o, err := readObject(arg)
	if err != nil {
		return "", err
	}
	return stringOf(o["token"]), joiError(requireText(o, "token"))
}

// A Profile is the response to GET /api/user/profile.
type Profile struct {
	Name      string `json:"name"`
	Email     string `json:"email"`
	CreatedAt Time   `json:"createdAt"`
}

// NewProfile returns the profile of u.
func NewProfile(u models.User) Profile {
	return Profile{Name: u.Name, Email: u.Email, CreatedAt: Time(u.CreatedAt)}
}

// A PasswordChange is the body of a password change.
type PasswordChange struct {
	Current string
	New     string
}

// ParseRegistration parses, validates and normalizes the body of a registration.
// minPassword is in UTF-16 units. The error is models.Invalid with Joi's message for the
// first violation.
func ParseRegistration(body json.RawMessage, minPassword int) (models.Registration, error) {
	f, err := readForm(body, "name", "email", "password")
	if err != nil {
		return models.Registration{}, err
	}
	r := models.Registration{Name: f.values["name"], Email: f.values["email"], Password: f.values["password"]}.Normalize()
	return r, f.finish(r.Check(minPassword))
}

// ParseLogin parses the body of a sign-in. Errors are as for ParseRegistration. The keys
// rememberMe and totpToken, which some pages send, are accepted and ignored: a token
// lasts JWT_EXPIRE, and there is no second factor.
func ParseLogin(body json.RawMessage) (email, password string, err error) {
	f, err := readForm(body, "email", "password")
	if err != nil {
		return "", "", err
	}
	f.ignored = []string{"rememberMe", "totpToken"}
	email, password = models.NormalizeEmail(f.values["email"]), f.values["password"]
	vs := append(models.CheckEmail(email), requireNonEmpty("password", password)...)
	return email, password, f.finish(vs)
}

// ParsePasswordChange parses {currentPassword, newPassword}. Errors are as for
// ParseRegistration.
func ParsePasswordChange(body json.RawMessage, minPassword int) (PasswordChange, error) {
	f, err := readForm(body, "currentPassword", "newPassword")
	if err != nil {
		return PasswordChange{}, err
	}
	c := PasswordChange{Current: f.values["currentPassword"], New: f.values["newPassword"]}
	vs := append(requireNonEmpty("currentPassword", c.Current), models.CheckPassword("newPassword", c.New, minPassword)...)
	return c, f.finish(vs)
}

// ParseDeletion parses {password}, the body of DELETE /api/user. Errors are as for
// ParseRegistration.
func ParseDeletion(body json.RawMessage) (password string, err error) {
	f, err := readForm(body, "password")
	if err != nil {
		return "", err
	}
	return f.values["password"], f.finish(requireNonEmpty("password", f.values["password"]))
}

// A LoginSession is an entry of GET /api/sessions: a token of the user that was used and
// has not expired.
type LoginSession struct {
	ID        string   `json:"id"`
	Current   bool     `json:"current"` // whether the request was made with it
	Client    string   `json:"client"`  // browser and system, "" if not recognised
	Devices   []string `json:"devices"` // IDs of devices that opened a socket with it
	FirstSeen Time     `json:"firstSeen"`
	LastSeen  Time     `json:"lastSeen"`
	ExpiresAt Time     `json:"expiresAt"`
}

// NewLoginSession returns the document of s. key is that of the request's token.
func NewLoginSession(s models.LoginSession, key string) LoginSession {
	devices := s.Devices
	if devices == nil {
		devices = []string{}
	}
	return LoginSession{s.Key, s.Key == key, s.Client, devices, Time(s.FirstSeen), Time(s.LastSeen), Time(s.ExpiresAt)}
}

func requireNonEmpty(field, s string) []models.Violation {
	if s != "" {
		return nil
	}
	return []models.Violation{{Field: field, Rule: models.RuleEmpty}}
}

// A form is an object of required strings. Other keys than fields and ignored are errors.
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
			f.values[field] = stringOf(raw)
		default:
			f.violations = append(f.violations, models.Violation{Field: field, Rule: models.RuleType})
		}
	}
	return f, nil
}

// finish returns the error of the first violation in the order of fields: a field of the
// wrong type or a broken rule, else an unknown key.
func (f *form) finish(broken []models.Violation) error {
	broken = slices.DeleteFunc(broken, func(v models.Violation) bool {
		_, read := f.values[v.Field]
		return !read
	})
	if err := joiError(sortViolations(append(f.violations, broken...))); err != nil {
		return err
	}
	return refuseUnknown(f.body, f.object, func(key string) bool {
		return slices.Contains(f.fields, key) || slices.Contains(f.ignored, key)
	})
}
