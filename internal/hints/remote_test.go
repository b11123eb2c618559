package hints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/keyring"
	"expenseflow/internal/pubsub"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A cable is a broker's server in memory.
type cable struct {
	mu        sync.Mutex
	listeners map[*socket]bool
	down      bool
	silent    bool                      // takes messages and delivers none
	loses     func(payload string) bool // nil loses nothing
	recorded  []string
	trips     int // calls of Publish
}

type socket struct {
	arrived chan string
	broken  chan struct{}
}

var errCut = errors.New("cut")

// A plug is a pubsub.Broker of a cable.
type plug struct{ c *cable }

func newCable() *cable { return &cable{listeners: map[*socket]bool{}} }

func (p plug) Check(context.Context, string) error { return nil }
func (p plug) Close() error                        { return nil }

func (p plug) Publish(_ context.Context, _ string, payloads []string) error {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	if p.c.down {
		return errCut
	}
	p.c.trips++
	for _, payload := range payloads {
		p.c.recorded = append(p.c.recorded, payload)
		p.c.deliver(payload)
	}
	return nil
}

func (c *cable) deliver(payload string) {
	if c.silent || (c.loses != nil && c.loses(payload)) {
		return
	}
	for s := range c.listeners {
		s.arrived <- payload
	}
}

// inject delivers a message of whoever can publish.
func (c *cable) inject(payload string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deliver(payload)
}

func (c *cable) roundTrips() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trips
}

// record returns what was published.
func (c *cable) record() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.recorded)
}

// set changes the cable.
func (c *cable) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	if c.down {
		for s := range c.listeners {
			close(s.broken)
			delete(c.listeners, s)
		}
	}
}

func (p plug) Listen(ctx context.Context, _ pubsub.Channels, subscribed func(), received func(channel, payload string)) error {
	s := &socket{make(chan string, 100_000), make(chan struct{})}
	p.c.mu.Lock()
	if p.c.down {
		p.c.mu.Unlock()
		return errCut
	}
	p.c.listeners[s] = true
	p.c.mu.Unlock()
	defer p.c.set(func() { delete(p.c.listeners, s) })
	subscribed()
	for {
		select {
		case payload := <-s.arrived:
			received("", payload)
		case <-s.broken:
			return errCut
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A process has a bus that runs, and keeps what it hears.
type process struct {
	*Remote
	stop func()

	mu     sync.Mutex
	heard  []string // "from kind data"
	missed int
}

const window = 5 * time.Millisecond

func testOptions(id string) Options {
	return Options{
		Process: id, Installation: "home", Ring: keyring.New([]byte("secret")),
		Logger: slog.New(slog.DiscardHandler),
	}
}

func (c *cable) start(t *testing.T, o Options) *process {
	t.Helper()
	r, err := newRemote(plug{c}, "channel", window, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Remote: r}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, p.take, p.miss) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

// cluster starts processes "a", "b", ... that have met.
func (c *cable) cluster(t *testing.T, n int) []*process {
	t.Helper()
	all := make([]*process, n)
	for i := range all {
		all[i] = c.start(t, testOptions(string(rune('a'+i))))
	}
	settle()
	for _, p := range all {
		if s := p.Stats(); s.Senders != n-1 || !s.Up {
			t.Fatalf("after the start: %+v", s)
		}
		p.forget()
	}
	return all
}

// settle waits until everybody has said what is to say.
func settle() {
	time.Sleep(500 * time.Millisecond)
	synctest.Wait()
}

func (p *process) take(from string, h Hint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, from+" "+h.Kind+" "+string(h.Data))
}

func (p *process) miss() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missed++
}

// hints returns what p has heard, and how often it was told that it missed some.
func (p *process) hints() (heard []string, missed int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard), p.missed
}

func (p *process) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard, p.missed = nil, 0
}

// wants fails the test unless p has heard exactly this since forget.
func (p *process) wants(t *testing.T, missed int, heard ...string) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.missed != missed || !slices.Equal(p.heard, heard) {
		t.Errorf("%s heard %q and missed %d times, want %q and %d; %+v", p.self.process, p.heard, p.missed, heard, missed, p.Stats())
	}
}

func room(text string) Hint { return Hint{"room", json.RawMessage(fmt.Sprintf("%q", text))} }

func TestAHintReachesTheOthersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCable().cluster(t, 3)
		all[0].Publish(room("hello"))
		settle()
		all[1].Publish(ForUsers("alice"))
		settle()
		all[0].wants(t, 0, `b log {"users":["alice"]}`)
		all[1].wants(t, 0, `a room "hello"`)
		all[2].wants(t, 0, `a room "hello"`, `b log {"users":["alice"]}`)
		if sent, got := all[0].Stats().Sent, all[2].Stats().Received; sent != 1 || got != 2 {
			t.Errorf("%d sent, %d received", sent, got)
		}
	})
}

