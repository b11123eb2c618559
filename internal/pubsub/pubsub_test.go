package pubsub_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/pubsub"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

func redis(t *testing.T, url string) *pubsub.Redis {
	t.Helper()
	b, err := pubsub.OpenRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func postgres(t *testing.T, url string) *pubsub.Postgres {
	t.Helper()
	b, err := pubsub.OpenPostgres(url, "DATABASE_LISTEN_URL", "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// A listener keeps what it hears.
type listener struct {
	heard chan string // "channel payload"
	ended chan error
}

func listen(t *testing.T, b pubsub.Broker, to pubsub.Channels) *listener {
	t.Helper()
	l := &listener{make(chan string, 1000), make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ready := make(chan struct{})
	go func() {
		l.ended <- b.Listen(ctx, to, func() { close(ready) }, func(channel, payload string) { l.heard <- channel + " " + payload })
	}()
	t.Cleanup(func() {
		cancel()
		if err := l.end(t); err == nil {
			t.Error("Listen returned nil")
		}
	})
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatal("not subscribed")
	}
	return l
}

// end waits for the end, and may be called again.
func (l *listener) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-l.ended:
		l.ended <- err
		return err
	case <-time.After(patience):
		t.Fatal("Listen goes on")
		return nil
	}
}

func (l *listener) next(t *testing.T) string {
	t.Helper()
	select {
	case s := <-l.heard:
		return s
	case <-time.After(patience):
		t.Fatal("nothing was heard")
		return ""
	}
}

func brokers(t *testing.T) map[string]func() pubsub.Broker {
	return map[string]func() pubsub.Broker{
		"redis":    func() pubsub.Broker { return redis(t, testneed.Redis(t)) },
		"postgres": func() pubsub.Broker { return postgres(t, testneed.Postgres(t)) },
	}
}

func TestMessagesArriveInOrder(t *testing.T) {
	for name, open := range brokers(t) {
		t.Run(name, func(t *testing.T) {
			b := open()
			if err := b.Check(t.Context(), "it's a \"channel\""); err != nil {
				t.Fatal(err)
			}
			l := listen(t, b, pubsub.Channels{Names: []string{`it's a "channel"`, "other"}})
			var batch, want []string
			for i := range 500 {
				batch = append(batch, fmt.Sprint("message ", i, strings.Repeat("ü", i)))
				want = append(want, `it's a "channel" `+batch[i])
			}
			if err := b.Publish(t.Context(), `it's a "channel"`, batch); err != nil {
				t.Fatal(err)
			}
			if err := b.Publish(t.Context(), "other", []string{"last"}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for range batch {
				got = append(got, l.next(t))
			}
			if !slices.Equal(got, want) {
				t.Errorf("heard %q", got)
			}
			if s := l.next(t); s != "other last" {
				t.Errorf("heard %q", s)
			}
		})
	}
}

// A cluster forwards messages among its servers: listeners hear of channels of any of them.
func TestAClusterOfRedisIsOneBroker(t *testing.T) {
	b := redis(t, testneed.NewRedisCluster(t))
	channels := []string{"a", "b", "c", "d", "e", "f"} // of both servers
	l := listen(t, b, pubsub.Channels{Names: channels, Patterns: []string{"wild*"}})
	for _, channel := range append(channels, "wild1", "wild2", "wild3") {
		if err := b.Publish(t.Context(), channel, []string{"hello"}); err != nil {
			t.Fatal(err)
		}
		if s := l.next(t); s != channel+" hello" {
			t.Errorf("heard %q, want what was told to %s", s, channel)
		}
	}
}

// When the server dies that Sentinel names, listening ends, and the next attempt finds the
// replica that was promoted.
func TestAPromotedReplicaOfRedisIsFound(t *testing.T) {
	first := testneed.NewRedis(t, testneed.RedisOptions{})
	second := testneed.NewRedis(t, testneed.RedisOptions{Of: first})
	sentinel := testneed.NewRedis(t, testneed.RedisOptions{Watch: first})
	sentinel.AwaitReplica(t)
	b := redis(t, sentinel.URL+"?master_name="+testneed.SentinelName)
	l := listen(t, b, pubsub.Channels{Names: []string{"x"}})

	first.Stop(t)
	if err := l.end(t); err == nil {
		t.Error("Listen went on without its server")
	}
	second.AwaitMaster(t)
	var err error
	for range 100 {
		if err = b.Check(t.Context(), "x"); err == nil {
			break
		}
		pubsub.Sleep(t.Context(), 100*time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	next := listen(t, b, pubsub.Channels{Names: []string{"x"}})
	if err := b.Publish(t.Context(), "x", []string{"hello"}); err != nil {
		t.Fatal(err)
	}
	if s := next.next(t); s != "x hello" {
		t.Errorf("heard %q", s)
	}
}

func TestPatternsMatchWhatTheySay(t *testing.T) {
	b := redis(t, testneed.Redis(t))
	l := listen(t, b, pubsub.Channels{Names: []string{"named"}, Patterns: []string{pubsub.EscapePattern("a[b]*?\\#/#") + "*"}})
	for _, channel := range []string{"ab#/#", "a[b]xy\\#/#", "a[b]*?\\#/#", "a[b]*?\\#/#room#", "named"} {
		if err := b.Publish(t.Context(), channel, []string{"x"}); err != nil {
			t.Fatal(err)
		}
	}
	got := []string{l.next(t), l.next(t), l.next(t)}
	if want := []string{"a[b]*?\\#/# x", "a[b]*?\\#/#room# x", "named x"}; !slices.Equal(got, want) {
		t.Errorf("heard %q", got)
	}
}

func TestListenEndsWithItsConnection(t *testing.T) {
	t.Run("redis", func(t *testing.T) {
		s := testneed.NewRedis(t, testneed.RedisOptions{})
		b := redis(t, s.URL)
		l := listen(t, b, pubsub.Channels{Names: []string{"c"}})
		s.Stop(t)
		if err := l.end(t); models.KindOf(err) != models.Unavailable {
			t.Errorf("it ended with %v", err)
		}
		if err := b.Check(t.Context(), "c"); models.KindOf(err) != models.Unavailable {
			t.Errorf("Check: %v", err)
		}
		if err := b.Publish(t.Context(), "c", []string{"lost"}); models.KindOf(err) != models.Unavailable {
			t.Errorf("Publish: %v", err)
		}
		s.Start(t)
		again := listen(t, b, pubsub.Channels{Names: []string{"c"}})
		if err := b.Publish(t.Context(), "c", []string{"back"}); err != nil {
			t.Fatal(err)
		}
		if got := again.next(t); got != "c back" {
			t.Errorf("heard %q", got)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		url := testneed.Postgres(t)
		b := postgres(t, url)
		l := listen(t, b, pubsub.Channels{Names: []string{"c"}})
		if err := b.Publish(t.Context(), "c", []string{"heard"}); err != nil {
			t.Fatal(err)
		}
		if got := l.next(t); got != "c heard" {
			t.Errorf("heard %q", got)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		const backends = "FROM pg_stat_activity WHERE application_name = 'test'"
		if _, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) "+backends); err != nil {
			t.Fatal(err)
		}
		if err := l.end(t); models.KindOf(err) != models.Unavailable {
			t.Errorf("it ended with %v", err)
		}
		again := listen(t, b, pubsub.Channels{Names: []string{"c"}})
		for b.Publish(t.Context(), "c", []string{"back"}) != nil { // the kept connection was ended too
			t.Log("once more")
		}
		if got := again.next(t); got != "c back" {
			t.Errorf("heard %q", got)
		}
	})
}

// wantProblem wants an error of a kind that says this, and no password.
func wantProblem(t *testing.T, err error, kind models.Kind, says string) {
	t.Helper()
	if models.KindOf(err) != kind || !strings.Contains(models.Message(err), says) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v: %v", models.KindOf(err), err)
	}
}

// What will never work is told from what may pass, in one sentence with the fix and without
// a password.
func TestCheckSaysWhatToDo(t *testing.T) {
	password := testneed.NewRedis(t, testneed.RedisOptions{Password: true})
	encrypted := testneed.NewRedis(t, testneed.RedisOptions{TLS: true})
	plain := testneed.Redis(t)
	_, host, _ := strings.Cut(password.URL, "@")
	for _, tt := range []struct {
		name, url string
		kind      models.Kind
		says      string
	}{
		{"wrong password", "redis://:hunter2@" + host, models.Invalid, "refuses the user or the password"},
		{"wrong user", "redis://root:hunter2@" + host, models.Invalid, "refuses the user or the password"},
		{"no password", "redis://" + host, models.Invalid, "wants a password"},
		{"no such database", strings.TrimSuffix(plain, "0") + "99", models.Invalid, "has no database of that number"},
		{"unknown certificate", encrypted.URL, models.Invalid, "certificate that is not trusted"},
		{"no TLS", strings.Replace(plain, "redis://", "rediss://", 1), models.Unavailable, "redis:// without"},
		{"TLS only", strings.Replace(encrypted.URL, "rediss://", "redis://", 1), models.Unavailable, "cannot be reached"},
		{"nobody there", "redis://:hunter2@127.0.0.1:1", models.Unavailable, "cannot be reached"},
		{"no such host", "redis://:hunter2@host.invalid:6379", models.Unavailable, "cannot be reached"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := redis(t, tt.url).Check(t.Context(), "c")
			wantProblem(t, err, tt.kind, tt.says)
		})
	}
	if err := redis(t, password.URL).Check(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if err := redis(t, encrypted.URL+"?skip_verify=true").Check(t.Context(), "c"); err != nil {
		t.Error(err)
	}
}

func TestCheckSaysWhatToDoAboutPostgres(t *testing.T) {
	url := testneed.Postgres(t)
	user, host, _ := strings.Cut(url, "@")
	for _, tt := range []struct {
		name, url string
		kind      models.Kind
		says      string
	}{
		{"wrong password", "postgres://expenseflow:hunter2@" + host, models.Invalid, `does not let user "expenseflow" in: correct DATABASE_LISTEN_URL`},
		{"no such database", user + "@" + strings.Replace(host, "/postgres?", "/absent?", 1), models.Invalid, `no database "absent"`},
		{"nobody there", "postgres://u:hunter2@127.0.0.1:1/x", models.Unavailable, "host and port in DATABASE_LISTEN_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := postgres(t, tt.url).Check(t.Context(), "c")
			wantProblem(t, err, tt.kind, tt.says)
		})
	}
}

func TestURLsThatCannotBeUsed(t *testing.T) {
	for _, url := range []string{
		"", "localhost:6379", "http://:hunter2@localhost", "redis://:hunter2@localhost:port", "redis://:hun%ter2@localhost",
		"redis://:hunter2@localhost/seven", "redis://:hunter2@localhost?unknown=1",
		"redis://:hunter2@localhost?addr=localhost:1&unknown=1", "redis://:hunter2@localhost?master_name=m&db=x",
	} {
		if b, err := pubsub.OpenRedis(url); err == nil {
			b.Close()
			t.Errorf("%q was taken", url)
		} else if models.KindOf(err) != models.Invalid || strings.Contains(err.Error(), "hun") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{
		"redis://localhost", "redis://user:p%40ss@localhost:6380/3?read_timeout=1s", "rediss://localhost",
		"redis://localhost:1?addr=localhost:2&addr=localhost:3", "redis://localhost:26379/0?master_name=main&addr=localhost:26380",
	} {
		if b, err := pubsub.OpenRedis(url); err != nil {
			t.Errorf("%q: %v", url, err)
		} else if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := pubsub.OpenPostgres("postgres://u:hunter2@h:port/x", "DATABASE_LISTEN_URL", "")
	wantProblem(t, err, models.Invalid, "DATABASE_LISTEN_URL is not a valid PostgreSQL URL")
}

// A paused server keeps its connections and answers nothing.
func TestASilentServerIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits half a minute")
	}
	s := testneed.NewRedis(t, testneed.RedisOptions{})
	l := listen(t, redis(t, s.URL), pubsub.Channels{Names: []string{"c"}})
	s.Pause(t)
	defer s.Continue(t)
	select {
	case err := <-l.ended:
		l.ended <- err
		if models.KindOf(err) != models.Unavailable {
			t.Error(err)
		}
	case <-time.After(2 * patience):
		t.Fatal("it was not noticed")
	}
}

func TestPostgresReadsBytes(t *testing.T) {
	b := postgres(t, testneed.Postgres(t))
	if err := b.Exec(t.Context(), "SELECT nothing FROM nowhere"); err == nil {
		t.Error("no error")
	}
	got, err := b.ReadBytes(t.Context(), "SELECT $1::bytea", []byte{0, 255})
	if err != nil || string(got) != "\x00\xff" {
		t.Errorf("%x, %v", got, err)
	}
	if got, err = b.ReadBytes(t.Context(), "SELECT 'x'::bytea WHERE false"); err != nil || got != nil {
		t.Errorf("%x, %v", got, err)
	}
}

func TestTheLogIsQuiet(t *testing.T) {
	var text strings.Builder
	l := pubsub.Log{Logger: slog.New(slog.NewTextHandler(&text, nil))}
	l.Passed("passed")
	for range 3 {
		l.Trouble(t.Context(), "trouble", context.Canceled)
	}
	l.Passed("passed")
	l.Passed("passed")
	if n, m := strings.Count(text.String(), "trouble"), strings.Count(text.String(), "passed"); n != 1 || m != 1 {
		t.Error(text.String())
	}
}
