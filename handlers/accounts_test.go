package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

// fakeAccounts records its calls and returns alice or err.
type fakeAccounts struct {
	asked []string
	err   error
}

func (f *fakeAccounts) say(what ...string) (models.User, error) {
	f.asked = append(f.asked, strings.Join(what, " "))
	return alice, f.err
}

func (f *fakeAccounts) Register(_ context.Context, name, email, password string) (models.User, error) {
	return f.say("register", name, email, password)
}

func (f *fakeAccounts) Login(_ context.Context, email, password string) (models.User, error) {
	return f.say("login", email, password)
}

func (f *fakeAccounts) ChangePassword(_ context.Context, userID, current, replacement string) (models.User, error) {
	return f.say("change", userID, current, replacement)
}

func (f *fakeAccounts) ConfirmPassword(_ context.Context, userID, password string) error {
	_, err := f.say("confirm", userID, password)
	return err
}

func (f *fakeAccounts) RevokeToken(_ context.Context, key, userID string, until time.Time) error {
	_, err := f.say("revoke", key, userID, until.Format(time.TimeOnly))
	return err
}

func (f *fakeAccounts) SignOutOthers(_ context.Context, old string, renewed models.DeviceToken) error {
	_, err := f.say("keep", old, renewed.UserID, renewed.Key, renewed.Client)
	return err
}

func (f *fakeAccounts) SignOutEverywhere(_ context.Context, userID string) error {
	_, err := f.say("end", userID)
	return err
}

func (f *fakeAccounts) Issue(u models.User, _ time.Time) (string, error) {
	return "token-of-" + u.Name, nil
}

func (f *fakeAccounts) Renew(u models.User, old auth.Claims, now time.Time) (string, auth.Claims, error) {
	return "renewed-of-" + u.Name, auth.Claims{Key: "key-2", ExpiresAt: time.Date(2026, 1, 26, 12, 0, 0, 0, time.UTC)}, nil
}

func (f *fakeAccounts) RenewToken(_ context.Context, old string, renewed models.DeviceToken) error {
	_, err := f.say("renew", old, renewed.UserID, renewed.Key, renewed.ExpiresAt.Format(time.DateOnly))
	return err
}

const aliceSession = `{"token":"token-of-Alice","user":{"id":"64b000000000000000000001","name":"Alice","email":"alice@example.org"}}`

var accountCalls = []struct {
	name, method, path, body string
	code                     int
	answer                   string
	asked                    []string
}{
	{
		"register", "POST", "/api/auth/register", `{"name":" Alice ","email":"Alice@Example.org","password":"secret"}`, 201, aliceSession,
		[]string{"register Alice alice@example.org secret"},
	},
	{
		"register with a short password", "POST", "/api/auth/register", `{"name":"A","email":"a@b.example","password":"12345"}`, 400,
		`{"error":"\"password\" length must be at least 6 characters long","message":"\"password\" length must be at least 6 characters long"}`, nil,
	},
	{
		"register with nothing", "POST", "/api/auth/register", "", 400,
		`{"error":"\"name\" is required","message":"\"name\" is required"}`, nil,
	},
	{
		"register with half a body", "POST", "/api/auth/register", `{"name":`, 400,
		`{"error":"Malformed JSON","message":"Malformed JSON"}`, nil,
	},
	{
		"login", "POST", "/api/auth/login", `{"email":"alice@example.org","password":"secret"}`, 200, aliceSession,
		[]string{"login alice@example.org secret"},
	},
	{
		"login without password", "POST", "/api/auth/login", `{"email":"alice@example.org"}`,
		400, `{"error":"\"password\" is required","message":"\"password\" is required"}`, nil,
	},
	{
		"logout", "POST", "/api/auth/logout", "", 200, `{"success":true,"message":"Logged out successfully"}`,
		[]string{"revoke key-1 64b000000000000000000001 13:30:00", "sign out key-1"},
	},
	{
		"refresh", "POST", "/api/auth/refresh", "", 200, `{"token":"renewed-of-Alice","expiresAt":"2026-01-26T12:00:00.000Z"}`,
		[]string{"flush", "renew key-1 64b000000000000000000001 key-2 2026-01-26"},
	},
	{
		"logout elsewhere", "POST", "/api/auth/logout-others", "", 200, `{"token":"renewed-of-Alice","expiresAt":"2026-01-26T12:00:00.000Z"}`,
		[]string{"flush", "keep key-1 64b000000000000000000001 key-2 ", "sign out "},
	},
	{
		"logout everywhere", "POST", "/api/auth/logout-everywhere", "", 200, `{"success":true,"message":"Logged out on every device"}`,
		[]string{"end 64b000000000000000000001", "sign out "},
	},
	{
		"profile", "GET", "/api/user/profile", "", 200,
		`{"name":"Alice","email":"alice@example.org","createdAt":"2026-01-19T12:00:00.000Z"}`, nil,
	},
	{
		"password", "POST", "/api/auth/security/change-password", `{"currentPassword":"secret","newPassword":"better"}`, 200,
		`{"success":true,"message":"Password changed successfully. Other sessions have been logged out.","token":"token-of-Alice"}`,
		[]string{"change 64b000000000000000000001 secret better", "sign out "},
	},
}

func TestAccounts(t *testing.T) {
	for _, tt := range accountCalls {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeAccounts{}
			e, api := newEcho()
			(&Accounts{
				Ledger: f, Tokens: f, Store: f, SignOut: func(_, key string) { _, _ = f.say("sign out", key) }, MinPassword: 6,
				Grace: 30 * time.Minute, FlushDevices: func() { _, _ = f.say("flush") },
			}).Register(api, nil, guard, nil, nil, nil)
			want(t, call(e, tt.method, tt.path, tt.body), tt.code, tt.answer)
			if diff := cmp.Diff(tt.asked, f.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFailedSignInIs400(t *testing.T) {
	f := &fakeAccounts{err: models.E(models.Invalid, "Invalid credentials")}
	e, api := newEcho()
	(&Accounts{Ledger: f, Tokens: f, MinPassword: 6}).Register(api, nil, guard, nil, nil, nil)
	w := call(e, "POST", "/api/auth/login", `{"email":"alice@example.org","password":"wrong"}`)
	want(t, w, 400, `{"error":"Invalid credentials","message":"Invalid credentials"}`)
}

func TestNobodyRegistersWhereRegistrationIsClosed(t *testing.T) {
	f := &fakeAccounts{}
	e, api := newEcho()
	(&Accounts{Ledger: f, Tokens: f, MinPassword: 6, Closed: true}).Register(api, nil, guard, nil, nil, nil)
	const text = "New accounts cannot be made here: ask whoever runs this server for one"
	want(t, call(e, "POST", "/api/auth/register", `{"name":"Alice","email":"alice@example.org","password":"secret"}`), 403,
		`{"error":"`+text+`","message":"`+text+`","code":"REGISTRATION_CLOSED"}`)
	want(t, call(e, "GET", "/api/auth/options", ""), 200, `{"registration":false,"minPassword":6}`)
	if len(f.asked) > 0 {
		t.Errorf("asked %v", f.asked)
	}
}

func TestAFailedLogoutIsNone(t *testing.T) {
	f := &fakeAccounts{err: models.E(models.Unavailable, "Service temporarily unavailable")}
	e, api := newEcho()
	a := &Accounts{Store: f, SignOut: func(string, string) { t.Error("sockets were closed") }}
	a.Register(api, nil, guard, nil, nil, nil)
	if w := call(e, "POST", "/api/auth/logout", ""); w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}
