package faultproxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// through is a proxy in front of a server that answers requests with their bodies, and
// says "one", "two" and "three" over a WebSocket. asked counts the requests.
func through(t *testing.T, o Options) (p *Proxy, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/ws" {
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
			return
		}
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for _, word := range []string{"one", "two", "three"} {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(word))
		}
	}))
	p, err := Start(strings.TrimPrefix(server.URL, "http://"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		p.Close()
		server.Close()
	})
	return p, asked
}

// post sends a body and returns the answer, "" if none came.
func post(p *Proxy, path, body string) string {
	res, err := http.Post(p.URL()+path, "text/plain", strings.NewReader(body))
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b)
}

func TestAnAnswerIsLostAndItsRequestArrives(t *testing.T) {
	var shown []string
	p, asked := through(t, Options{Request: func(r *http.Request, body []byte) bool {
		shown = append(shown, r.Method+" "+r.URL.Path+" "+string(body))
		return r.URL.Path == "/lost"
	}})
	for _, step := range []struct{ path, body, want string }{{"/kept", "a", "a"}, {"/lost", "b", ""}, {"/kept", "c", "c"}} {
		if got := post(p, step.path, step.body); got != step.want {
			t.Errorf("%s: %q, want %q", step.path, got, step.want)
		}
	}
	if got := fmt.Sprint(shown); got != "[POST /kept a POST /lost b POST /kept c]" || asked.Load() != 3 {
		t.Errorf("shown %s, asked %d times", got, asked.Load())
	}
}

func TestAProxyThatIsDownResetsEverything(t *testing.T) {
	var unanswered atomic.Int64
	p, asked := through(t, Options{Unanswered: func() { unanswered.Add(1) }})
	if post(p, "/", "a") != "a" || p.Len() != 1 {
		t.Fatalf("%d connections", p.Len())
	}
	p.SetDown(true)
	p.Cut()
	if got := post(p, "/", "b"); got != "" || asked.Load() != 1 {
		t.Errorf("answered %q while it is down", got)
	}
	p.SetDown(false)
	if got := post(p, "/", "c"); got != "c" || unanswered.Load() != 0 {
		t.Errorf("answered %q when it is back", got)
	}
}

func TestAConnectionIsCutBehindOneFrame(t *testing.T) {
	p, _ := through(t, Options{Frame: func(payload []byte) bool { return string(payload) == "two" }})
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(p.URL(), "http")+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var heard []string
	for err == nil {
		var word []byte
		if _, word, err = conn.ReadMessage(); err == nil {
			heard = append(heard, string(word))
		}
	}
	if got := fmt.Sprint(heard); got != "[one two]" {
		t.Errorf("heard %s", got)
	}
}

func TestASlowProxyTakesItsTime(t *testing.T) {
	p, _ := through(t, Options{})
	p.SetRate(100_000)
	began, body := time.Now(), strings.Repeat("x", 20_000)
	if got := post(p, "/", body); got != body {
		t.Errorf("%d bytes", len(got))
	}
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("20 KB at 100 KB a second took %v", took)
	}
}
