package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A limitFixture is a program whose limits are so low that a few requests meet each of them.
type limitFixture struct {
	p    *program
	node *node
	a    *account
}

// Each limit that a client can meet by itself is met by the genuine client or by plain HTTP,
// is answered as docs/refusals.md says, and is in the log with its setting. Those that need a
// crowd, a slow client or a full memory have tests of their own.
func TestEachLimitIsMetByARealClientAndAnsweredAsDocumented(t *testing.T) {
	p := startRaced(t, "LOG_FORMAT=json", "FRONTEND_URL=https://money.example.org", "ADMIN_TOKEN=an administrator's token",
		"RATE_LIMIT=30/15m", "AUTH_RATE_LIMIT=2/15m", "AUTH_ACCOUNT_RATE_LIMIT=1/15m",
		"SYNC_RATE_LIMIT=60/1m", "SOCKET_RATE=12/1h", "MAX_EXPENSES_PER_USER=2",
		"MAX_ROOMS_PER_SOCKET=1", "MAX_DASHBOARDS_PER_USER=1", "MAX_CONNECTIONS_PER_USER=3", "MAX_CONNECTIONS=20",
		"CONNECT_RATE=40/1h")
	f := &limitFixture{p, startNode(t), register(t, p)}
	f.socketLimits(t)
	f.tokens(t)
	f.requestLimits(t)
	f.passwords(t)
	f.connections(t)
	for _, setting := range []string{
		"FRONTEND_URL", "RATE_LIMIT", "AUTH_RATE_LIMIT", "AUTH_ACCOUNT_RATE_LIMIT", "SYNC_RATE_LIMIT", "SOCKET_RATE",
		"MAX_EXPENSES_PER_USER",
		"MAX_ROOMS_PER_SOCKET", "MAX_DASHBOARDS_PER_USER", "MAX_CONNECTIONS_PER_USER", "MAX_CONNECTIONS", "CONNECT_RATE",
		"JWT_EXPIRE", "JWT_SECRET",
	} {
		f.logged(t, "setting", setting)
	}
}

// logged wants a line of the log with this value, which may arrive after the answer.
func (f *limitFixture) logged(t *testing.T, key, value string) {
	t.Helper()
	for began := time.Now(); value == "" || f.p.log.after(`"`+key+`":"`+value+`"`) == ""; time.Sleep(time.Millisecond) {
		if value == "" || time.Since(began) > patience {
			t.Errorf("no line of the log has %s %q", key, value)
			return
		}
	}
}

// rejected wants an event to be answered with a code under an id that the log has.
func (f *limitFixture) rejected(t *testing.T, answer map[string]any, code string) {
	t.Helper()
	same(t, "answer", []any{false, code}, []any{answer["ok"], answer["code"]})
	id, _ := answer["requestId"].(string)
	f.logged(t, "request_id", id)
}

func (f *limitFixture) socketLimits(t *testing.T) {
	d, other := f.node.connect(t, f.a, transports[1]), f.node.connect(t, f.a, transports[1])
	first := d.answered(t, "expense:create", draft("one"))["expense"].(map[string]any)["_id"].(string)
	second := d.answered(t, "expense:create", draft("two"))["expense"].(map[string]any)["_id"].(string)
	f.rejected(t, d.answered(t, "expense:create", draft("three")), "EXPENSE_LIMIT")
	same(t, "first room", true, d.answered(t, "room:join", "expense:"+first)["ok"])
	f.rejected(t, d.answered(t, "room:join", "expense:"+second), "ROOM_LIMIT")
	same(t, "first dashboard", true, d.answered(t, "dashboard:subscribe", map[string]any{"from": "2026-01-01"})["ok"])
	f.rejected(t, other.answered(t, "dashboard:subscribe", map[string]any{"from": "2026-01-02"}), "DASHBOARD_LIMIT")
	same(t, "event besides", "ROOM_LIMIT", object(t, d.hear(t, 2, "error:event")[1].Args[0])["code"])
	var over map[string]any
	for range 12 {
		over = d.answered(t, "presence:list")
	}
	f.rejected(t, over, "RATE_LIMITED")
	if ms, _ := over["retryAfterMs"].(float64); ms < 1 {
		t.Errorf("retry after %v ms", over["retryAfterMs"])
	}
	f.node.connect(t, f.a, transports[1])
	fourth := f.node.open(t, f.p.url(), map[string]any{"auth": map[string]any{"token": f.a.Token}})
	same(t, "fourth socket", `"Too many connections" {"code":"CONNECTION_LIMIT"}`, join(fourth.await(t, "connect_error", 1).Args))
	other.emit(t, "room:activity", strings.Repeat("x", 1_100_000))
	other.await(t, "disconnect", 1)
}