// A command ends as soon as every process knows of its hint, which none would believe at once.
func TestACommandTellsEveryProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 3)
		command, err := newRemote(plug{c}, "channel", window, testOptions("command"))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := command.Tell(t.Context(), ForUsers("alice"), len(all)); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d >= helloInterval {
			t.Errorf("it took %v", d)
		}
		for _, p := range all {
			p.wants(t, 1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late, err := newRemote(plug{c}, "channel", window, testOptions("late"))
		if err != nil {
			t.Fatal(err)
		}
		if err := late.Tell(ctx, ForUsers("alice"), len(all)+1); err != nil || ctx.Err() == nil {
			t.Errorf("one that nobody hears was not waited for: %v", err)
		}
	})
}

// Thousands of commands left no room for a process.
func TestCommandsThatEndedLeaveRoom(t *testing.T) {
	ps, now := peers{}, time.Now()
	for i := range maxPeers {
		p := ps.of(identity{"command", fmt.Sprint(i)}, now)
		p.trusted, p.heard = true, now
	}
	if ps.of(identity{"process", "1"}, now) != nil {
		t.Error("a process that was just heard was forgotten")
	}
	if ps.of(identity{"process", "1"}, now.Add(livingFor+1)) == nil || len(ps) != maxPeers {
		t.Errorf("no room among %d", len(ps))
	}
}

func TestUntilTheFirstHintItConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		r, err := newRemote(plug{c}, "channel", window, testOptions("a"))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(t.Context()); !errors.Is(err, ErrConnecting) {
			t.Errorf("before it runs: %v", err)
		}
		down := newCable()
		down.set(func() { down.down = true })
		for _, p := range []*process{c.start(t, testOptions("b")), down.start(t, testOptions("c"))} {
			settle()
			want := map[string]error{"b": nil, "c": errDown}[p.self.process]
			if err := p.Check(t.Context()); !errors.Is(err, want) || errors.Is(err, ErrConnecting) {
				t.Errorf("%s: %v, want %v", p.self.process, err, want)
			}
			p.stop()
		}
	})
}

// The first hint after a pause does not wait.
func TestTheFirstHintGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCable().cluster(t, 2)
		start := time.Now()
		all[0].Publish(ForUsers("alice"))
		synctest.Wait()
		all[1].wants(t, 0, `a log {"users":["alice"]}`)
		if d := time.Since(start); d != 0 {
			t.Errorf("it took %v", d)
		}
	})
}

func TestHintsAboutUsersAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 2)
		all[0].Publish(room("first")) // whoever comes after it waits for the window
		synctest.Wait()
		for range 3 {
			for _, user := range []string{"alice", "bob"} {
				all[0].Publish(ForUsers(user))
			}
		}
		settle()
		all[1].wants(t, 0, `a room "first"`, `a log {"users":["alice","bob"]}`)
	})
}

func TestALongListOfUsersIsSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCable().cluster(t, 2)
		want := map[string]bool{}
		var ids []string
		for i := range 2000 {
			ids = append(ids, fmt.Sprintf("%024d", i))
			want[ids[i]] = true
		}
		all[0].Publish(ForUsers(ids...))
		settle()
		arrived, _ := all[1].hints()
		for _, heard := range arrived {
			if len(heard) > MaxData+20 {
				t.Errorf("a hint of %d bytes", len(heard))
			}
			for _, id := range (Hint{KindLog, json.RawMessage(strings.TrimPrefix(heard, "a log "))}).Users() {
				delete(want, id)
			}
		}
		if len(want) > 0 || len(arrived) > 10 {
			t.Errorf("%d hints lack %d users", len(arrived), len(want))
		}
	})
}

// However much is published, processes together make at most about 200 round trips in a
// second.
func TestSendersAreSlowTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 4)
		before := c.roundTrips()
		for i := range 2000 {
			all[i%4].Publish(room("again"))
			time.Sleep(500 * time.Microsecond)
		}
		synctest.Wait()
		if trips := c.roundTrips() - before; trips > 220 || trips < 100 {
			t.Errorf("%d round trips in a second", trips)
		}
		settle()
		if got, _ := all[0].hints(); len(got) != 1500 {
			t.Errorf("%d of 1500 hints arrived", len(got))
		}
	})
}

func TestAGapMeansMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 2)
		c.set(func() { c.loses = func(payload string) bool { return strings.Contains(payload, `"lost"`) } })
		all[0].Publish(room("lost"))
		settle()
		all[1].wants(t, 0)
		all[0].Publish(room("after"))
		settle()
		all[1].wants(t, 1, `a room "after"`)
		if gaps := all[1].Stats().Gaps; gaps != 1 {
			t.Errorf("%d gaps", gaps)
		}
	})
}

func TestTheLossOfTheLastHintIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 2)
		c.set(func() { c.loses = func(payload string) bool { return strings.Contains(payload, `"lost"`) } })
		all[0].Publish(room("lost"))
		time.Sleep(helloInterval + time.Second)
		all[1].wants(t, 1)
	})
}

func TestAConnectMeansMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		p := c.start(t, testOptions("a"))
		settle()
		p.wants(t, 1)
		c.set(func() { c.down = true })
		settle()
		if p.Stats().Up {
			t.Error("it is up")
		}
		c.set(func() { c.down = false })
		time.Sleep(pubsub.LongestPause + time.Second)
		p.wants(t, 2)
		if !p.Stats().Up {
			t.Error("it is down")
		}
	})
}

// What waits while there is no connection is bounded, and who would have heard it knows.
func TestPublishDoesNotBlockWhileNothingCanBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 2)
		c.set(func() { c.down = true })
		for i := range 50_000 {
			all[0].Publish(room("far too much"))
			all[0].Publish(ForUsers(fmt.Sprint("user", i)))
		}
		synctest.Wait()
		if n := all[0].Stats().Dropped["queue_full"]; n < 40_000 {
			t.Errorf("%d were dropped", n)
		}
		c.set(func() { c.down = false })
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, missed := all[1].hints(); missed < 2 { // the connect and the gap
			t.Errorf("missed %d times", missed)
		}
		all[1].forget()
		all[0].Publish(room("after"))
		settle()
		all[1].wants(t, 0, `a room "after"`)
	})
}

func TestWhatCannotBeAHintIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCable().cluster(t, 2)
		for _, h := range []Hint{
			{"room", json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)},
			{"room", json.RawMessage(`no json`)},
			{"room", nil},
			{"room", json.RawMessage("\"\xff\"")},
			{"", json.RawMessage(`1`)},
			{".am", json.RawMessage(`1`)},
			{"has space", json.RawMessage(`1`)},
			ForUsers(strings.Repeat("x", 1<<20)),
		} {
			all[0].Publish(h)
		}
		settle()
		all[1].wants(t, 0)
		if n := all[0].Stats().Dropped["invalid"]; n != 8 {
			t.Errorf("%d were dropped", n)
		}
	})
}

// Whoever can publish and listen, but lacks the secret, achieves nothing.
func TestWhatIsNotAuthenticIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 2)
		all[0].Publish(room("once"))
		settle()
		all[1].forget()
		published := c.record()
		recorded := published[len(published)-1]
		fields := strings.SplitN(recorded, " ", 7)
		changed := func(i int, to string) string {
			other := slices.Clone(fields)
			other[i] = to
			return strings.Join(other, " ")
		}
		for _, payload := range []string{
			strings.Repeat("x", 1<<20), "garbage", "2 a b c d e f", recorded + " ", `{"json":true}`,
			changed(1, "b"), changed(2, "nonce"), changed(3, "1000"), changed(4, "status"), changed(6, `"twice"`),
			changed(3, "0"), changed(3, "01"), changed(3, "99999999999999999999"), changed(5, "short"), changed(4, "a.b"),
		} {
			c.inject(payload)
		}
		settle()
		all[1].wants(t, 0)
		if s := all[1].Stats(); s.Dropped["garbage"]+s.Dropped["forged"] != 15 || s.Dropped["forged"] != 6 {
			t.Errorf("dropped %v", s.Dropped)
		}
		all[0].Publish(room("after"))
		settle()
		all[1].wants(t, 0, `a room "after"`)
	})
}

func TestAReplayIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		all := c.cluster(t, 2)
		all[0].Publish(room("once"))
		settle()
		all[0].stop()
		all[1].forget()
		recorded := c.record()
		for _, payload := range recorded {
			c.inject(payload)
		}
		settle()
		all[1].wants(t, 0)
		if n := all[1].Stats().Dropped["replayed"]; n == 0 {
			t.Error("none was counted")
		}
		// A process that began later has never heard the sender.
		later := c.start(t, testOptions("later"))
		settle()
		later.forget()
		for range 10 {
			for _, payload := range recorded {
				c.inject(payload)
			}
			time.Sleep(2 * time.Second)
		}
		later.wants(t, 0)
		if n := later.Stats().Dropped["unknown_sender"]; n == 0 {
			t.Error("none was counted")
		}
	})
}

