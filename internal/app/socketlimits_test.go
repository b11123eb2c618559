package app

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"expenseflow/internal/config"
	"expenseflow/internal/socketio/socketiotest"
)

// handshake asks for a polling session and returns the status.
func (r *running) handshake(query string, headers ...string) int {
	return r.statusOf("/socket.io/?EIO=4&transport=polling"+query, headers...)
}

// statusOf returns the status of a GET, or 431 if the connection was reset: a server that
// refuses a header does not read the rest, and the client, which is still writing, may see
// the reset before the answer.
func (r *running) statusOf(path string, headers ...string) int {
	req, err := http.NewRequest(http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return http.StatusRequestHeaderFieldsTooLarge
	}
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestFatRequestsForSocketsAreRefused(t *testing.T) {
	r := start(t)
	for _, tt := range []struct {
		query   string
		headers []string
		want    int
	}{
		{"&t=abc", nil, http.StatusOK},
		{strings.Repeat("&1000", 9900), nil, http.StatusRequestHeaderFieldsTooLarge}, // 49 KB are over the bound of the head too
		{strings.Repeat("&1000", 100), nil, http.StatusRequestURITooLong},
		{"&x=" + strings.Repeat("y", 3000), nil, http.StatusRequestURITooLong},
		{"", []string{"X-Big", strings.Repeat("y", 20<<10)}, http.StatusRequestHeaderFieldsTooLarge},
		{"", []string{"X-Fair", strings.Repeat("y", 8<<10)}, http.StatusOK},
	} {
		if got := r.handshake(tt.query, tt.headers...); got != tt.want {
			t.Errorf("%.20s %.10v: %d, want %d", tt.query, tt.headers, got, tt.want)
		}
	}
	if got := r.statusOf("/", "X-Big", strings.Repeat("y", 20<<10)); got != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("elsewhere: %d", got)
	}
}

// Large messages are accepted with a token, attachments never.
func TestWhatASocketMaySendBeforeAndAfterItsToken(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	s := r.listen(alice)
	s.ask("expense:create", `{"description":"`+strings.Repeat("x", 100_000)+`"}`)
	s.send(`451-["expense:create",{"_placeholder":true,"num":0}]`)
	if !s.gone() {
		t.Error("attachments were announced, and the socket is still there")
	}
	c, err := socketiotest.Dial(t.Context(), r.url, socketiotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Connect(`{"token":"` + strings.Repeat("x", 20_000) + `"}`)
	if !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Errorf("20 KB before a token: %v", err)
	}
}

// All people behind a proxy that is not in TRUSTED_PROXIES are one address.
func TestAHundredPeopleBehindOneProxyConnectAndSync(t *testing.T) {
	r := start(t, "MAX_CONNECTIONS=250", "MAX_CONNECTIONS_PER_USER=0")
	alice := r.register("alice@example.org")
	var people sync.WaitGroup
	for i := range 100 {
		people.Go(func() {
			s := r.listen(alice)
			if a := s.ask("expense:create", fmt.Sprintf(`{"description":"%d","amount":1,"category":"food","type":"expense"}`,
				i)); !strings.Contains(a, `"ok":true`) {
				t.Errorf("person %d: %s", i, a)
			}
		})
	}
	people.Wait()
	for range 25 {
		if got := r.handshake(""); got != http.StatusOK {
			t.Fatalf("a newcomer: %d", got)
		}
	}
	if a := r.call("GET", "/socket.io/?EIO=4&transport=polling", "", ""); a.code != http.StatusServiceUnavailable ||
		!strings.Contains(a.body, "of this address or in all") {
		t.Errorf("more than half of all: %d %s", a.code, a.body)
	}
}

func TestNearlyAllConnectionsOfOneAddressAreLogged(t *testing.T) {
	r := start(t)
	for range 250 {
		r.handshake("")
	}
	if n := strings.Count(r.log.String(), "TRUSTED_PROXIES"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestPacketsAreMeteredByTheRateOfEvents(t *testing.T) {
	for rate, want := range map[string][2]int{"0": {0, 0}, "50/10s": {100, 1000}, "1000/1s": {4000, 4000}} {
		var r config.Rate
		if err := r.UnmarshalText([]byte(rate)); err != nil {
			t.Fatal(err)
		}
		if perSecond, burst := packetRate(r); int(perSecond) != want[0] || burst != want[1] {
			t.Errorf("%s: %v after %d at once, want %v", rate, perSecond, burst, want)
		}
	}
}
