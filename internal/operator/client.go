package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// A Client asks a Handler. Its errors are sentences for the operator.
type Client struct{ HTTP *http.Client }

// Users calls each with the accounts whose address contains match, in the order of addresses.
func (c *Client) Users(ctx context.Context, match string, each func(User) error) error {
	body, err := c.open(ctx, http.MethodGet, "/users?match="+url.QueryEscape(match), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	for in := json.NewDecoder(body); ; {
		var u User
		switch err := in.Decode(&u); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the list is not whole: %w", err)
		}
		if err := each(u); err != nil {
			return err
		}
	}
}

// User returns the account of an address or an id.
func (c *Client) User(ctx context.Context, user string) (User, error) {
	return call[User](ctx, c, http.MethodGet, userPath(user, ""), nil)
}

// Create makes an account.
func (c *Client) Create(ctx context.Context, email, name, password string) (User, error) {
	return call[User](ctx, c, http.MethodPost, "/users", newUser{email, name, password})
}

// ResetPassword gives an account another password and ends all its tokens.
func (c *Client) ResetPassword(ctx context.Context, user, password string) (User, error) {
	return call[User](ctx, c, http.MethodPost, userPath(user, "/password"), newPassword{password})
}

// SignOut ends all tokens of an account.
func (c *Client) SignOut(ctx context.Context, user string) (User, error) {
	return call[User](ctx, c, http.MethodPost, userPath(user, "/sign-out"), nil)
}

// Delete deletes an account and everything in it.
func (c *Client) Delete(ctx context.Context, user string) (User, error) {
	return call[User](ctx, c, http.MethodDelete, userPath(user, ""), nil)
}

// Token makes a token of an account; age 0 is that of a sign-in.
func (c *Client) Token(ctx context.Context, user string, age time.Duration) (Token, error) {
	return call[Token](ctx, c, http.MethodPost, userPath(user, "/token"), newToken{int64(age / time.Second)})
}

// Database returns the state of the database.
func (c *Client) Database(ctx context.Context) (Database, error) {
	return call[Database](ctx, c, http.MethodGet, "/database", nil)
}

// Overview returns how the server is doing, as GET /api/admin/overview does. It is an error
// that none runs.
func (c *Client) Overview(ctx context.Context) (json.RawMessage, error) {
	return call[json.RawMessage](ctx, c, http.MethodGet, "/overview", nil)
}

func userPath(user, rest string) string { return "/users/" + url.PathEscape(user) + rest }

// call sends a document, nil for none, and decodes the answer.
func call[T any](ctx context.Context, c *Client, method, path string, document any) (to T, err error) {
	var body io.Reader
	if document != nil {
		text, err := json.Marshal(document)
		if err != nil {
			return to, err
		}
		body = bytes.NewReader(text)
	}
	answer, err := c.open(ctx, method, path, body)
	if err != nil {
		return to, err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(&to); err != nil {
		return to, fmt.Errorf("the server answers what this version of the program does not know: %w", err)
	}
	return to, nil
}

// open sends a request and returns the body of an answer that is no error.
func (c *Client) open(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://expenseflow"+path, body)
	if err != nil {
		return nil, err
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the server ended before it answered: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer res.Body.Close()
	var f failure
	if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("the server answers with status %d: is it of another version?", res.StatusCode)
	}
	return nil, errors.New(f.Error)
}
