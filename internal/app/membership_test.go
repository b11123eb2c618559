package app

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"expenseflow/internal/store/storetest"
)

// A pollingClient talks to sessions by single requests, each to any process.
type pollingClient struct {
	t    *testing.T
	http *http.Client
}

func newPollingClient(t *testing.T) *pollingClient {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &pollingClient{t, &http.Client{Transport: transport, Timeout: patience}}
}

// do sends a request of a session to a process; without an id it begins one.
func (p *pollingClient) do(r *running, method, sid, body string) (int, http.Header, string) {
	p.t.Helper()
	url := r.app.URL() + "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		url += "&sid=" + sid
	}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Origin", "https://page.example")
	res, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// begin opens a session and returns its id.
func (p *pollingClient) begin(r *running) (sid string) {
	p.t.Helper()
	_, _, opening := p.do(r, "GET", "", "")
	_, sid, _ = strings.Cut(opening, `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	return sid
}

// twoProcesses starts two on one database.
func twoProcesses(t *testing.T, more ...string) (a, b *running) {
	t.Helper()
	database := "DATABASE_URL=" + storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL
	return start(t, append(more, database)...), start(t, append(more, database)...)
}

func TestASessionIsServedByItsProcessWhereverItsRequestsArrive(t *testing.T) {
	cert, key := certificate(t)
	for name, settings := range map[string][]string{
		"HTTP": nil, "below a path": {"BASE_PATH=/money"},
		"HTTPS": {"TLS_CERT_FILE=" + cert, "TLS_KEY_FILE=" + key},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoProcesses(t, settings...)
			token, p := a.register("alice@example.org"), newPollingClient(t)
			sid := p.begin(a)
			if !strings.HasPrefix(sid, a.app.cluster.ID()) || len(sid) != 28 {
				t.Errorf("session id %q of process %s", sid, a.app.cluster.ID())
			}
			if code, _, text := p.do(b, "POST", sid, fmt.Sprintf(`40{"token":%q}`, token)); code != 200 || text != "ok" {
				t.Fatalf("CONNECT: %d %s", code, text)
			}
			if code, header, text := p.do(b, "GET", sid, ""); code != 200 || !strings.HasPrefix(text, "40{") ||
				header.Get("Access-Control-Allow-Origin") != "*" || len(header.Values("X-Content-Type-Options")) != 1 {
				t.Errorf("poll: %d %v %s", code, header, text)
			}
			if s := a.app.cluster.Stats(); s.Received != 2 || s.Forged != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestARequestThatCannotBeForwardedIsAnsweredAsAnyRefusal(t *testing.T) {
	a, b := twoProcesses(t)
	p := newPollingClient(t)
	sid := p.begin(a)
	if code, header, text := p.do(b, "POST", a.app.cluster.ID()+"-no-session-of-it", "40"); code != 400 ||
		text != `{"code":1,"message":"Session ID unknown"}` || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("an unknown session of a living process: %d %v %s", code, header, text)
	}
	const unknown = `{"code":1,"message":"Session ID unknown"}`
	if code, _, text := p.do(b, "POST", "AAAAAAAA-no-process", "40"); code != 400 || text != unknown {
		t.Errorf("a session of no process: %d %s", code, text)
	}
	_ = a.app.http.Close() // it lives, and nobody reaches it
	code, header, text := p.do(b, "POST", sid, "40")
	if code != 503 || text != `{"code":3,"message":"The server of this session cannot be reached"}` ||
		header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Retry-After") != "1" {
		t.Errorf("a process that cannot be reached: %d %v %s", code, header, text)
	}
}
