package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestAccountTexts(t *testing.T) {
	reg := func(body string) error {
		_, err := wire.ParseRegistration(json.RawMessage(body), models.MinPassword)
		return err
	}
	login := func(body string) error { _, _, err := wire.ParseLogin(json.RawMessage(body)); return err }
	change := func(body string) error {
		_, err := wire.ParsePasswordChange(json.RawMessage(body), models.MinPassword)
		return err
	}
	tests := []struct {
		parse      func(string) error
		body, want string
	}{
		{reg, `{}`, `"name" is required`},
		{reg, `{"name":" ","email":"a@b.co","password":"secret"}`, `"name" is not allowed to be empty`},
		{reg, `{"name":7,"email":"a@b.co","password":"secret"}`, `"name" must be a string`},
		{
			reg, `{"name":"` + strings.Repeat("n", 51) + `","email":"a@b.co","password":"secret"}`,
			`"name" length must be less than or equal to 50 characters long`,
		},
		{reg, `{"name":"Al","password":"secret"}`, `"email" is required`},
		{reg, `{"name":"Al","email":"a@b","password":"secret"}`, `"email" must be a valid email`},
		{reg, `{"name":"Al","email":"a@b.co"}`, `"password" is required`},
		{reg, `{"name":"Al","email":"a@b.co","password":""}`, `"password" is not allowed to be empty`},
		{reg, `{"name":"Al","email":"a@b.co","password":12345678}`, `"password" must be a string`},
		{reg, `{"name":"Al","email":"a@b.co","password":"12345"}`, `"password" length must be at least 6 characters long`},
		{reg, `{"name":"Al","email":"a@b.co","password":"secret","confirm":"secret"}`, `"confirm" is not allowed`},
		{reg, `{"name":"Al","email":" A@B.test ","password":"secret"}`, ""},
		{login, `{}`, `"email" is required`},
		{login, `{"email":"a@b.co"}`, `"password" is required`},
		{login, `{"email":"a@b.co","password":"x","remember":true}`, `"remember" is not allowed`},
		{login, `{"email":"A@b.local","password":"x"}`, ""},
		{change, `{"newPassword":"secret"}`, `"currentPassword" is required`},
		{change, `{"currentPassword":"x","newPassword":"12345"}`, `"newPassword" length must be at least 6 characters long`},
		{change, `{"currentPassword":"x","newPassword":"secret"}`, ""},
	}
	for _, tt := range tests {
		if got := text(tt.parse(tt.body)); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.body, got, tt.want)
		}
	}
}

func TestD7LowersAddressesAndAsksOnlyForTheirSyntax(t *testing.T) {
	email, password, err := wire.ParseLogin(json.RawMessage(`{"email":" Al@Example.Local ","password":" p "}`))
	if email != "al@example.local" || password != " p " || err != nil {
		t.Errorf("got %q, %q, %v", email, password, err)
	}
}

// Later versions of the original's pages send rememberMe when they sign in.
func TestASignInThatAsksToBeRememberedIsNotRefused(t *testing.T) {
	for _, extra := range []string{`"rememberMe":true`, `"rememberMe":false,"totpToken":"123456"`} {
		email, password, err := wire.ParseLogin(json.RawMessage(`{"email":"a@b.co","password":"x",` + extra + `}`))
		if email != "a@b.co" || password != "x" || err != nil {
			t.Errorf("%s: got %q, %q, %v", extra, email, password, err)
		}
	}
}
