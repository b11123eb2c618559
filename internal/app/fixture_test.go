package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"expenseflow/internal/auth"
	"expenseflow/internal/config"
	"expenseflow/internal/keyring"
	"expenseflow/internal/ledger"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

// patience bounds every wait; it is no promise. Hashing a password under the
// race detector takes many seconds.
const patience = 2 * time.Minute

// A running program, with everything real but the outside world.
type running struct {
	t    *testing.T
	app  *App
	url  string
	log  *testneed.LogBuffer
	stop func() error // ends the program and gives Run's error; more than once is harmless
}

// settings are those of every program here; later ones win.
func settings(t *testing.T, more ...string) config.Config {
	t.Helper()
	environ := append([]string{
		"HOST=127.0.0.1", "PORT=0", "DATA_DIR=" + t.TempDir(),
		"SHUTDOWN_DELAY=0", "DRAIN_SPREAD=0", "LOG_LEVEL=debug", "JWT_SECRET=" + testSecret,
	}, more...)
	cfg, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const testSecret = "a secret of the tests, long enough to be taken"

func start(t *testing.T, more ...string) *running {
	t.Helper()
	return startWith(t, settings(t, more...))
}

func startWith(t *testing.T, cfg config.Config) *running {
	t.Helper()
	return startChanged(t, cfg, func(*App) {})
}

// startChanged is startWith of a program that is changed before it runs.
func startChanged(t *testing.T, cfg config.Config, change func(*App)) *running {
	t.Helper()
	storetest.CopyMigrated(t, filepath.Join(cfg.DataDir, "expenseflow.db"))
	log := &testneed.LogBuffer{}
	a, err := New(t.Context(), cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	change(a)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return &running{t: t, app: a, url: "http://" + a.Addr(), log: log, stop: stop}
}

// An answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
}

// call sends a request; token "" sends none, body "" sends none.
func (r *running) call(method, path, token, body string, headers ...string) answer {
	r.t.Helper()
	var b io.Reader
	if body != "" {
		b = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, r.url+path, b)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" { // as every page does
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request,
		[]*http.Request,
	) error {
		return http.ErrUseLastResponse
	}}
	res, err := client.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{res.StatusCode, res.Header, string(text)}
	if r.app != nil { // the document says nothing of BASE_PATH
		inside, ok := r.app.cfg.BasePath.Strip(req.URL)
		if !ok {
			return a
		}
		req.URL = inside
	}
	if err := api.check(req, body, a); err != nil {
		r.t.Error(err)
	}
	return a
}

// field gives a text in a JSON document, by its path of keys.
func (a answer) field(path ...string) string {
	var v any
	_ = json.Unmarshal([]byte(a.body), &v)
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	s, _ := v.(string)
	return s
}

