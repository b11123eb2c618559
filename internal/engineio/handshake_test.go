package engineio_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/engineio"
)

func TestOpenPacketTellsTheSettings(t *testing.T) {
	both := []string{"polling", "websocket"}
	tests := []struct {
		name  string
		cfg   engineio.Config
		query string
		want  openPayload
	}{
		{
			"polling with Node's defaults",
			engineio.Config{},
			newPolling,
			openPayload{Upgrades: []string{"websocket"}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1000000},
		},
		{
			"websocket cannot be upgraded",
			engineio.Config{},
			newWebSocket,
			openPayload{Upgrades: []string{}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1000000},
		},
		{
			"own figures",
			engineio.Config{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond, MaxPayload: 10, Transports: both},
			newPolling,
			openPayload{Upgrades: []string{"websocket"}, PingInterval: 300, PingTimeout: 200, MaxPayload: 10},
		},
		{
			"upgrades forbidden",
			engineio.Config{NoUpgrades: true},
			newPolling,
			openPayload{Upgrades: []string{}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1000000},
		},
		{
			"nothing to upgrade to",
			engineio.Config{Transports: both[:1]},
			newPolling,
			openPayload{Upgrades: []string{}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1000000},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, tt.cfg)
			got := parseOpen(t, h.greeting(tt.query))
			if len(got.SID) != 20 {
				t.Errorf("sid %q has not 20 characters", got.SID)
			}
			tt.want.SID = got.SID
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("open packet (-want +got):\n%s", diff)
			}
		})
	}
}

// refusedRequests are all refusals over HTTP, in the order of the checks: each request is
// wrong for the later checks too wherever that is possible. $sid is an open session.
var refusedRequests = []struct {
	name, method, query, as string
	status                  int
	body                    string
}{
	{"no transport", "POST", "", "no", 400, `{"code":0,"message":"Transport unknown"}`},
	{"unknown transport", "PUT", "transport=tobi&sid=x", "no", 400, `{"code":0,"message":"Transport unknown"}`},
	{"name of every object", "GET", "EIO=4&transport=constructor", "", 400, `{"code":0,"message":"Transport unknown"}`},
	{"prototype", "GET", "EIO=4&transport=__proto__", "", 400, `{"code":0,"message":"Transport unknown"}`},
	{"webtransport", "GET", "EIO=4&transport=webtransport", "", 400, `{"code":0,"message":"Transport unknown"}`},
	{"last transport wins", "GET", "EIO=4&transport=polling&transport=tobi", "", 400, `{"code":0,"message":"Transport unknown"}`},
	{"unknown session", "PUT", "transport=polling&sid=test", "no", 400, `{"code":1,"message":"Session ID unknown"}`},
	{
		"session named as a property", "GET", "transport=polling&sid=__proto__", "no", 400,
		`{"code":1,"message":"Session ID unknown"}`,
	},
	{
		"websocket without handshake for a polling session", "GET", "EIO=4&transport=websocket&sid=$sid", "", 400,
		`{"code":3,"message":"Bad request"}`,
	},
	{
		"method before everything later", "POST", "EIO=3&transport=websocket", "no", 400,
		`{"code":2,"message":"Bad handshake method"}`,
	},
	{"OPTIONS without CORS", "OPTIONS", "EIO=4&transport=polling", "", 400, `{"code":2,"message":"Bad handshake method"}`},
	{
		"an empty sid is a handshake", "DELETE", "EIO=4&transport=polling&sid=", "", 400,
		`{"code":2,"message":"Bad handshake method"}`,
	},
	{"websocket without handshake", "GET", "EIO=3&transport=websocket", "no", 400, `{"code":3,"message":"Bad request"}`},
	{"permission before version", "GET", "EIO=3&transport=polling", "no", 403, `{"code":4,"message":"Thou shall not pass"}`},
	{"refusal without words", "GET", "EIO=4&transport=polling", "silent", 403, `{"code":4,"message":"Forbidden"}`},
	{"protocol 3", "GET", "EIO=3&transport=polling", "", 400, `{"code":5,"message":"Unsupported protocol version"}`},
	{"no protocol", "GET", "transport=polling", "", 400, `{"code":5,"message":"Unsupported protocol version"}`},
	{"nonsense protocol", "GET", "EIO=abc&transport=polling", "", 400, `{"code":5,"message":"Unsupported protocol version"}`},
	{"other methods on a session", "PUT", "EIO=4&transport=polling&sid=$sid", "", 405, ""},
}

