package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/e2e/process"
	"expenseflow/internal/socketio/socketiotest"
)

// The kinds of work that the others do.
const (
	kindProfile = "profile" // GET /api/user/profile
	kindCreate  = "create"  // POST /api/expenses
	kindEvent   = "event"   // from sending a create to its event on another socket
	kindList    = "list"    // GET /api/expenses?page=1&limit=50
	kindConnect = "connect" // WebSocket and CONNECT
	kindSignIn  = "sign-in" // POST /api/auth/login
)

// rates is how often the others do each kind of work, per second in all.
var rates = map[string]int{kindProfile: 40, kindCreate: 20, kindList: 4, kindConnect: 4}

// others are four people who use the server as people do, from an address that
// floods nothing.
type others struct {
	addr   string
	client *http.Client
	people []person
	signIn bool // one of them signs in once a second

	mu      sync.Mutex
	seen    latencies
	waiting map[string]time.Time // by description: when the create was sent
	serial  int
}

type person struct {
	email, token string
	socket       *socketiotest.Client
}

// newOthers registers the others and opens a socket for each.
func newOthers(ctx context.Context, addr string, signIn bool) (*others, error) {
	o := &others{
		addr: addr, signIn: signIn, seen: latencies{}, waiting: map[string]time.Time{},
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	for i := range 4 {
		account, err := process.Register(ctx, o.client, addr, fmt.Sprintf("person%d@example.org", i))
		if err != nil {
			return nil, err
		}
		p := person{email: account.Email, token: account.Token}
		if p.socket, err = process.Dial(addr, "127.0.0.1", p.token); err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		socket := p.socket
		go func() { _ = socket.Listen(o.hear) }()
		o.people = append(o.people, p)
	}
	return o, nil
}

// work has everybody work for d.
func (o *others) work(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var g sync.WaitGroup
	for kind, perSecond := range rates {
		g.Go(func() { o.repeat(ctx, kind, perSecond) })
	}
	if o.signIn {
		g.Go(func() { o.repeat(ctx, kindSignIn, 1) })
	}
	g.Wait()
	return nil
}

// repeat begins a piece of work at a fixed rate, whether or not earlier ones have
// ended, so that a stall is felt by everything that would have come meanwhile.
func (o *others) repeat(ctx context.Context, kind string, perSecond int) {
	var g sync.WaitGroup
	defer g.Wait()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.Go(func() { o.do(kind) })
		}
	}
}

func (o *others) do(kind string) {
	p, began := o.next(), time.Now()
	var err error
	switch kind {
	case kindProfile:
		err = o.get(p, "/api/user/profile")
	case kindList:
		err = o.get(p, "/api/expenses?page=1&limit=50")
	case kindCreate:
		err = o.create(p)
	case kindConnect:
		err = o.connect(p)
	case kindSignIn:
		err = o.post(p, "/api/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, p.email, process.Password))
	}
	o.note(kind, time.Since(began), err)
}

// next takes turns.
func (o *others) next() *person {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.serial++
	return &o.people[o.serial%len(o.people)]
}

func (o *others) get(p *person, path string) error { return o.ask(http.MethodGet, p, path, "") }

func (o *others) post(p *person, path, body string) error {
	return o.ask(http.MethodPost, p, path, body)
}

func (o *others) ask(method string, p *person, path, body string) error {
	a, err := process.Send(context.Background(), o.client, method, "http://"+o.addr+path, p.token, body)
	if err == nil && a.Status >= 300 {
		err = fmt.Errorf("%d %.100s", a.Status, a.Body)
	}
	return err
}

// create posts an expense whose event is awaited by hear.
func (o *others) create(p *person) error {
	o.mu.Lock()
	o.serial++
	text := fmt.Sprintf("entry-%d-", o.serial)
	o.waiting[text] = time.Now()
	o.mu.Unlock()
	return o.post(p, "/api/expenses", fmt.Sprintf(`{"description":%q,"amount":12.5,"category":"food","type":"expense"}`, text))
}

// hear notes how long an event took.
func (o *others) hear(packet string) {
	if !strings.Contains(packet, `"expense_created"`) {
		return
	}
	i := strings.Index(packet, "entry-")
	if i < 0 {
		return
	}
	text, _, _ := strings.Cut(packet[i:], `"`)
	o.mu.Lock()
	began, ok := o.waiting[text]
	delete(o.waiting, text)
	o.mu.Unlock()
	if ok {
		o.note(kindEvent, time.Since(began), nil)
	}
}

func (o *others) connect(p *person) error {
	c, err := process.Dial(o.addr, "127.0.0.1", p.token)
	if err != nil {
		return err
	}
	return c.Close()
}

func (o *others) note(kind string, d time.Duration, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.seen[kind]
	s.took = append(s.took, d)
	if err != nil {
		s.failed++
		s.cause = err.Error()
	}
	o.seen[kind] = s
}

// reset returns what was seen since the last reset. An event that is still awaited
// after a second counts as failed.
func (o *others) reset() latencies {
	o.mu.Lock()
	defer o.mu.Unlock()
	for text, began := range o.waiting {
		if time.Since(began) > time.Second {
			s := o.seen[kindEvent]
			s.took, s.failed = append(s.took, time.Since(began)), s.failed+1
			o.seen[kindEvent] = s
			delete(o.waiting, text)
		}
	}
	seen := o.seen
	o.seen = latencies{}
	return seen
}

func (o *others) leave() {
	for _, p := range o.people {
		_ = p.socket.Close()
	}
	o.client.CloseIdleConnections()
}

// latencies are what the others saw, by kind of work.
type latencies map[string]series

type series struct {
	took   []time.Duration
	failed int
	cause  string // of the last failure
}

func (l latencies) p99(kind string) time.Duration {
	took := slices.Sorted(slices.Values(l[kind].took))
	if len(took) == 0 {
		return 0
	}
	return took[len(took)*99/100]
}

// kinds returns each kind's 99th percentile.
func (l latencies) kinds() map[string]time.Duration {
	m := map[string]time.Duration{}
	for k := range l {
		m[k] = l.p99(k)
	}
	return m
}

func (l latencies) failed() (n int) {
	for _, s := range l {
		n += s.failed
	}
	return n
}

func (l latencies) count() (n int) {
	for _, s := range l {
		n += len(s.took)
	}
	return n
}