func (f *limitFixture) tokens(t *testing.T) {
	for code, token := range map[string]string{
		"TOKEN_EXPIRED": signed(t, claims("id", f.a.ID, -time.Minute)), "TOKEN_INVALID": "no token",
	} {
		d := f.node.open(t, f.p.url(), map[string]any{"auth": map[string]any{"token": token}})
		same(t, "refusal", `"Authentication error" {"code":"`+code+`"}`, join(d.await(t, "connect_error", 1).Args))
	}
}

// requestLimits meets the limits of requests of a user, of a token and of a page.
func (f *limitFixture) requestLimits(t *testing.T) {
	f.until429(t, `"user";q=30;w=900`, func() answer { return f.a.call(t, "GET", "/api/expenses", nil) })
	f.until429(t, `"token";q=60;w=60`, func() answer {
		return f.a.call(t, "POST", "/api/sync/batch", map[string]any{"operations": []any{}})
	})
	refused := call(t, "GET", f.p.url()+"/api/expenses", f.a.Token, nil)
	f.logged(t, "request_id", refused.header.Get("X-Request-Id"))
	page := http.Header{"Origin": {"https://evil.example.org"}}
	if r := f.request(t, "POST", "/api/auth/login", page); r.status != 403 || object(t, r.body)["code"] != "ORIGIN_REFUSED" {
		t.Errorf("another page: %d %s", r.status, r.body)
	}
	if r := f.request(t, "GET", "/socket.io/?EIO=4&transport=polling", page); r.status != 403 || object(t, r.body)["code"] != 4.0 {
		t.Errorf("a socket of another page: %d %s", r.status, r.body)
	}
	mine := http.Header{"Origin": {"https://money.example.org"}}
	exposed := f.request(t, "GET", "/api/expenses", mine).header.Get("Access-Control-Expose-Headers")
	same(t, "exposed", "X-Request-Id,Retry-After,RateLimit-Policy,RateLimit", exposed)
}

func (f *limitFixture) passwords(t *testing.T) {
	guess := func(email string) func() answer {
		wrong := map[string]any{"email": email, "password": "a wrong password"}
		return func() answer { return call(t, "POST", f.p.url()+"/api/auth/login", "", wrong) }
	}
	f.until429(t, `"account";q=1;w=900`, guess(f.a.Email))
	guess("nobody@example.org")()
	f.until429(t, `"guesses";q=2;w=900`, guess("somebody@example.org"))
	f.until429(t, `"admin";q=2;w=900`, func() answer { return call(t, "GET", f.p.url()+"/api/admin/connections", "wrong", nil) })
}

// until429 sends requests until one is refused by a limit.
func (f *limitFixture) until429(t *testing.T, policy string, send func() answer) {
	t.Helper()
	for range 100 {
		r := send()
		if r.status != http.StatusTooManyRequests {
			continue
		}
		same(t, "policy", policy, r.header.Get("RateLimit-Policy"))
		same(t, "code", any("RATE_LIMITED"), object(t, r.body)["code"])
		left := regexp.MustCompile(`^"\w+";r=0;t=(\d+)$`).FindStringSubmatch(r.header.Get("RateLimit"))
		if left == nil || left[1] != r.header.Get("Retry-After") || r.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", policy, r.header)
		}
		return
	}
	t.Errorf("%s: a hundred requests were not refused", policy)
}

// connections opens sockets until there are too many, and goes on until they are too many in
// that time.
func (f *limitFixture) connections(t *testing.T) {
	told := map[string]bool{}
	for range 60 {
		r := f.request(t, "GET", "/socket.io/?EIO=4&transport=polling", nil)
		if r.status == http.StatusOK {
			continue
		}
		text, _ := object(t, r.body)["message"].(string)
		if told[text] = true; r.status != 503 || r.header.Get("Retry-After") == "" || r.header.Get("X-Request-Id") == "" {
			t.Errorf("%d %s, headers %v", r.status, r.body, r.header)
		}
	}
	same(t, "answers", map[string]bool{
		"Too many sessions, of this address or in all": true, "No new sessions for now": true,
	}, told)
	if r := f.request(t, "GET", "/socket.io/?EIO=4&transport=polling"+strings.Repeat("&a=1", 40), nil); r.status != 414 {
		t.Errorf("a long query: %d %s", r.status, r.body)
	}
}

// request sends a request with these headers.
func (f *limitFixture) request(t *testing.T, method, path string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequest(method, f.p.url()+path, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w", method, path, err))
	}
	defer res.Body.Close()
	body := make([]byte, 4096)
	n, _ := res.Body.Read(body)
	return answer{res.StatusCode, res.Header, body[:n]}
}