func TestRefusedRequests(t *testing.T) {
	h := open(t, engineio.Config{AllowRequest: func(r *http.Request) error {
		switch r.Header.Get("X-Test") {
		case "no":
			return errors.New("Thou shall not pass")
		case "silent":
			return errors.New("")
		}
		return nil
	}})
	sid, _ := h.poll()
	_, sid, _ = strings.Cut(sid, "sid=")
	for _, tt := range refusedRequests {
		t.Run(tt.name, func(t *testing.T) {
			got := h.do(tt.method, strings.Replace(tt.query, "$sid", sid, 1), "", func(r *http.Request) { r.Header.Set("X-Test", tt.as) })
			if got.Status != tt.status || got.Body != tt.body {
				t.Errorf("got %d %q, want %d %q", got.Status, got.Body, tt.status, tt.body)
			}
			if tt.body != "" && got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("Content-Type %q", got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestRefusedWebSocketHandshakesArePlainText(t *testing.T) {
	h := open(t, engineio.Config{AllowRequest: func(r *http.Request) error {
		if r.Header.Get("X-Test") == "no" {
			return errors.New("Thou shall not pass")
		}
		return nil
	}})
	const good = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: DXR4dX615eRds8nRmlhqtw==\r\n"
	tests := []struct{ name, query, headers, body string }{
		{"unknown transport", "EIO=4&transport=__proto__", good, "Transport unknown"},
		{"unknown session", "EIO=4&transport=websocket&sid=nope", good, "Session ID unknown"},
		{"polling", "EIO=4&transport=polling", good, "Bad request"},
		{"not allowed is a 400 here", "EIO=4&transport=websocket", good + "X-Test: no\r\n", "Thou shall not pass"},
		{"protocol 3", "EIO=3&transport=websocket", good, "Unsupported protocol version"},
		{"no key", "EIO=4&transport=websocket", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", ""},
		{"old version", "EIO=4&transport=websocket", strings.Replace(good, "13", "7", 1), ""},
		{"nothing at all", "", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Transport unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, header, body := h.raw("GET /engine.io/?" + tt.query + " HTTP/1.1\r\nHost: x\r\n" + tt.headers + "\r\n")
			if status != http.StatusBadRequest || tt.body != "" && body != tt.body {
				t.Errorf("got %d %q, want 400 %q", status, body, tt.body)
			}
			if got := header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
	if n := h.server.Len(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// Frames that are sent before the handshake was answered belong to no session; the server
// must survive them.
func TestDataBesideTheWebSocketHandshake(t *testing.T) {
	h := open(t, engineio.Config{})
	query, _ := h.poll()
	for _, q := range []string{newWebSocket, newWebSocket + strings.TrimPrefix(query, newPolling)} {
		c := h.tcp()
		_, _ = fmt.Fprintf(c, "GET /engine.io/?%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: DXR4dX615eRds8nRmlhqtw==\r\nContent-Length: 4\r\n\r\ntest", q)
		_, _ = io.ReadAll(c)
	}
	h.connect()
}

func TestHandshakeIsKeptUntilReleased(t *testing.T) {
	h := open(t, engineio.Config{})
	h.do("GET", newPolling+"&a=first&a=last&b=", "", func(r *http.Request) { r.Header.Set("X-Custom", "secret") })
	p := h.peer()
	got := p.Handshake()
	if got.Query.Get("a") != "last" || !got.Query.Has("b") || got.Header.Get("X-Custom") != "secret" {
		t.Errorf("handshake %+v", got)
	}
	if !strings.HasPrefix(got.RemoteAddr, "127.0.0.1:") || got.Secure || time.Since(got.Time) > patience {
		t.Errorf("handshake %+v", got)
	}
	if want := "/engine.io/?" + newPolling + "&a=first&a=last&b="; got.URL != want {
		t.Errorf("URL %q, want %q", got.URL, want)
	}
	p.ReleaseHandshake()
	if p.Handshake() != nil {
		t.Error("handshake is still there")
	}
}

func TestMessagesSentInOpenFollowTheOpenPacket(t *testing.T) {
	h := open(t, engineio.Config{}, func(p *peer) { p.send("faster!") })
	if got := h.do("GET", newPolling, "").Body; !strings.HasSuffix(got, "\x1e4faster!") {
		t.Errorf("polling handshake %q", got)
	}
	c := h.dial(newWebSocket)
	parseOpen(t, c.read())
	if got := c.read(); got != "4faster!" {
		t.Errorf("second message %q", got)
	}
}

// nodesCookie is the cookie that the Node.js server sets with cookie: true.
func nodesCookie() *http.Cookie {
	return &http.Cookie{Name: "io", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func TestCookie(t *testing.T) {
	strict := nodesCookie()
	strict.SameSite, strict.Name, strict.Path = http.SameSiteStrictMode, "woot", "/custom"
	open1 := &http.Cookie{Name: "io", SameSite: http.SameSiteLaxMode}
	tests := []struct {
		name   string
		cookie *http.Cookie
		want   string
	}{
		{"none by default", nil, ""},
		{"as Node's", nodesCookie(), "io=%s; Path=/; HttpOnly; SameSite=Lax"},
		{"own fields", strict, "woot=%s; Path=/custom; HttpOnly; SameSite=Strict"},
		{"readable without path", open1, "io=%s; SameSite=Lax"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{Cookie: tt.cookie})
			got := h.do("GET", newPolling, "")
			sid := parseOpen(t, got.Body).SID
			want := tt.want
			if want != "" {
				want = fmt.Sprintf(want, sid)
			}
			if c := got.Header.Get("Set-Cookie"); c != want {
				t.Errorf("Set-Cookie %q, want %q", c, want)
			}
			h.peer().send("x")
			if c := h.do("GET", newPolling+"&sid="+sid, "").Header.Get("Set-Cookie"); c != "" {
				t.Errorf("second answer sets %q", c)
			}
		})
	}
}

func TestHeaderHooks(t *testing.T) {
	h := open(t, engineio.Config{
		Cookie:         nodesCookie(),
		InitialHeaders: func(h http.Header, _ *http.Request) { h.Set("X-First", "1"); h.Add("Set-Cookie", "mine=456") },
		Headers:        func(h http.Header, r *http.Request) { h.Set("X-Every", r.Method) },
	})
	first := h.do("GET", newPolling, "")
	query := newPolling + "&sid=" + parseOpen(t, first.Body).SID
	check(t, "handshake", first.Header, "1", "GET", 2)
	check(t, "POST", h.do("POST", query, "4x").Header, "", "POST", 0)
	h.peer().send("y")
	check(t, "GET", h.do("GET", query, "").Header, "", "GET", 0)
	_, res, err := h.dialer.Dial("ws"+strings.TrimPrefix(h.base, "http")+"?"+newWebSocket, nil)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	check(t, "WebSocket", res.Header, "1", "GET", 1) // the session's cookie is polling's
}

func check(t *testing.T, what string, h http.Header, first, every string, cookies int) {
	t.Helper()
	if h.Get("X-First") != first || h.Get("X-Every") != every || len(h["Set-Cookie"]) != cookies {
		t.Errorf("%s: headers %v", what, h)
	}
}

func TestPollingHeaders(t *testing.T) {
	h := open(t, engineio.Config{})
	tests := []struct{ agent, xss string }{
		{"Mozilla/4.0 (compatible;MSIE 8.0; Windows NT 6.1)", "0"},
		{"Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko", "0"},
		{"Mozilla/5.0 Firefox/140.0", ""},
	}
	for _, tt := range tests {
		got := h.do("GET", newPolling, "", func(r *http.Request) { r.Header.Set("User-Agent", tt.agent) })
		if got.Header.Get("X-XSS-Protection") != tt.xss || got.Header.Get("Cache-Control") != "no-store" ||
			got.Header.Get("Content-Type") != "text/plain; charset=UTF-8" {
			t.Errorf("%s: headers %v", tt.agent, got.Header)
		}
		query := newPolling + "&sid=" + parseOpen(t, got.Body).SID
		if got := h.do("POST", query, "4x").Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("POST: Content-Type %q", got)
		}
	}
}

func TestCORS(t *testing.T) {
	const origin = "http://engine.io"
	mine := engineio.CORS{AllowOrigin: func(string) bool { return true }, AllowedHeaders: []string{"my-header"}, Credentials: true}
	full := engineio.CORS{
		Origins: []string{"http://good-domain.com", origin}, Methods: []string{"GET", "PUT", "POST"},
		AllowedHeaders: []string{"my-header"},
		ExposedHeaders: []string{"my-exposed-header"}, Credentials: true, MaxAge: 123 * time.Second,
	}
	tests := []struct {
		name   string
		cors   engineio.CORS
		method string
		status int
		want   map[string]string
	}{
		{"preflight of any origin with credentials", mine, "OPTIONS", 204, map[string]string{
			"Allow-Origin": origin, "Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Allow-Headers": "my-header",
			"Allow-Credentials": "true",
		}},
		{"the request itself", mine, "GET", 200, map[string]string{"Allow-Origin": origin, "Allow-Credentials": "true"}},
		{"bad origin", engineio.CORS{Origins: []string{"http://good-domain.com"}}, "OPTIONS", 204, map[string]string{
			"Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Allow-Headers": "asked",
		}},
		{"every field", full, "OPTIONS", 204, map[string]string{
			"Allow-Origin": origin, "Allow-Methods": "GET,PUT,POST", "Allow-Headers": "my-header",
			"Expose-Headers": "my-exposed-header", "Allow-Credentials": "true", "Max-Age": "123",
		}},
		{"anyone", engineio.CORS{Origins: []string{"*"}}, "GET", 200, map[string]string{"Allow-Origin": "*"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{CORS: &tt.cors})
			got := h.do(tt.method, newPolling, "", func(r *http.Request) {
				r.Header.Set("Origin", origin)
				r.Header.Set("Access-Control-Request-Headers", "asked")
			})
			if diff := cmp.Diff(tt.want, corsHeaders(got.Header)); diff != "" || got.Status != tt.status {
				t.Errorf("status %d, headers (-want +got):\n%s", got.Status, diff)
			}
		})
	}
}

// corsHeaders are the headers after "Access-Control-".
func corsHeaders(h http.Header) map[string]string {
	got := make(map[string]string)
	for name := range h {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			got[short] = h.Get(name)
		}
	}
	return got
}

func TestRefusalsAreMarkedForCORSToo(t *testing.T) {
	h := open(t, engineio.Config{CORS: &engineio.CORS{Origins: []string{"http://engine.io"}, Credentials: true}})
	got := h.do("GET", "transport=websocket", "", func(r *http.Request) { r.Header.Set("Origin", "http://engine.io") })
	if got.Status != 400 || got.Header.Get("Access-Control-Allow-Origin") != "http://engine.io" ||
		got.Header.Get("Vary") != "Origin" {
		t.Errorf("got %d %v", got.Status, got.Header)
	}
}

func TestRefusedHookGetsTheReason(t *testing.T) {
	heard := make(chan string, 1)
	h := open(t, engineio.Config{Refused: func(r engineio.Refusal) {
		if r.Limit != engineio.LimitNone || r.Request == nil {
			t.Errorf("heard %+v", r)
		}
		heard <- fmt.Sprint(r.Code, " ", r.Reason)
	}})
	h.do("GET", "transport=tobi", "")
	if got := receive(t, heard, "the refusal"); got != "0 transport tobi" {
		t.Errorf("heard %q", got)
	}
	if n := h.server.Stats().Refused; n != 1 {
		t.Errorf("%d refused", n)
	}
}

func TestMaxSessionsBoundsBothTransports(t *testing.T) {
	h := open(t, engineio.Config{MaxSessions: 4}) // half of them for a single address
	c, _ := h.connect()
	h.poll()
	got := h.do("GET", newPolling, "")
	if want := `{"code":3,"message":"Too many sessions, of this address or in all"}`; got.Status != 503 || got.Body != want {
		t.Errorf("polling: got %d %s", got.Status, got.Body)
	}
	_, res, err := h.dialer.Dial("ws"+strings.TrimPrefix(h.base, "http")+"?"+newWebSocket, nil)
	if err == nil || res.StatusCode != 503 {
		t.Errorf("websocket: %v %v", err, res)
	}
	_ = c.Close()
	h.eventually("there is room again", func() bool { return h.server.Len() == 1 })
	h.connect()
}

func TestSessionIDsBeginWithThePrefix(t *testing.T) {
	h := open(t, engineio.Config{IDPrefix: "process1"})
	for _, query := range []string{newPolling, newWebSocket} {
		sid := parseOpen(t, h.greeting(query)).SID
		if !strings.HasPrefix(sid, "process1") || len(sid) != len("process1")+20 {
			t.Errorf("%s: sid %q", query, sid)
		}
	}
}

func TestPostponedHandshakesAreToldWhenToTryAgain(t *testing.T) {
	var wait atomic.Int64
	h := open(t, engineio.Config{
		CORS:     &engineio.CORS{Origins: []string{"*"}},
		Postpone: func(*http.Request) time.Duration { return time.Duration(wait.Load()) },
	})
	query, _ := h.poll()
	wait.Store(int64(1500 * time.Millisecond))
	res, err := http.Get(h.base + "?" + newPolling)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 503 || string(body) != `{"code":3,"message":"No new sessions for now"}` ||
		res.Header.Get("Retry-After") != "2" || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("handshake: %d %s %v", res.StatusCode, body, res.Header)
	}
	target := "ws" + strings.TrimPrefix(h.base, "http") + "?" + newWebSocket
	if _, res, err := h.dialer.Dial(target, nil); err == nil || res.StatusCode != 503 {
		t.Errorf("WebSocket handshake: %v, %v", res, err)
	}
	if got := h.do("POST", query, "4hello"); got.Body != "ok" {
		t.Errorf("an open session: %+v", got)
	}
}

func TestUnavailableIsAnsweredAsTheServersOwnRefusals(t *testing.T) {
	server := engineio.New(engineio.Config{CORS: &engineio.CORS{Origins: []string{"https://page.example"}}}, nil)
	for _, tt := range []struct {
		name, upgrade, contentType, body string
	}{
		{"polling", "", "application/json", `{"code":3,"message":"The owner is silent"}`},
		{"WebSocket", "websocket", "text/plain; charset=utf-8", "The owner is silent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/?transport=polling&sid=x", nil)
			r.Header.Set("Origin", "https://page.example")
			r.Header.Set("Connection", "upgrade")
			r.Header.Set("Upgrade", tt.upgrade)
			w := httptest.NewRecorder()
			server.Unavailable(w, r, "The owner is silent", time.Second)
			h := w.Header()
			if w.Code != 503 || w.Body.String() != tt.body || h.Get("Content-Type") != tt.contentType ||
				h.Get("Retry-After") != "1" || h.Get("Access-Control-Allow-Origin") != "https://page.example" {
				t.Errorf("%d %s %v", w.Code, w.Body, h)
			}
		})
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
