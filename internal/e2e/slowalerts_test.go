//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/testneed"
)

// A troubled pair of processes has a Prometheus, a Redis that loses what it is told, a
// database in which a row is locked again and again, an address at which nobody is, and
// clients that come back from a session that nobody knows.
type troubled struct {
	prometheus
	here, there *program
	redis       *testneed.RedisServer
	database    *testneed.Server
	accounts    []*account // one at a time writes; to wait for a connection there must be more
}

func startTroubled(t *testing.T) *troubled {
	t.Helper()
	p := &troubled{database: testneed.NewPostgres(t), redis: testneed.NewRedis(t, testneed.RedisOptions{})}
	settings := func(metrics, reachedAt string) []string {
		return []string{
			"DATABASE_URL=" + p.database.URL, "REDIS_URL=" + p.redis.URL, "DATABASE_MAX_CONNECTIONS=2", "METRICS_ADDR=" + metrics,
			"METRICS_TOKEN=" + metricsToken, "ADVERTISE_URL=" + reachedAt,
		}
	}
	one, other := freeAddr(t), freeAddr(t)
	p.here = start(t, settings(one, "http://127.0.0.1:1")...)
	p.there = start(t, settings(other, "")...)
	p.prometheus = startPrometheus(t, one, other)
	for range 4 {
		p.accounts = append(p.accounts, register(t, p.here))
	}
	return p
}

// comeBack has a client ask to continue where it was in a session that nobody knows.
func (p *troubled) comeBack(t *testing.T) {
	t.Helper()
	c, err := socketiotest.Dial(t.Context(), p.there.url(), socketiotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Connect(fmt.Sprintf(`{"token":%q,"pid":"unknown","offset":"unknown"}`, p.accounts[0].Token)); err != nil {
		t.Fatal(err)
	}
}

// create makes changes beside each other, which are answered in the end.
func (p *troubled) create(n int) (answered *sync.WaitGroup) {
	answered = &sync.WaitGroup{}
	body := map[string]any{"description": "in trouble", "amount": 12.5, "category": "food", "type": "expense"}
	for i := range n {
		a := p.accounts[i%len(p.accounts)]
		answered.Go(func() { _, _ = try(http.MethodPost, p.here.url()+"/api/expenses", a.Token, body) })
	}
	return answered
}

// starve locks the row of the account: writers wait for it with all connections of their
// process, and whoever comes after them waits for a connection.
func (p *troubled) starve(t *testing.T) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), p.database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), "BEGIN; SELECT 1 FROM users FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	answered := p.create(8)
	time.Sleep(time.Second) // the wait that is measured
	if _, err := db.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	answered.Wait()
}

// loseHints cuts what carries hints while there are some.
func (p *troubled) loseHints(t *testing.T) {
	t.Helper()
	for range 5 {
		answered := p.create(2)
		if _, err := p.redis.Do("CLIENT", "KILL", "TYPE", "pubsub"); err != nil {
			t.Fatal(err)
		}
		answered.Wait()
	}
}

// stall stops the process in which somebody listens while changes are made in the other.
func (p *troubled) stall() {
	_ = p.there.cmd.Process.Signal(syscall.SIGSTOP)
	p.create(4).Wait()
	time.Sleep(1500 * time.Millisecond) // the lateness that is measured
	_ = p.there.cmd.Process.Signal(syscall.SIGCONT)
}

// The alerts of what goes slowly or gets lost between processes fire for real.
func TestTheAlertsOfTwoTroubledProcessesOnARealPrometheus(t *testing.T) {
	t.Parallel()
	p := startTroubled(t)
	startNode(t).connectAt(t, p.there.url(), p.accounts[0], transports[1])
	disturb := func() {
		for range 8 {
			p.comeBack(t)
		}
		p.starve(t)
		p.loseHints(t)
		p.stall()
	}
	p.awaitFiring(t, func() {}, "ExpenseflowNodeUnreachable") // before a stopped process is not scraped either
	p.awaitFiring(t, disturb, "ExpenseflowDeliverySlow", "ExpenseflowHintGaps", "ExpenseflowRecoveryFails",
		"ExpenseflowDatabaseWait")
}
