package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// client is used for every request of the tests themselves.
var client = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: 16, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	Timeout:   patience,
}

// An account is one registered user with one token.
type account struct {
	p        *program
	ID       string
	Name     string
	Email    string
	Password string
	Token    string
	cookie   string // of the browser that calls; "" for none
}

// device names one of the account's devices. No two accounts share one: the
// server parks what a device queued before it acted for somebody else (docs/contract.md#accounts-on-one-device).
func (a *account) device(name string) string {
	return "device_" + name + "_" + a.ID
}

// phone is the device that queues operations where it does not matter which.
func (a *account) phone() string { return a.device("phone") }

var accountsMade atomic.Int64

// register makes a new account, with an e-mail address nobody else has.
func register(t *testing.T, p *program) *account {
	t.Helper()
	n := accountsMade.Add(1)
	a := &account{
		p:        p,
		Name:     fmt.Sprintf("User %d", n),
		Email:    fmt.Sprintf("user%d.%d@example.test", n, time.Now().UnixNano()),
		Password: "correct horse " + fmt.Sprint(n),
	}
	a.signIn(t, "/api/auth/register", map[string]any{"name": a.Name, "email": a.Email, "password": a.Password}, http.StatusCreated)
	return a
}

// login returns the same account with another token, as another browser has it.
func (a *account) login(t *testing.T) *account {
	t.Helper()
	other := *a
	other.signIn(t, "/api/auth/login", map[string]any{"email": a.Email, "password": a.Password}, http.StatusOK)
	return &other
}

func (a *account) signIn(t *testing.T, path string, body map[string]any, want int) {
	t.Helper()
	var got struct {
		Token string
		User  struct{ ID string }
	}
	call(t, http.MethodPost, a.p.url()+path, "", body).want(t, want).into(t, &got)
	a.Token, a.ID = got.Token, got.User.ID
	if a.Token == "" || a.ID == "" {
		t.Fatalf("%s gave no token or no user id", path)
	}
}

// with returns the same account with another token.
func (a *account) with(token string) *account {
	other := *a
	other.Token = token
	return &other
}

// call sends one request of the account's; body may be nil, a JSON text
// ([]byte) or anything that encodes to JSON. path starts with "/".
func (a *account) call(t *testing.T, method, path string, body any) answer {
	t.Helper()
	r, err := tryIn(a.cookie, method, a.p.url()+path, a.Token, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// expense is what GET /api/expenses and the events show of an expense.
type expense struct {
	ID          string `json:"_id"`
	User        string
	Description string
	Amount      json.Number
	Category    string
	Type        string
	Date        time.Time
	Day         string
	DeviceID    string `json:"deviceId"`
}

// expenses returns the account's whole list, as a page that loads sees it.
func (a *account) expenses(t *testing.T) []expense {
	t.Helper()
	var list []expense
	a.call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusOK).into(t, &list)
	return list
}

// create adds one expense from the named device.
func (a *account) create(t *testing.T, description, deviceID string) expense {
	t.Helper()
	body := map[string]any{"description": description, "amount": 12.5, "category": "food", "type": "expense"}
	if deviceID != "" {
		body["deviceId"] = deviceID
	}
	var e expense
	a.call(t, http.MethodPost, "/api/expenses", body).want(t, http.StatusCreated).into(t, &e)
	return e
}

// An answer is what came back for one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// want fails the test unless the status is the expected one.
func (r answer) want(t *testing.T, status int) answer {
	t.Helper()
	if r.status != status {
		t.Fatalf("answered %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// into decodes the answer's JSON.
func (r answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("the answer does not decode: %v: %s", err, r.body)
	}
}

// call sends one request and reads its whole answer.
func call(t *testing.T, method, url, token string, body any) answer {
	t.Helper()
	r, err := try(method, url, token, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return r
}

// try is call for requests that may find nobody there.
func try(method, url, token string, body any) (answer, error) {
	return tryIn("", method, url, token, body)
}

// tryIn is try in a browser that has this cookie, "" for none.
func tryIn(cookie, method, url, token string, body any) (answer, error) {
	content, err := content(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequest(method, url, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, b}, err
}

func content(body any) (io.Reader, error) {
	switch b := body.(type) {
	case nil:
		return http.NoBody, nil
	case []byte:
		return bytes.NewReader(b), nil
	case string:
		return strings.NewReader(b), nil
	}
	b, err := json.Marshal(body)
	return bytes.NewReader(b), err
}

// share has another account accept an expense of this one's as its editor.
func (a *account) share(t *testing.T, expenseID string, other *account) {
	t.Helper()
	body := from(a.phone(), map[string]any{"email": other.Email, "role": "editor"})
	a.call(t, http.MethodPost, "/api/expenses/"+expenseID+"/share", body).want(t, http.StatusAccepted)
	other.accept(t, expenseID)
}

// accept accepts the invitation to an expense, which is delivered soon.
func (a *account) accept(t *testing.T, expenseID string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var got struct {
			Invitations []struct{ ID, ExpenseID string }
		}
		a.call(t, http.MethodGet, "/api/invitations", nil).want(t, http.StatusOK).into(t, &got)
		for _, i := range got.Invitations {
			if i.ExpenseID == expenseID {
				a.call(t, http.MethodPost, "/api/invitations/"+i.ID+"/accept", from(a.phone(), map[string]any{})).want(t, http.StatusOK)
				return
			}
		}
	}
	t.Fatalf("no invitation to %s arrived", expenseID)
}
