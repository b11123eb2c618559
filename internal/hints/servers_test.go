package hints_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/hints"
	"expenseflow/internal/keyring"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
)

const patience = 30 * time.Second

// A kind is a way to connect processes.
type kind struct {
	name string
	open func(t *testing.T, o hints.Options) (*hints.Remote, error)
}

func kinds(redisURL, postgresURL string) []kind {
	return []kind{
		{"redis", func(t *testing.T, o hints.Options) (*hints.Remote, error) {
			return hints.NewRedis(t.Context(), redisURL, "prefix", o)
		}},
		{"postgres", func(t *testing.T, o hints.Options) (*hints.Remote, error) {
			return hints.NewPostgres(t.Context(), postgresURL, "DATABASE_URL", o)
		}},
	}
}

// A process has a bus that runs.
type process struct {
	*hints.Remote
	mu     sync.Mutex
	heard  map[string]time.Time // when a user's hint arrived
	missed int
}

func begin(t *testing.T, k kind, id, installation string) *process {
	t.Helper()
	r, err := k.open(t, hints.Options{
		Process: id, Installation: installation, Ring: keyring.New([]byte("secret")), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Remote: r, heard: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, p.take, p.miss) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return p
}

func (p *process) take(_ string, h hints.Hint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range h.Users() {
		p.heard[id] = time.Now()
	}
}

func (p *process) miss() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missed++
}

func (p *process) missedTimes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.missed
}

func (p *process) has(userID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.heard[userID].IsZero()
}

// await fails the test if it does not become true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("never: %s", what)
		}
	}
}

func meet(t *testing.T, all ...*process) {
	t.Helper()
	await(t, "all have met", func() bool {
		for _, p := range all {
			if s := p.Stats(); s.Senders != len(all)-1 || !s.Up {
				return false
			}
		}
		return true
	})
}

func TestProcessesHearEachOther(t *testing.T) {
	for _, k := range kinds(testneed.Redis(t), testneed.Postgres(t)) {
		t.Run(k.name, func(t *testing.T) {
			a, b, c := begin(t, k, "a", "home"), begin(t, k, "b", "home"), begin(t, k, "c", "home")
			stranger := begin(t, k, "d", "elsewhere")
			meet(t, a, b, c)
			for i := range 300 {
				a.Publish(hints.ForUsers(fmt.Sprintf("%024d", i)))
			}
			for i := range 300 {
				id := fmt.Sprintf("%024d", i)
				await(t, id, func() bool { return b.has(id) && c.has(id) })
			}
			if s := a.Stats(); len(a.heard) != 0 || s.Gaps != 0 || s.Sent > 300 || len(stranger.heard) != 0 {
				t.Errorf("%+v; it heard %d of its own, and another installation %d", s, len(a.heard), len(stranger.heard))
			}
			for _, p := range []*process{a, b, c, stranger} {
				for reason, n := range p.Stats().Dropped {
					if n > 0 && reason != "unknown_sender" {
						t.Errorf("%d were dropped: %s", n, reason)
					}
				}
			}
		})
	}
}

// heals has the server fail and come back. If lost, that loses hints.
func heals(t *testing.T, k kind, lost bool, fail, recover func()) {
	t.Helper()
	a, b := begin(t, k, "a", "home"), begin(t, k, "b", "home")
	meet(t, a, b)
	before := b.missedTimes()
	fail()
	await(t, "it is noticed", func() bool { return a.Check(t.Context()) != nil || b.missedTimes() > before })
	recover()
	for _, p := range []*process{a, b} {
		await(t, "it is up", func() bool { return p.Check(t.Context()) == nil })
	}
	if lost {
		await(t, "it is known that hints were lost", func() bool { return b.missedTimes() > before })
	}
	a.Publish(hints.ForUsers("after"))
	await(t, "hints flow again", func() bool { return b.has("after") })
}

func TestTheBusHeals(t *testing.T) {
	redis := testneed.NewRedis(t, testneed.RedisOptions{})
	postgres := testneed.NewPostgres(t)
	overRedis, overPostgres := kinds(redis.URL, postgres.URL)[0], kinds(redis.URL, postgres.URL)[1]
	t.Run("redis stops", func(t *testing.T) {
		heals(t, overRedis, true, func() { redis.Stop(t) }, func() { redis.Start(t) })
	})
	t.Run("redis pauses", func(t *testing.T) {
		heals(t, overRedis, false, func() { redis.Pause(t) }, func() { redis.Continue(t) })
	})
	t.Run("postgres stops", func(t *testing.T) {
		heals(t, overPostgres, true, func() { postgres.Stop(t) }, func() { postgres.Start(t) })
	})
	t.Run("listeners are terminated", func(t *testing.T) {
		heals(t, overPostgres, true, func() {
			conn, err := pgx.Connect(t.Context(), postgres.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			const terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'expenseflow hints'"
			if _, err := conn.Exec(t.Context(), terminate); err != nil {
				t.Fatal(err)
			}
		}, func() {})
	})
}

// A server that is down at the start is waited for; a configuration that will never work is
// refused.
func TestTheStart(t *testing.T) {
	s := testneed.NewRedis(t, testneed.RedisOptions{Password: true})
	o := hints.Options{Process: "a", Installation: "home", Ring: keyring.New([]byte("secret"))}
	wrong := strings.Replace(s.URL, "redis://:", "redis://:x", 1)
	if _, err := hints.NewRedis(t.Context(), wrong, "p", o); models.KindOf(err) != models.Invalid {
		t.Errorf("a wrong password: %v", err)
	}
	s.Stop(t)
	k := kinds(s.URL, "")[0]
	a := begin(t, k, "a", "home")
	if a.Check(t.Context()) == nil {
		t.Error("it is up")
	}
	s.Start(t)
	await(t, "it is up", func() bool { return a.Check(t.Context()) == nil })
	for _, o := range []hints.Options{
		{Process: "", Ring: o.Ring},
		{Process: "too long for the id of one", Ring: o.Ring},
		{Process: "a b", Ring: o.Ring},
	} {
		if _, err := hints.NewRedis(t.Context(), s.URL, "p", o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
