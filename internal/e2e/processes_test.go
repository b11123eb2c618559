package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expenseflow/internal/e2e/balancer"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/testneed"
)

// processes starts n programs on one PostgreSQL of the test's own, which believe what a
// balancer on this machine says of its visitors.
func processes(t *testing.T, n int, settings ...string) []*program {
	t.Helper()
	db := testneed.NewPostgres(t)
	all := make([]*program, n)
	for i := range all {
		own := []string{"DATABASE_URL=" + db.URL, "TRUSTED_PROXIES=127.0.0.1", "METRICS_ADDR=" + freeAddr(t)}
		all[i] = startRaced(t, append(own, settings...)...)
	}
	return all
}

// behindABalancer is the address of a balancer that sends each request to any of these
// programs, as tests know a program.
func behindABalancer(t *testing.T, all []*program) *program {
	t.Helper()
	var addrs []string
	for _, p := range all {
		addrs = append(addrs, p.addr())
	}
	front, err := balancer.Start(addrs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	return at(t, front.Addr())
}

// at is an address as tests know a program.
func at(t *testing.T, addr string) *program {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return &program{port: n, scheme: "http"}
}

// The balancers that people are given files for.
var balancers = map[string]func(t *testing.T, processes ...*program) (url string){
	"nginx": startNginx, "HAProxy": startHAProxy, "Caddy": startCaddy,
}

// startHAProxy runs HAProxy with the file that users get; addresses are set by the
// environment, as users may. The third process of the file is not there.
func startHAProxy(t *testing.T, processes ...*program) string {
	t.Helper()
	addr := freeAddr(t)
	cmd := exec.Command(testneed.HAProxy(t), "-f", filepath.Join("..", "..", "docs", "deploy", "haproxy.cfg"), "-db")
	cmd.Env = append(os.Environ(), "EXPENSEFLOW_BIND="+addr)
	for i := range 3 {
		there := freeAddr(t)
		if i < len(processes) {
			there = processes[i].addr()
		}
		cmd.Env = append(cmd.Env, fmt.Sprintf("EXPENSEFLOW_%d=%s", i+1, there))
	}
	startBalancer(t, addr, cmd)
	return "http://" + addr
}

// startCaddy runs Caddy with the file that users get, only its addresses changed.
func startCaddy(t *testing.T, processes ...*program) string {
	t.Helper()
	path, dir, addr := testneed.Caddy(t), t.TempDir(), freeAddr(t)
	var upstreams []string
	for _, p := range processes {
		upstreams = append(upstreams, p.addr())
	}
	site := edited(t, filepath.Join("..", "..", "docs", "deploy", "Caddyfile"), map[string]string{
		"expenseflow.example.com {":      "http://" + addr + " {",
		"reverse_proxy 127.0.0.1:3000 {": "reverse_proxy " + strings.Join(upstreams, " ") + " {",
	})
	writeFile(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n}\n"+site)
	cmd := exec.Command(path, "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	startBalancer(t, addr, cmd)
	return "http://" + addr
}

// Two thousand devices of ten users are connected over two processes, every fourth by
// polling, and nothing sends a device's requests to the same process. Each hears each
// change once, wherever it was made; then a process ends, and whoever stays hears on.
func TestBalancersCarryTwoThousandConnectionsOverTwoProcesses(t *testing.T) {
	for name, balance := range balancers {
		t.Run(name, func(t *testing.T) {
			ps := processes(t, 2, "MAX_CONNECTIONS_PER_USER=0", "SHUTDOWN_DELAY=3s", "DRAIN_SPREAD=1s")
			front := at(t, strings.TrimPrefix(balance(t, ps...), "http://"))
			c := connectCrowd(t, front, 10, crowdOfUser)
			c.checkSpread(t, ps)
			c.checkEachHears(t, 1)

			if err := ps[1].stop(); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				c.users[0].call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusOK)
			}
			c.checkEachHears(t, 2)
			t.Logf("%d of %d connections stayed", c.open(), len(c.members))
		})
	}
}

// crowdOfUser is how many connections each of ten users has: a fifth under the race detector,
// which needs several times the memory and the time for each.
var crowdOfUser = map[bool]int{false: 200, true: 40}[testneed.Race]

// A crowd is many connections of some users, by sockets that do not come back.
type crowd struct {
	users   []*account
	members []*member
}

// A member is one connection.
type member struct {
	user   int
	client *socketiotest.Client
	heard  atomic.Int64 // events of creations, under one of their names
	over   atomic.Bool
}

// atOnceInCrowd is how many connect beside each other.
const atOnceInCrowd = 32

func connectCrowd(t *testing.T, front *program, users, each int) *crowd {
	t.Helper()
	c := &crowd{}
	for range users {
		c.users = append(c.users, register(t, front))
	}
	ctx, cancel := context.WithCancel(context.Background())
	places := make(chan int)
	c.members = make([]*member, users*each)
	var connecting, listening sync.WaitGroup
	for range atOnceInCrowd {
		connecting.Go(func() {
			for i := range places {
				m, err := c.connect(ctx, front.url(), i)
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					continue
				}
				c.members[i] = m
				listening.Go(m.listen)
			}
		})
	}
	for i := range c.members {
		places <- i
	}
	close(places)
	connecting.Wait()
	t.Cleanup(func() {
		cancel()
		listening.Wait()
	})
	if t.Failed() {
		t.FailNow()
	}
	return c
}