func TestInstallationsDoNotHearEachOther(t *testing.T) {
	for _, tt := range []struct {
		name  string
		other func(*Options)
	}{
		{"another secret", func(o *Options) { o.Ring = keyring.New([]byte("another")) }},
		{"another database", func(o *Options) { o.Installation = "another" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCable()
				a, o := c.start(t, testOptions("a")), testOptions("b")
				tt.other(&o)
				b := c.start(t, o)
				settle()
				a.forget()
				b.Publish(room("hello"))
				settle()
				a.wants(t, 0)
				if s := a.Stats(); s.Dropped["forged"] == 0 || s.Senders != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestASecretIsReplacedWhileProcessesRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		before, after := testOptions("before"), testOptions("after")
		before.Ring = keyring.New([]byte("old"), []byte("new"))
		after.Ring = keyring.New([]byte("new"), []byte("old"))
		a, b := c.start(t, before), c.start(t, after)
		settle()
		a.forget()
		b.forget()
		a.Publish(room("1"))
		b.Publish(room("2"))
		settle()
		a.wants(t, 0, `after room "2"`)
		b.wants(t, 0, `before room "1"`)
	})
}

// A pooler of transactions takes LISTEN and delivers nothing.
func TestASilentConnectionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		c.silent = true
		var log strings.Builder
		o := testOptions("a")
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p := c.start(t, o)
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if p.Stats().Up || !strings.Contains(log.String(), "DATABASE_LISTEN_URL") {
			t.Errorf("up %v, log %s", p.Stats().Up, &log)
		}
		if _, missed := p.hints(); missed > 10 {
			t.Errorf("it was to compare everything %d times", missed)
		}
		c.set(func() { c.silent = false })
		time.Sleep(silentPause + 10*time.Second)
		synctest.Wait()
		if !p.Stats().Up || p.Check(t.Context()) != nil {
			t.Error("it has not healed")
		}
	})
}

func TestTroubleIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		c.down = true
		var log strings.Builder
		o := testOptions("a")
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		p := c.start(t, o)
		time.Sleep(150 * time.Second)
		synctest.Wait()
		if n := strings.Count(log.String(), "level=WARN"); n != 3 || p.Check(t.Context()) == nil {
			t.Errorf("%d lines: %s", n, &log)
		}
		c.set(func() { c.down = false })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := strings.Count(log.String(), "flow again"); n != 1 || p.Check(t.Context()) != nil {
			t.Errorf("%d lines: %s", n, &log)
		}
	})
}

// What is published right before the end is sent.
func TestTheRestIsSentAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newCable().cluster(t, 2)
		all[0].Publish(room("1"))
		all[0].Publish(room("2"))
		all[0].stop()
		settle()
		all[1].wants(t, 0, `a room "1"`, `a room "2"`)
	})
}

func TestNoneDoesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	None.Publish(room("hello"))
	if err := None.Run(ctx, nil, nil); err != nil {
		t.Error(err)
	}
}

// An attacker who has recorded many processes that ended keeps nobody from meeting.
func TestManyUnknownSendersKeepNobodyOut(t *testing.T) {
	ps := peers{}
	now := time.Now()
	for i := range 5 * maxPeers {
		if p := ps.of(identity{fmt.Sprint(i), "n"}, now); p == nil {
			t.Fatal("no room")
		} else {
			p.follow(1, now.Add(time.Duration(i)))
		}
	}
	if len(ps) > maxPeers {
		t.Errorf("%d are known", len(ps))
	}
	if n := ps.living(now.Add(time.Hour)); n != 0 || len(ps) != 0 {
		t.Errorf("after an hour: %d alive, %d known", n, len(ps))
	}
}

func FuzzOpen(f *testing.F) {
	ks := deriveKeys(keyring.New([]byte("secret")), "home")
	f.Add(ks.seal(frame{identity{"a", "n"}, 1, "room", json.RawMessage(`{}`)}))
	f.Add(ks.seal(frame{identity{"Process1", "NONCE"}, 1 << 63, wordHello, json.RawMessage(`{"to":"x"}`)}))
	f.Add("1 a n 1 room AAAAAAAAAAAAAAAAAAAAAA {}")
	f.Add("1      ")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		got, signed, err := parseFrame(text)
		if err != nil {
			return
		}
		opened, openErr := ks.open(text)
		if openErr == nil && (ks.seal(opened) != text || !json.Valid(opened.data)) {
			t.Errorf("%q was opened as %+v", text, opened)
		}
		if sealed := ks.seal(got); openErr != nil && sealed == text && json.Valid(got.data) {
			t.Errorf("%q is authentic and was refused: %v, signed %x", text, openErr, signed)
		}
	})
}