// register makes an account with the password "secret" and gives a token. It
// goes past HTTP, for the sake of a hash that takes no time.
func (r *running) register(email string) string {
	r.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		r.t.Fatal(err)
	}
	u := models.User{ID: ledger.NewID(), Name: "Test", Email: email, PasswordHash: hash, CreatedAt: models.Millis(time.Now())}
	if err := r.app.store.CreateUser(r.t.Context(), u); err != nil {
		r.t.Fatal(err)
	}
	token, err := auth.NewTokens(keyring.New([]byte(testSecret)), time.Hour).Issue(u, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

const expenseBody = `{"description":"Lunch","amount":12.5,"category":"food","type":"expense","deviceId":"device_1"}`

// expense stores one and gives its id.
func (r *running) expense(token string) string {
	r.t.Helper()
	a := r.call("POST", "/api/expenses", token, expenseBody)
	if a.code != 201 {
		r.t.Fatalf("create: %d %s", a.code, a.body)
	}
	return a.field("_id")
}

// A socket is a Socket.IO client over WebSocket that keeps what it hears.
type socket struct {
	t       *testing.T
	client  *socketiotest.Client
	answers chan string // acknowledgements of ask
	events  chan string // name and payload, such as `expense_deleted {"id":...}`
	closed  chan struct{}
}

// listen opens a socket and waits until it is connected.
func (r *running) listen(token string) *socket {
	r.t.Helper()
	s, answer := r.dial(fmt.Sprintf(`{"token":%q}`, token))
	if !strings.HasPrefix(answer, "40") {
		r.t.Fatalf("not connected: %s", answer)
	}
	return s
}

// dial connects with this auth and gives the answer. cookie is the browser's; none is a
// browser that does not say which it is.
func (r *running) dial(auth string, cookie ...string) (s *socket, answer string) {
	r.t.Helper()
	return r.dialWith(http.Header{"Cookie": cookie}, auth)
}

// dialAs is dial by a client with a User-Agent.
func (r *running) dialAs(userAgent, auth string) (s *socket, answer string) {
	r.t.Helper()
	return r.dialWith(http.Header{"User-Agent": {userAgent}}, auth)
}

func (r *running) dialWith(h http.Header, auth string) (s *socket, answer string) {
	r.t.Helper()
	client, err := socketiotest.Dial(context.Background(), r.url, socketiotest.Options{Header: h})
	if err != nil {
		r.t.Fatal(err)
	}
	s = &socket{
		t: r.t, client: client, events: make(chan string, 1000), answers: make(chan string, 100),
		closed: make(chan struct{}),
	}
	connected := make(chan string, 1)
	go s.read(connected)
	r.t.Cleanup(func() {
		client.Close()
		<-s.closed
	})
	s.send("40" + auth)
	select {
	case answer = <-connected:
	case <-time.After(patience):
		r.t.Fatal("no answer to CONNECT")
	}
	return s, answer
}

// ask says something and gives the acknowledgement.
func (s *socket) ask(event, object string) string {
	s.t.Helper()
	s.send(fmt.Sprintf(`427[%q,%s]`, event, object))
	select {
	case a := <-s.answers:
		return a
	case <-s.closed:
		s.t.Fatal("the socket was closed")
	case <-time.After(patience):
		s.t.Fatalf("no answer to %s", event)
	}
	return ""
}

func (s *socket) send(packet string) {
	if err := s.client.Send(packet); err != nil {
		s.t.Error(err)
	}
}

func (s *socket) read(connected chan<- string) {
	defer close(s.closed)
	last := ""
	_ = s.client.Listen(func(packet string) {
		switch {
		case strings.HasPrefix(packet, "40"), strings.HasPrefix(packet, "44"):
			connected <- packet
		case strings.HasPrefix(packet, "437"):
			s.answers <- packet[3:]
		case strings.HasPrefix(packet, "42"):
			last = s.take(event(packet[2:]), last)
		}
	})
}

// states are events that tell how things stand, which come whenever they like.
var states = []string{"system:status ", "notification_count ", "account:balance ", "presence:update "}

// take keeps an event, unless it is a state, or the second spelling of the last
// one; it gives the last one.
func (s *socket) take(e, last string) string {
	switch {
	case slices.ContainsFunc(states, func(name string) bool { return strings.HasPrefix(e, name) }):
		return last
	case !strings.HasPrefix(e, "expense:"), strings.HasPrefix(e, "expense:shared "):
		s.events <- e
	case strings.Replace(e, ":", "_", 1) != last:
		s.events <- "after " + last + " came " + e
	}
	return e
}

// event turns ["name",{...},"offset"] into `name {...}`: a text at the end is the
// socket's place in the log.
func event(text string) string {
	var parts []json.RawMessage
	var name string
	if json.Unmarshal([]byte(text), &parts) != nil || len(parts) == 0 || json.Unmarshal(parts[0], &name) != nil {
		return "malformed " + text
	}
	for _, part := range parts[1:] {
		if part[0] != '"' {
			name += " " + string(part)
		}
	}
	return name
}

// next gives the next event.
func (s *socket) next() string {
	s.t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-s.closed:
		s.t.Fatal("the socket was closed")
	case <-time.After(patience):
		s.t.Fatal("no event")
	}
	return ""
}

// until gives the events before the one of the expense that is called so: what
// comes earlier in the log is heard earlier.
func (s *socket) until(description string) []string {
	s.t.Helper()
	heard := []string{}
	for {
		e := s.next()
		if strings.Contains(e, description) {
			return heard
		}
		heard = append(heard, e)
	}
}

// gone waits for the server to close the socket.
func (s *socket) gone() bool {
	select {
	case <-s.closed:
		return true
	case <-time.After(patience):
		return false
	}
}

var patterns = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"[0-9a-f]{24}"`), `"<id>"`},
	{regexp.MustCompile(`[0-9a-f]{24}`), `<id>`},
	{regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`), `"<time>"`},
	{regexp.MustCompile(`"day":"\d{4}-\d\d-\d\d"`), `"day":"<day>"`},
	{regexp.MustCompile(`"eyJ[\w-]+\.[\w-]+\.[\w-]+"`), `"<token>"`},
}

// plain replaces what differs from run to run, if it has the contract's form.
func plain(s string) string {
	for _, p := range patterns {
		s = p.re.ReplaceAllString(s, p.with)
	}
	return s
}
