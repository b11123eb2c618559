package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// An emitterKind is a package by which a Node program publishes.
type emitterKind struct {
	name     string // of the driver npm/emitter.js
	settings func(t *testing.T) (url string, settings []string)
}

func onRedis(t *testing.T) (url string, settings []string) {
	url = testneed.Redis(t)
	return url, []string{"REDIS_URL=" + url, "EMITTERS=redis"} // SQLite: one process and its workers
}

var emitterKinds = []emitterKind{
	{"redis", onRedis},
	{"ioredis", onRedis},
	{"postgres", func(t *testing.T) (string, []string) {
		url := testneed.Postgres(t)
		return url, []string{"DATABASE_URL=" + url, "EMITTERS=postgres"}
	}},
}

// An emitterFixture is a program, its clients, and a genuine emitter beside it.
type emitterFixture struct {
	emitter    *node
	a, b       *account
	alice, bob *device
	metrics    string
}

func newEmitterFixture(t *testing.T, kind emitterKind) *emitterFixture {
	t.Helper()
	testneed.NPM(t, npmDir, "@socket.io/redis-emitter", "@socket.io/postgres-emitter", "redis", "ioredis", "pg")
	url, settings := kind.settings(t)
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	// Tests of one server share its channels, but for the prefix.
	prefix := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	metrics := fmt.Sprintf("127.0.0.1:%d", port)
	p := startRaced(t, append(settings, "METRICS_ADDR="+metrics, "EMITTER_PREFIX="+prefix)...)
	f := &emitterFixture{emitter: startDriver(t, "emitter.js"), a: register(t, p), b: register(t, p), metrics: "http://" + metrics}
	clients := startNode(t)
	clients.elsewhere = true // what an application makes up is on no page of ours
	f.alice = clients.connect(t, f.a, transports[1])
	f.bob = clients.connect(t, f.b, transports[0])
	f.emitter.do(t, map[string]any{"do": "open", "kind": kind.name, "url": url, "prefix": prefix})
	f.awaitMetric(t, `expenseflow_emitters_up\{[^}]*\} (\d+)`, 1)
	return f
}

// publish has the emitter do something.
func (f *emitterFixture) publish(t *testing.T, do string, command map[string]any) {
	t.Helper()
	command["do"] = do
	f.emitter.do(t, command)
}

func (f *emitterFixture) awaitMetric(t *testing.T, pattern string, want int) {
	t.Helper()
	line := regexp.MustCompile(pattern)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		text := readMetrics(t, f.metrics)
		if found := line.FindStringSubmatch(text); found != nil && found[1] == fmt.Sprint(want) {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%s never became %d:\n%s", pattern, want, text)
		}
	}
}

