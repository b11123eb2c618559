package app

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/store/storetest"
)

// A statementCounter is a proxy for PostgreSQL that counts which statements are run.
type statementCounter struct {
	ln     net.Listener
	target string

	mu  sync.Mutex
	ran map[string]int // by text
}

// countStatements returns the URL of a database by way of a counter.
func countStatements(t *testing.T, database string) (string, *statementCounter) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	c := &statementCounter{target: u.Host, ran: make(map[string]int)}
	if c.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.ln.Close() })
	go c.accept()
	u.Host = c.ln.Addr().String()
	return u.String(), c
}

func (c *statementCounter) accept() {
	for {
		client, err := c.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		go func() {
			defer server.Close()
			_ = c.forward(server, bufio.NewReader(client))
		}()
		go func() {
			defer client.Close()
			_, _ = io.Copy(client, server)
		}()
	}
}

// forward passes the messages of a client on and counts its statements.
func (c *statementCounter) forward(server io.Writer, client *bufio.Reader) error {
	statements, portals := map[string]string{}, map[string]string{}
	for first := true; ; first = false {
		var kind byte
		if !first { // the first message has none
			var err error
			if kind, err = client.ReadByte(); err != nil {
				return err
			}
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(client, head); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(head)-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return err
		}
		texts := strings.SplitN(string(body), "\x00", 3)
		switch kind {
		case 'P': // prepares a statement of a name
			statements[texts[0]] = texts[1]
		case 'B': // binds it to a portal
			portals[texts[0]] = statements[texts[1]]
		case 'E':
			c.count(portals[texts[0]])
		case 'Q':
			c.count(texts[0])
		}
		message := append(head, body...)
		if !first {
			message = append([]byte{kind}, message...)
		}
		if _, err := server.Write(message); err != nil {
			return err
		}
	}
}

func (c *statementCounter) count(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ran[text]++
}

// take returns which statements ran at least half as often as n times since the last call,
// by their first words, and how often for each of the n.
func (c *statementCounter) take(n int) (often []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for text, times := range c.ran {
		if times >= n/2 {
			often = append(often, fmt.Sprintf("%d %.160s", (times+n/2)/n, text))
		}
	}
	clear(c.ran)
	slices.Sort(often)
	return often
}

// A page is a client that comes back where it was.
type page struct {
	token, pid, offset string
}

func (p *page) auth(more string) string {
	auth := fmt.Sprintf(`{"token":%q`, p.token)
	if p.pid != "" {
		auth += fmt.Sprintf(`,"pid":%q,"offset":%q`, p.pid, p.offset)
	}
	return auth + more + "}"
}

// connect opens a socket and closes it when the page knows everything that a connection
// tells: the balance comes last.
func (p *page) connect(r *running, more string) error {
	s, answer := r.dial(p.auth(more))
	defer s.client.Close()
	var reply struct{ PID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "40")), &reply); err != nil {
		return fmt.Errorf("answer %s: %w", answer, err)
	}
	if p.pid != "" && reply.PID != p.pid {
		return fmt.Errorf("not recovered: %s", answer)
	}
	p.pid = reply.PID
	return nil
}

// When all clients come back at once, what each of them asks the database decides when the
// last one is served. What is written of their devices is written together.
func TestAConnectReadsTheDatabaseOnce(t *testing.T) {
	const pages = 60
	database, counter := countStatements(t, storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL)
	r := start(t, "DATABASE_URL="+database)
	all := make([]*page, pages)
	for i := range all {
		all[i] = &page{token: r.register(fmt.Sprintf("user%d@example.org", i))}
	}
	connectAll := func(more string) (statements []string) {
		t.Helper()
		counter.take(1)
		var g sync.WaitGroup
		for _, p := range all {
			g.Go(func() {
				if err := p.connect(r, more); err != nil {
					t.Error(err)
				}
			})
		}
		g.Wait()
		r.app.hub.FlushDevices()
		time.Sleep(time.Second) // for what follows a connection: a statement too many would come now
		return counter.take(pages)
	}
	beginAnew := func() {
		for _, p := range all {
			p.pid = ""
		}
	}
	const bearer = "1 SELECT id, name, email"
	check := func(name string, ran []string, want ...string) {
		t.Helper()
		for i := range ran {
			ran[i], _, _ = strings.Cut(ran[i], ", password_hash")
		}
		if diff := cmp.Diff(want, ran); diff != "" {
			t.Errorf("statements of a connection that is %s (-want +got):\n%s", name, diff)
		}
	}
	check("fresh", connectAll(""), bearer)
	check("recovered", connectAll(""), bearer)
	beginAnew()
	connectAll(`,"timeZone":"Europe/Berlin"`) // sets it, once for each account
	beginAnew()
	check("fresh, with a time zone", connectAll(`,"timeZone":"Europe/Berlin"`), bearer)
}

// Each statement of a change is a wait of its user and a round trip. A change that needs only
// its user's row is one statement; one that looks something up has its lock first.
func TestAChangeIsWrittenByOneStatement(t *testing.T) {
	const creates = 40
	database, counter := countStatements(t, storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL)
	r := start(t, "DATABASE_URL="+database)
	token := r.register("alice@example.org")
	s, _ := r.dial((&page{token: token}).auth(""))
	defer s.client.Close()
	const bearer = "1 SELECT id, name, email"
	const log, hint = "1 SELECT user_id, seq, k", "1 SELECT pg_notify($1, p" // after the answer, and for several changes together
	create := func(headers ...string) (statements []string) {
		t.Helper()
		counter.take(1)
		for i := range creates {
			body := fmt.Sprintf(`{"description":"Tea %d","amount":1.5,"category":"food","type":"expense","deviceId":"phone"}`, i)
			if len(headers) > 0 {
				headers = []string{"Idempotency-Key", fmt.Sprintf("key %d", i)}
			}
			if a := r.call("POST", "/api/expenses", token, body, headers...); a.code != 201 {
				t.Fatal(a)
			}
		}
		time.Sleep(time.Second) // for what follows a change
		for _, text := range counter.take(creates) {
			if text = text[:min(len(text), 24)]; text != log && text != hint {
				statements = append(statements, text)
			}
		}
		return statements
	}
	want := []string{bearer, "1 WITH w0 AS (UPDATE use"}
	if diff := cmp.Diff(want, create()); diff != "" {
		t.Errorf("statements of a create (-want +got):\n%s", diff)
	}
	want = []string{"1 BEGIN", "1 COMMIT", bearer, bearer, "1 SELECT id, user_id, ac", "1 WITH w0 AS (INSERT INT"}
	if diff := cmp.Diff(want, create("Idempotency-Key", "")); diff != "" {
		t.Errorf("statements of a create with a key (-want +got):\n%s", diff)
	}
}
