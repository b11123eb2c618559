package socketio

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// A jsClient is npm's client in a process of its own.
type jsClient struct {
	t     *testing.T
	in    io.Writer
	lines chan jsEvent
}

// A jsEvent is an event that it received.
type jsEvent struct {
	Event string
	Args  []any
}

// newJSClient connects a client module of the end-to-end tests to url.
func newJSClient(t *testing.T, module, url string, options map[string]any) *jsClient {
	t.Helper()
	node := testneed.Node(t)
	modules, err := filepath.Abs("../e2e/npm")
	if err != nil {
		t.Fatal(err)
	}
	testneed.NPM(t, modules)
	opts, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), node, "testdata/client.cjs", modules, module, url, string(opts))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &jsClient{t: t, in: in, lines: make(chan jsEvent, 1000)}
	read := make(chan struct{})
	go func() { defer close(read); c.read(out) }()
	t.Cleanup(func() { _ = in.Close(); <-read; _ = cmd.Wait() })
	return c
}

func (c *jsClient) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var e jsEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			c.t.Errorf("client said %q", lines.Text())
			return
		}
		c.lines <- e
	}
}

// order tells the client what to do.
func (c *jsClient) order(format string, args ...any) {
	_, _ = fmt.Fprintf(c.in, format+"\n", args...)
}

// expect waits for the next event, and returns its arguments.
func (c *jsClient) expect(event string, args ...any) []any {
	c.t.Helper()
	select {
	case e := <-c.lines:
		if e.Event != event || len(args) > 0 && !reflect.DeepEqual(e.Args, args) {
			c.t.Fatalf("client heard %s %v, want %s %v", e.Event, e.Args, event, args)
		}
		return e.Args
	case <-time.After(20 * time.Second):
		c.t.Fatalf("client heard nothing, want %s", event)
		return nil
	}
}

// Recovery with npm's clients, over each transport.
func TestNPMClientComesBackToWhereItWas(t *testing.T) {
	for _, module := range []string{"socket.io-client", "sio-4.6.2"} {
		for name, transports := range map[string][]string{
			"polling": {"polling"}, "websocket": {"websocket"}, "upgrade": {"polling", "websocket"},
		} {
			t.Run(module+" "+name, func(t *testing.T) {
				l := newMemoryLog()
				s, url := serve(t, Config{Recovery: l})
				s.Of("/").Use(l.auth)
				s.Of("/").OnConnect(func(s *Socket) { _ = s.Emit("hello", "there") })
				c := newJSClient(t, module, url, map[string]any{"transports": transports, "auth": map[string]string{"token": "ann"}})
				id := c.expect("connect")[0]
				c.expect("hello", "there", "e1/ann/0")
				l.write("ann", "one")
				c.expect("change", "one", "e1/ann/1")
				for i := range 3 {
					c.order("cut")
					c.expect("disconnect")
					l.write("ann", fmt.Sprint("missed ", i))
					c.expect("connect", id, true)
					missed := []any{fmt.Sprint("missed ", i), fmt.Sprint("e1/ann/", i+2)}
					c.expect("change", missed...)
					c.expect("hello", "there", missed[1])
				}
			})
		}
	}
}

// TestOlderNPMClientBeginsAnew is a client that knows nothing of recovery.
func TestOlderNPMClientBeginsAnew(t *testing.T) {
	l := newMemoryLog()
	s, url := serve(t, Config{Recovery: l})
	s.Of("/").Use(l.auth)
	c := newJSClient(t, "sio-4.5.4", url, map[string]any{"auth": map[string]string{"token": "ann"}})
	id := c.expect("connect")[0]
	c.order("cut")
	c.expect("disconnect")
	l.write("ann", "missed")
	if args := c.expect("connect"); args[0] == id || args[1] != false {
		t.Errorf("connect %v", args)
	}
	l.write("ann", "new")
	c.expect("change", "new", "e1/ann/2")
}

// TestNPMClientSpeaksMsgpack is the msgpack parser with npm's client.
func TestNPMClientSpeaksMsgpack(t *testing.T) {
	s, url := serve(t, Config{})
	s.Of("/").OnConnect(func(s *Socket) { _ = s.Emit("auth", s.Handshake().Auth) })
	echoing(s.Of("/"))
	for name, transports := range map[string][]string{"polling": {"polling"}, "websocket": {"websocket"}} {
		t.Run(name, func(t *testing.T) {
			c := newJSClient(t, "socket.io-client", url, map[string]any{
				"transports": transports, "parser": "socket.io-msgpack-parser", "auth": map[string]any{"n": 1.5},
			})
			c.expect("connect")
			c.expect("auth", map[string]any{"n": 1.5})
			c.order(`emit message [1,"é",{"a":[null,true]},{"$bin":"00ff"},-70000,1e-7]`)
			c.expect("message-back", 1.0, "é", map[string]any{"a": []any{nil, true}}, map[string]any{"$bin": "00ff"}, -70000.0, 1e-7)
			c.order(`ask message-with-ack [{"$bin":"c0ffee"}]`)
			c.expect("answer", map[string]any{"$bin": "c0ffee"})
		})
	}
}

// Binary of one byte arrived as null, and of eight as a date.
func TestNPMClientsBinaryOfAnySizeArrivesInMsgpack(t *testing.T) {
	s, url := serve(t, Config{})
	echoing(s.Of("/"))
	c := newJSClient(t, "socket.io-client", url, map[string]any{
		"transports": []string{"websocket"}, "parser": "socket.io-msgpack-parser",
	})
	c.expect("connect")
	for size := range 20 {
		bytes := strings.Repeat("a5", size)
		c.order(`emit message [{"$view":%q},{"$buffer":%q},{"$bin":%q}]`, bytes, bytes, bytes)
		same := map[string]any{"$bin": bytes}
		c.expect("message-back", same, same, same)
	}
	c.order(`emit message [{"_placeholder":true,"num":0},{"$bin":"00"},{"z":1,"_placeholder":true,"num":7}]`)
	c.expect("message-back", map[string]any{"_placeholder": true, "num": 0.0}, map[string]any{"$bin": "00"},
		map[string]any{"z": 1.0, "_placeholder": true, "num": 7.0})
	many := strings.TrimSuffix(strings.Repeat(`{"$bin":"01"},`, 30), ",")
	c.order(`ask message-with-ack [[%s]]`, many)
	var want []any
	for range 30 {
		want = append(want, map[string]any{"$bin": "01"})
	}
	c.expect("answer", want)
}

// A page that loads the msgpack bundle just works, beside one that loads the other.
func TestServedBundlesMeetOnOneServer(t *testing.T) {
	s, url := serve(t, Config{ServeClient: true})
	s.Of("/").On("all", func(_ context.Context, e *Event) { _ = s.Of("/").Emit("told", e.Values()...) })
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			var clients []*jsClient
			for _, name := range []string{"socket.io.min.js", "socket.io.msgpack.min.js"} {
				file := filepath.Join(t.TempDir(), name)
				if err := os.WriteFile(file, download(t, url+"/socket.io/"+name), 0o600); err != nil {
					t.Fatal(err)
				}
				c := newJSClient(t, file, url, map[string]any{"transports": []string{transport}})
				c.expect("connect")
				clients = append(clients, c)
			}
			for i, sender := range clients {
				sender.order(`emit all [%d,{"$buffer":"00ff"},{"a":"é"}]`, i)
				for _, c := range clients {
					c.expect("told", float64(i), map[string]any{"$bin": "00ff"}, map[string]any{"a": "é"})
				}
			}
		})
	}
}

func download(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, res.StatusCode, err)
	}
	return body
}
