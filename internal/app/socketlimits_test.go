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
)

// handshake asks for a polling session and gives the status.
func (r *running) handshake(query string, headers ...string) int {
	return r.statusOf("/socket.io/?EIO=4&transport=polling"+query, headers...)
}

// statusOf is that of a GET, or 431 if the connection was reset: a server that
// refuses a head does not read the rest of it, and the client, still writing, may
// hear of that before it hears the answer.
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

// A token lets large messages in, and nothing lets attachments in.
func TestWhatASocketMaySendBeforeAndAfterItsToken(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	s := r.listen(alice)
	s.ask("expense:create", `{"description":"`+strings.Repeat("x", 100_000)+`"}`)
	s.send(`451-["expense:create",{"_placeholder":true,"num":0}]`)
	if !s.gone() {
		t.Error("attachments were announced, and the socket is still there")
	}
	c, res, err := websocket.DefaultDialer.Dial(strings.Replace(r.url, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	defer c.Close()
	_ = c.WriteMessage(websocket.TextMessage, []byte(`40{"token":"`+strings.Repeat("x", 20_000)+`"}`))
	for err == nil {
		_, _, err = c.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Errorf("20 KB before a token: %v", err)
	}
}

// All people behind a proxy that is not declared are one address.
func TestAHundredPeopleBehindOneProxyConnectAndSync(t *testing.T) {
	r := start(t, "MAX_CONNECTIONS=250", "MAX_CONNECTIONS_PER_USER=0")
	alice := r.register("alice@example.org")
	var people sync.WaitGroup
	for i := range 100 {
		people.Go(func() {
			s := r.listen(alice)
			if a := s.ask("expense:create", fmt.Sprintf(`{"description":"%d","amount":1,"category":"food","type":"expense"}`, i)); !strings.Contains(a, `"ok":true`) {
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
	if a := r.call("GET", "/socket.io/?EIO=4&transport=polling", "", ""); a.code != http.StatusServiceUnavailable || !strings.Contains(a.body, "of this address or in all") {
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
