package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// try sends JSON and returns the status, 0 for no answer, and the body. It may be called
// from any goroutine.
func (r *running) try(method, path, token, body string) (code int, text []byte) {
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		return 0, []byte(err.Error())
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer res.Body.Close()
	text, _ = io.ReadAll(res.Body)
	return res.StatusCode, text
}

// useAsPerson does what one person does: signing in, then two batches and two lists. It
// returns the token.
func (r *running) useAsPerson(email string) (token string, refused error) {
	code, text := r.try("POST", "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":"secret"}`, email))
	var session struct{ Token string }
	if code != http.StatusOK || json.Unmarshal(text, &session) != nil {
		return "", fmt.Errorf("sign-in: %d %s", code, text)
	}
	for i := range 2 {
		operation := `{"action":"CREATE","resourceType":"expense","resourceId":"temp_%d","data":{"description":"Lunch","amount":12.5,` +
			`"category":"food","type":"expense"},"deviceId":%q,"timestamp":%d}`
		batch := fmt.Sprintf(`{"operations":[`+operation+`]}`, i, email, 1_700_000_000_000+i)
		if code, text := r.try("POST", "/api/sync/batch", session.Token, batch); code != http.StatusOK {
			return "", fmt.Errorf("batch: %d %s", code, text)
		}
		if code, text := r.try("GET", "/api/expenses", session.Token, ""); code != http.StatusOK ||
			!strings.Contains(string(text), "Lunch") {
			return "", fmt.Errorf("list: %d %s", code, text)
		}
	}
	return session.Token, nil
}

// All people behind the proxy had the limit of one address together.
func TestAHundredPeopleBehindOneProxyAreNotRefused(t *testing.T) {
	const people = 100
	r := start(t, "RATE_LIMIT=150/15m") // 200 lists
	for i := range people {
		r.register(fmt.Sprintf("person%d@example.org", i))
	}
	tokens := make([]string, people)
	var g sync.WaitGroup
	for i := range people {
		g.Go(func() {
			var err error
			if tokens[i], err = r.useAsPerson(fmt.Sprintf("person%d@example.org", i)); err != nil {
				t.Errorf("person %d: %v", i, err)
			}
		})
	}
	g.Wait()
	if t.Failed() {
		return
	}
	sockets := make([]*socket, people)
	for i, token := range tokens {
		sockets[i] = r.listen(token)
	}
	for i, s := range sockets {
		if a := s.ask("sync_request", `{"since":0}`); strings.Contains(a, `"ok":false`) {
			t.Errorf("person %d: %s", i, a)
		}
	}
}

// One of them who sent invalid tokens all the time locked the others out.
func TestBadTokensOfAnAddressRefuseNoGoodOne(t *testing.T) {
	r := start(t, "RATE_LIMIT=10/15m")
	alice := r.register("alice@example.org")
	for i, want := range []int{401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429} {
		if a := r.call("GET", "/api/expenses", "bad", ""); a.code != want {
			t.Errorf("bad token %d: %d, want %d", i, a.code, want)
		}
	}
	for i, want := range []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 429} {
		if a := r.call("GET", "/api/expenses", alice, ""); a.code != want {
			t.Errorf("Alice's request %d: %d %s, want %d", i, a.code, a.body, want)
		}
	}
	if a := r.call("GET", "/api/expenses", r.register("bob@example.org"), ""); a.code != 200 {
		t.Errorf("Bob, of the same address: %d", a.code)
	}
}

// Files, documents and readiness cost processor time and were not limited.
func TestFilesAndDocumentsAreRationed(t *testing.T) {
	r := start(t, "RATE_LIMIT=2/15m")
	paths := []string{"/", "/openapi.json", "/style.css", "/nothing"}
	for i := range 20 {
		if a := r.call("GET", paths[i%len(paths)], "", ""); a.code == http.StatusTooManyRequests {
			t.Errorf("request %d: %d", i, a.code)
		}
	}
	for _, path := range paths {
		if a := r.call("GET", path, "", ""); a.code != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
			t.Errorf("%s after twenty: %d %v", path, a.code, a.header)
		}
	}
	for _, path := range []string{"/readyz", "/healthz", "/api/expenses"} {
		if a := r.call("GET", path, "", ""); a.code == http.StatusTooManyRequests {
			t.Errorf("%s: %d", path, a.code)
		}
	}
}

// A page of another site could sign its visitor out by a form.
func TestNoOtherSiteSignsAVisitorOut(t *testing.T) {
	r := start(t, "FRONTEND_URL=https://app.example")
	alice := r.register("alice@example.org")
	if a := r.call("POST", "/api/auth/logout", alice, "", "Origin", "https://evil.example"); a.code != http.StatusForbidden {
		t.Errorf("from another site: %d %s", a.code, a.body)
	}
	if a := r.call("POST", "/api/auth/logout", alice, "x=1", "Content-Type", "text/plain"); a.code != http.StatusBadRequest {
		t.Errorf("a form: %d %s", a.code, a.body)
	}
	if a := r.call("GET", "/api/user/profile", alice, ""); a.code != http.StatusOK {
		t.Errorf("the token after that: %d", a.code)
	}
	if a := r.call("POST", "/api/auth/logout", alice, "", "Origin", "https://app.example"); a.code != http.StatusOK {
		t.Errorf("from the page: %d %s", a.code, a.body)
	}
}
