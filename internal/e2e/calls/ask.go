package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"expenseflow/internal/e2e/process"
)

// A client asks the running server as one new account.
type client struct {
	server string
	token  string
	ids    map[string]string // an id of the account's own by the first part of a path: "expenses"
}

// An answer is what the server says to one call.
type answer struct {
	status int
	known  bool   // whether a route of the server took the call
	says   string // the error or message of a refusal
}

const noSuchID = "000000000000000000000000"

// bodies are sent where an empty object would be refused; every other call
// with a body sends {}. What is here is what the forms of the page send.
var bodies = map[string]string{
	"POST /api/expenses": `{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`,
	"POST /api/budgets": `{"name":"Food","category":"food","amount":100,"period":"monthly",` +
		`"startDate":"2026-01-01","endDate":"2026-12-31"}`,
	"POST /api/goals": `{"title":"Car","targetAmount":1000,"goalType":"savings",` +
		`"category":"general","targetDate":"2030-01-01"}`,
	"PUT /api/currency/preference": `{"currency":"EUR"}`,
	"POST /api/sync/batch":         `{"operations":[]}`,
	"POST /api/sync/delta":         `{"changes":[]}`,
}

func newClient(ctx context.Context, server string) (*client, error) {
	c := &client{server: strings.TrimSuffix(server, "/"), ids: make(map[string]string)}
	email := fmt.Sprintf("calls%d@example.test", time.Now().UnixNano())
	who := fmt.Sprintf(`"email":%q,"password":"Unlikely-Words-71!"}`, email)
	account := `{"name":"Calls",` + who
	bodies["POST /api/auth/register"] = strings.Replace(account, "calls", "other", 1)
	bodies["POST /api/auth/login"] = "{" + who
	var made struct{ Token string }
	if err := c.make(ctx, "/api/auth/register", account, &made); err != nil {
		return nil, err
	}
	c.token = made.Token
	for _, kind := range []string{"expenses", "budgets", "goals"} {
		var document struct {
			ID   string `json:"_id"`
			Data struct {
				ID string `json:"_id"`
			}
		}
		if err := c.make(ctx, "/api/"+kind, bodies["POST /api/"+kind], &document); err == nil {
			c.ids[kind] = document.ID + document.Data.ID
		}
	}
	return c, nil
}

// make posts body and decodes the answer into v.
func (c *client) make(ctx context.Context, path, body string, v any) error {
	a, err := c.send(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	if a.Status >= http.StatusMultipleChoices {
		return fmt.Errorf("POST %s was answered %d", path, a.Status)
	}
	a.Into(v)
	return nil
}

func (c *client) send(ctx context.Context, method, path, body string) (process.Answer, error) {
	return process.Send(ctx, http.DefaultClient, method, c.server+path, c.token, body)
}

// ask makes one call and reads how it is answered.
func (c *client) ask(ctx context.Context, asked call) (answer, error) {
	body := bodies[asked.method+" "+asked.path]
	if body == "" && asked.method != http.MethodGet {
		body = "{}"
	}
	address := c.address(asked)
	res, err := c.send(ctx, asked.method, address, body)
	if err != nil {
		return answer{}, err
	}
	return answer{
		status: res.Status,
		known:  res.Status != http.StatusNotFound || !strings.Contains(res.Body, "Cannot "+asked.method+" "),
		says:   refusal(res),
	}, nil
}

// values are taken for what a page computes in a query.
var values = map[string]string{
	"period": "monthly", "months": "3", "type": "expense", "description": "Lunch", "page": "1", "limit": "20",
	"days": "30", "year": "2026", "month": "1", "amount": "5",
}

// address writes a call's path and query out, with ids of the account's own.
func (c *client) address(asked call) string {
	parts := strings.Split(asked.path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = c.id(parts[2], part)
		}
	}
	var query []string
	for pair := range strings.SplitSeq(asked.query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(value, ":") {
			value = values[name]
		}
		if value != "" {
			query = append(query, name+"="+value)
		}
	}
	if len(query) == 0 {
		return strings.Join(parts, "/")
	}
	return strings.Join(parts, "/") + "?" + strings.Join(query, "&")
}

// id is one of the account's own that a parameter may stand for, else one of
// nothing.
func (c *client) id(kind, parameter string) string {
	if strings.Contains(strings.ToLower(parameter), "expense") {
		kind = "expenses"
	}
	if id := c.ids[kind]; id != "" {
		return id
	}
	return noSuchID
}

func refusal(a process.Answer) string {
	var said struct{ Error, Message string }
	if a.Status < http.StatusBadRequest {
		return ""
	}
	a.Into(&said)
	return cmp.Or(said.Error, said.Message)
}