func readMetrics(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (f *emitterFixture) awaitResult(t *testing.T, result string, want int) {
	t.Helper()
	f.awaitMetric(t, `expenseflow_emitter_messages_total\{result="`+result+`"\} (\d+)`, want)
}

// wants compares what a device has heard of one name, and waits for as many.
func wants(t *testing.T, d *device, name string, args ...string) {
	t.Helper()
	d.hear(t, len(args), name)
	for i, e := range d.events(name) {
		var texts []string
		for _, arg := range e.Args {
			texts = append(texts, string(arg))
		}
		if got := strings.Join(texts, " "); i >= len(args) || !regexp.MustCompile("^(?:"+args[i]+")$").MatchString(got) {
			t.Errorf("%s %d: heard %s, want %s", name, i, got, args)
		}
	}
}

// offset matches what a client remembers as its place in the log.
const offset = `"[^" ]+"`

func TestNodeProgramsReachOurSockets(t *testing.T) {
	for _, kind := range emitterKinds {
		t.Run(kind.name, func(t *testing.T) {
			f := newEmitterFixture(t, kind)
			a, b := f.a.ID, f.b.ID
			for _, e := range []map[string]any{
				{"event": "rooms", "to": []string{a}, "args": []any{map[string]any{"n": 1}}},
				{"event": "rooms", "to": []string{"user:" + a}, "args": []any{map[string]any{"n": 2}}},
				{"event": "rooms", "to": []string{a, "user:" + b, "user:" + a, "admins"}, "args": []any{map[string]any{"n": 3}}},
				{"event": "rooms", "to": []string{"admins"}, "args": []any{map[string]any{"n": 4}}},
				{"event": "rooms", "to": []string{"expense:" + a, "*", ""}, "args": []any{map[string]any{"n": 5}}},
				{"event": "rooms", "except": []string{b}, "args": []any{map[string]any{"n": 6}}},
				{"event": "rooms", "volatile": true, "args": []any{map[string]any{"n": 7}}},
				{"event": "rooms", "nsp": "/admin", "args": []any{map[string]any{"n": 8}}},
				{"event": "last", "args": []any{}},
			} {
				f.publish(t, "emit", e)
			}
			wants(t, f.alice, "last", offset)
			wants(t, f.bob, "last", offset)
			wants(t, f.alice, "rooms", `{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":6}`, `{"n":7}`)
			wants(t, f.bob, "rooms", `{"n":3}`, `{"n":7}`)
			f.awaitResult(t, "unknown_room", 5)
			f.awaitResult(t, "emitted", 8)
		})
	}
}

// No event that ends in a string may be taken for a place in the log.
func TestWhatNodeProgramsSendArrivesAsItWas(t *testing.T) {
	for _, kind := range emitterKinds {
		t.Run(kind.name, func(t *testing.T) {
			f := newEmitterFixture(t, kind)
			long := strings.Repeat("long ", 3000)
			for i, args := range [][]any{
				{"text"},
				{map[string]any{"amount": 12.5, "list": []any{1, nil, true, "ü€😀"}, "nested": map[string]any{"a": []any{[]any{}}}}},
				{1, "two", []any{"three"}},
				{map[string]any{"_placeholder": true, "num": 0}},
				{map[string]any{"at": map[string]any{"$date": "2026-01-19T12:00:00.250Z"}}},
				{map[string]any{"at": map[string]any{"$date": "1969-01-19T12:00:00.000Z"}}},
				{map[string]any{"big": 4503599627370496, "negative": -3}},
			} {
				f.publish(t, "emit", map[string]any{"event": fmt.Sprint("as", i), "args": args})
			}
			wants(t, f.alice, "as0", `"text" `+offset)
			wants(t, f.alice, "as1", `{"amount":12\.5,"list":\[1,null,true,"ü€😀"\],"nested":{"a":\[\[\]\]}}`)
			wants(t, f.alice, "as2", `1 "two" \["three"\]`)
			wants(t, f.bob, "as3", `{"_placeholder":true,"num":0}`)
			wants(t, f.bob, "as4", `{"at":"2026-01-19T12:00:00\.250Z"}`)
			wants(t, f.bob, "as5", `{"at":"1969-01-19T12:00:00\.000Z"}`)
			wants(t, f.bob, "as6", `{"big":4503599627370496,"negative":-3}`)
			f.publish(t, "emit", map[string]any{"event": "long", "args": []any{map[string]any{"text": long}}})
			f.publish(t, "emit", map[string]any{"event": "binary", "args": []any{
				map[string]any{"file": map[string]any{"$binary": "AAEC/w=="}}, 1,
			}})
			wants(t, f.alice, "long", `{"text":"`+long+`"}`)
			wants(t, f.bob, "binary", `{"file":{"\$binary":"AAEC/w=="}} 1`)
			f.publish(t, "emit", map[string]any{
				"event": "undefined",
				"args":  []any{map[string]any{"gone": map[string]any{"$undefined": true}}},
			})
			wants(t, f.bob, "undefined", `{("gone":null)?}`)
			f.publish(t, "emit", map[string]any{"event": "huge", "args": []any{map[string]any{"text": strings.Repeat("long ", 300_000)}}})
			f.awaitResult(t, "too_large", 1)
		})
	}
}

func TestNodeProgramsDisconnectOurSockets(t *testing.T) {
	for _, kind := range emitterKinds {
		t.Run(kind.name, func(t *testing.T) {
			f := newEmitterFixture(t, kind)
			f.publish(t, "join", map[string]any{"to": []string{f.a.ID}, "rooms": []string{"user:" + f.b.ID}})
			f.publish(t, "leave", map[string]any{"rooms": []string{"user:" + f.b.ID}})
			f.publish(t, "server", map[string]any{"event": "hello", "args": []any{1}})
			f.awaitResult(t, "refused", 3)
			f.publish(t, "disconnect", map[string]any{"to": []string{"nobody"}})
			f.publish(t, "disconnect", map[string]any{"to": []string{"user:" + f.a.ID}, "close": true})
			if reason := string(f.alice.await(t, "disconnect", 1).Args[0]); reason != `"io server disconnect"` {
				t.Errorf("the client was told %s", reason)
			}
			f.publish(t, "emit", map[string]any{"event": "still", "to": []string{f.b.ID}, "args": []any{1}})
			wants(t, f.bob, "still", `1`)
			f.awaitResult(t, "disconnected", 2)
			f.publish(t, "disconnect", map[string]any{})
			f.bob.await(t, "disconnect", 1)
		})
	}
}
