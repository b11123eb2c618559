package adminui

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/keyring"
	"expenseflow/internal/socketio"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/testneed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait; it is no promise.
const patience = time.Minute

const password = "a password of the tests"

// A process is a server with an Admin UI.
type process struct {
	*UI
	t   *testing.T
	url string
	log *testneed.LogBuffer
}

// guesses is a Limiter of so many wrong passwords.
type guesses struct {
	mu   sync.Mutex
	most int
	used map[string]int
}

func (g *guesses) Peek(key string) (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return 90 * time.Second, g.used[key] < g.most
}

func (g *guesses) Take(key string) (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used[key]++
	return 0, true
}

func testOptions() Options {
	return Options{
		User: "admin", Password: password, Keys: keyring.New([]byte("a secret of the tests")).Derive("admins"),
		Guesses: &guesses{most: 100, used: map[string]int{}},
		Address: func(remote string) string { return remote[:strings.LastIndexByte(remote, ':')] },
	}
}

// start runs a server until the test ends. change changes its options.
func start(t *testing.T, change func(*Options)) *process {
	t.Helper()
	p := &process{t: t, log: &testneed.LogBuffer{}}
	o := testOptions()
	o.IO = socketio.New(socketio.Config{ReleaseHandshake: true})
	o.Logger = slog.New(slog.NewTextHandler(p.log, nil))
	change(&o)
	o.IO.Of("/").OnConnect(func(s *socketio.Socket) { _ = s.Join("lobby") })
	p.UI = New(o)
	server := httptest.NewServer(o.IO)
	p.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = o.IO.Shutdown(context.Background())
		server.Close()
		if t.Failed() {
			t.Logf("log of %s:\n%s", o.Process, p.log)
		}
	})
	return p
}

// startPair runs two servers that tell each other everything.
func startPair(t *testing.T, change func(*Options)) (a, b *process) {
	t.Helper()
	var mu sync.Mutex
	all := map[string]*UI{}
	one := func(name, other string) *process {
		return start(t, func(o *Options) {
			change(o)
			if o.Process = name; o.Others == nil {
				o.Others = func() []string { return []string{other} }
			}
			o.Publish = func(kind string, data any) {
				text, err := json.Marshal(data)
				if err != nil || len(text) > 7800 {
					t.Errorf("%s publishes %d bytes of %s: %v", name, len(text), kind, err)
				}
				mu.Lock()
				defer mu.Unlock()
				all[other].Receive(name, kind, text)
			}
		})
	}
	a, b = one("A", "B"), one("B", "A")
	mu.Lock()
	defer mu.Unlock()
	all["A"], all["B"] = a.UI, b.UI
	return a, b
}

// A client is a connection to one namespace.
type client struct {
	t         *testing.T
	conn      *socketiotest.Client
	namespace string

	mu      sync.Mutex
	packets []string
	came    chan struct{}
	done    chan struct{}
}

func (p *process) dial(namespace string) *client {
	p.t.Helper()
	conn, err := socketiotest.Dial(context.Background(), p.url, socketiotest.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	c := &client{t: p.t, conn: conn, namespace: namespace, came: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		_ = conn.Listen(c.hear)
	}()
	p.t.Cleanup(c.close)
	return c
}

func (c *client) close() {
	_ = c.conn.Close()
	<-c.done
}

func (c *client) hear(packet string) {
	c.mu.Lock()
	c.packets = append(c.packets, packet)
	c.mu.Unlock()
	select {
	case c.came <- struct{}{}:
	default:
	}
}

// send sends a packet of a type to the client's namespace.
func (c *client) send(kind, payload string) {
	prefix := ""
	if c.namespace != "/" {
		prefix = c.namespace + ","
	}
	if err := c.conn.Send("4" + kind + prefix + payload); err != nil {
		c.t.Error(err)
	}
}

// await returns the first packet, of those that came so far or come, that has all parts,
// and forgets it.
func (c *client) await(parts ...string) string {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		if packet, ok := c.find(parts); ok {
			return packet
		}
		select {
		case <-c.came:
		case <-deadline:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.t.Fatalf("no packet has %q among\n%s", parts, strings.Join(c.packets, "\n"))
		}
	}
}

func (c *client) find(parts []string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, packet := range c.packets {
		if hasAll(packet, parts) {
			c.packets = append(c.packets[:i:i], c.packets[i+1:]...)
			return packet, true
		}
	}
	return "", false
}

func hasAll(packet string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(packet, part) {
			return false
		}
	}
	return true
}

// signIn connects with an auth and returns the answer to CONNECT.
func (p *process) signIn(auth string) (c *client, answer string) {
	p.t.Helper()
	c = p.dial("/admin")
	c.send("0", auth)
	return c, c.await("/admin,")
}

func withPassword(password string) string {
	return fmt.Sprintf(`{"username":"admin","password":%q}`, password)
}

// admin signs in.
func (p *process) admin() *client {
	p.t.Helper()
	c, answer := p.signIn(withPassword(password))
	if !strings.HasPrefix(answer, "40/admin,") {
		p.t.Fatal(answer)
	}
	return c
}

// user connects a user, who is in the room "lobby", and returns the socket's id.
func (p *process) user() (c *client, id string) {
	p.t.Helper()
	c = p.dial("/")
	c.send("0", "")
	var reply struct{ SID string }
	if err := json.Unmarshal([]byte(c.await("40{")[2:]), &reply); err != nil {
		p.t.Fatal(err)
	}
	return c, reply.SID
}

// order sends a command, and returns the acknowledgement.
func (c *client) order(args string) string {
	c.t.Helper()
	c.send("2", "7"+args)
	return c.await("43/admin,7")
}