func (c *crowd) connect(ctx context.Context, url string, i int) (*member, error) {
	m := &member{user: i % len(c.users)}
	var err error
	if m.client, err = socketiotest.Dial(ctx, url, socketiotest.Options{Polling: i%4 == 3}); err != nil {
		return nil, err
	}
	answer, err := m.client.Connect(fmt.Sprintf(`{"token":%q}`, c.users[m.user].Token))
	if err == nil && !strings.HasPrefix(answer, "40") {
		err = fmt.Errorf("answered %s", answer)
	}
	return m, err
}

func (m *member) listen() {
	_ = m.client.Listen(func(packet string) { // it ends when the test or its process does
		if strings.HasPrefix(packet, `42["expense_created"`) {
			m.heard.Add(1)
		}
	})
	m.over.Store(true)
	_ = m.client.Close()
}

// open is how many connections there still are.
func (c *crowd) open() (n int) {
	for _, m := range c.members {
		if !m.over.Load() {
			n++
		}
	}
	return n
}

// sockets is the gauge of a process.
var sockets = regexp.MustCompile(`(?m)^expenseflow_sockets (\d+)`)

// checkSpread wants each process to have a share of the connections.
func (c *crowd) checkSpread(t *testing.T, ps []*program) {
	t.Helper()
	sum := 0
	for i, p := range ps {
		found := sockets.FindStringSubmatch(string(call(t, http.MethodGet, p.metrics(t), "", nil).want(t, http.StatusOK).body))
		if found == nil {
			t.Fatal("no gauge of sockets")
		}
		n, _ := strconv.Atoi(found[1]) // digits
		if sum += n; n < len(c.members)/5 {
			t.Errorf("process %d has %d of %d connections", i, n, len(c.members))
		}
	}
	same(t, "connections", len(c.members), sum)
}

// metrics is the address of the program's metrics.
func (p *program) metrics(t *testing.T) string {
	t.Helper()
	for _, s := range p.env {
		if addr, ok := strings.CutPrefix(s, "METRICS_ADDR="); ok {
			return "http://" + addr + "/metrics"
		}
	}
	t.Fatal("METRICS_ADDR is not set")
	return ""
}

// checkEachHears makes one change of each user and wants everybody who is connected to
// have heard n in all.
func (c *crowd) checkEachHears(t *testing.T, n int64) {
	t.Helper()
	for _, u := range c.users {
		u.create(t, "heard by everybody", "")
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		late := 0
		for _, m := range c.members {
			switch heard := m.heard.Load(); {
			case heard > n:
				t.Fatalf("a connection heard %d of %d changes", heard, n)
			case heard < n && !m.over.Load():
				late++
			}
		}
		if late == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections have not heard %d changes", late, n)
		}
	}
}

// Every client library in use works with two processes between which a balancer spreads
// each single request at random: polling, WebSocket and the upgrade between them.
func TestClientMatrixThroughARandomBalancer(t *testing.T) {
	clientMatrix(t, behindABalancer(t, processes(t, 2)))
}

// Two pages of January 2026 are the same page whichever process answers them.
func TestOldPagesOnTwoProcesses(t *testing.T) {
	ps := processes(t, 2)
	a, n := register(t, ps[0]), startNode(t)
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			one := n.openPage(t, ps[0].url(), a, a.device("one "+tr.name), tr, seconds30)
			other := n.openPage(t, ps[1].url(), a, a.device("other "+tr.name), tr, seconds30)
			kept, gone := one.add(t, "kept"), one.add(t, "gone")
			other.hear(t, 2, "expense_created")
			other.do(t, "remove", gone.ID)
			one.hear(t, 1, "expense_deleted")
			other.do(t, "setOnLine", false)
			other.add(t, "queued")
			other.do(t, "setOnLine", true)
			other.do(t, "sync")
			other.awaitSynced(t, 1)
			one.hear(t, 3, "expense_created")
			texts := one.state(t).texts()
			same(t, "row of what was kept", "kept", texts[kept.ID])
			same(t, "row of what was removed", "", texts[gone.ID])
		})
	}
}

// The built-in page in two browsers behind the balancer: live, offline and back, and on
// through the end of either process.
func TestPageOnTwoProcesses(t *testing.T) {
	ps := processes(t, 2)
	front := behindABalancer(t, ps)
	who, one, other := twoWindows(t, startBrowser(t), front.url())
	one.add(t, "Lunch", "12.50")
	other.awaitRows(t, "Lunch −12.50")
	other.edit(t, "Lunch", "Amount", "13")
	one.awaitRows(t, "Lunch −13.00")

	one.offline(t, true)
	one.add(t, "Tea", "4")
	one.awaitRows(t, "Tea −4.00 [Waiting]", "Lunch −13.00")
	one.offline(t, false)
	other.awaitRows(t, "Tea −4.00", "Lunch −13.00")

	for i, p := range ps {
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		one.add(t, fmt.Sprint("Without process ", i), "1")
		other.awaitText(t, fmt.Sprint("Without process ", i))
		one.awaitStatus(t, "Live")
		other.awaitStatus(t, "Live")
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "stored expenses", 4, len(who.account(t, front).expenses(t)))
}
