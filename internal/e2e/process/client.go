package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Password is the one of every account that Register makes.
const Password = "four words in a row"

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Into decodes the body as far as it can.
func (a Answer) Into(v any) { _ = json.Unmarshal([]byte(a.Body), v) }

// Send sends a request with a JSON body, or with the Content-Type that is among the
// headers, each of which is "Name: value". An empty token is none.
func Send(ctx context.Context, c *http.Client, method, url, token, body string, headers ...string) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := c.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return Answer{res.StatusCode, res.Header, string(b)}, err
}

// An Account is one that Register made.
type Account struct{ Email, ID, Token string }

// Register makes an account at the server addr, host:port.
func Register(ctx context.Context, c *http.Client, addr, email string) (Account, error) {
	a, err := Send(ctx, c, http.MethodPost, "http://"+addr+"/api/auth/register", "", Credentials(email, Password))
	if err != nil {
		return Account{}, err
	}
	var session struct {
		Token string
		User  struct{ ID string }
	}
	a.Into(&session)
	if session.Token == "" {
		return Account{}, fmt.Errorf("register %s: %d %.200s", email, a.Status, a.Body)
	}
	return Account{email, session.User.ID, session.Token}, nil
}

// Credentials is the body of a registration; it signs in too.
func Credentials(email, password string) string {
	return fmt.Sprintf(`{"name":"A person","email":%q,"password":%q}`, email, password)
}
