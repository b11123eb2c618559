package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"expenseflow/internal/socketio"
	"expenseflow/internal/testneed"
)

// clientVersions are the npm packages of the matrix, as npm/package.json names
// them: the last of each minor version that speaks this protocol.
var clientVersions = []string{
	"sio-3.0.5", "sio-3.1.3", "sio-4.0.2", "sio-4.1.3", "sio-4.2.0", "sio-4.3.2",
	"sio-4.4.1", "sio-4.5.4", "sio-4.6.2", "sio-4.7.5", "socket.io-client",
}

// pythonClient stands for Debian's python3-socketio among the versions.
const pythonClient = "python3-socketio"

// A pair is one client library on one transport.
type pair struct {
	host    *node
	version string
	transport
}

func (c pair) name() string { return c.version + " by " + c.transport.name }

// open connects the pair's client to url.
func (c pair) open(t *testing.T, url string, auth map[string]any) *device {
	t.Helper()
	options := c.options()
	options["auth"] = auth
	return c.host.openWith(t, c.version, url, options)
}

func pairs(t *testing.T) []pair {
	t.Helper()
	var all []pair
	npm, python := startNode(t), startPython(t)
	npm.elsewhere, python.elsewhere = true, true
	for _, tr := range transports {
		for _, version := range clientVersions {
			all = append(all, pair{npm, version, tr})
		}
		all = append(all, pair{python, pythonClient, tr})
	}
	return all
}

// startPython returns a process that hosts python3-socketio's clients.
func startPython(t *testing.T) *node {
	t.Helper()
	python := testneed.Python(t, "socketio", "aiohttp")
	return startHost(t, exec.Command(python, "python/device.py"))
}

// A protocolServer is our Socket.IO server without the program around it.
type protocolServer struct {
	addr   string
	config socketio.Config
	page   string // for every path but that of sockets
	io     *socketio.Server
	http   *http.Server
}

func startProtocolServer(t *testing.T, config socketio.Config) *protocolServer {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &protocolServer{config: config, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *protocolServer) start(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp4", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.io = socketio.New(s.config)
	main := s.io.Of("/")
	main.Use(refuseUnwanted)
	main.On("message", func(_ context.Context, e *socketio.Event) { _ = e.Socket().Emit("message-back", e.Values()...) })
	main.On("ask", func(_ context.Context, e *socketio.Event) { _ = e.Ack(e.Values()...) })
	main.On("ask me", askBack)
	main.On("join", joinRoom)
	s.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/socket.io/") {
			s.io.ServeHTTP(w, r)
			return
		}
		_, _ = io.WriteString(w, s.page)
	})}
	server := s.http
	go func() { _ = server.Serve(ln) }()
}

// stop ends the server as a crash does: connections break in the middle. A
// goodbye would not do, since python3-socketio takes the one of long-polling for
// final, from Node's server too.
func (s *protocolServer) stop(t *testing.T) {
	t.Helper()
	_ = s.http.Close()
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.io.Shutdown(cut)
}

// refuseUnwanted refuses clients that ask for it, with data.
func refuseUnwanted(_ context.Context, s *socketio.Socket) error {
	var auth struct{ Unwanted bool }
	if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil || auth.Unwanted {
		return &socketio.ConnectError{Message: "unwanted", Data: map[string]any{"code": 7, "why": []string{"asked for it"}}}
	}
	return nil
}

// askBack asks the client the same and hands its answer on.
func askBack(ctx context.Context, e *socketio.Event) {
	back, err := e.Socket().EmitAck(ctx, "question", e.Values()...)
	if err != nil {
		_ = e.Ack(err.Error())
		return
	}
	_ = e.Ack(back)
}

// joinRoom puts the socket into a room and greets everybody there.
func joinRoom(_ context.Context, e *socketio.Event) {
	var room string
	if err := e.Decode(0, &room); err != nil {
		return
	}
	_ = e.Socket().Join(room)
	_ = e.Socket().Namespace().To(room).Emit("joined", map[string]any{"room": room})
	_ = e.Ack()
}

// Every client library that is in use, on every transport.
func TestClientMatrix(t *testing.T) {
	s := startProtocolServer(t, socketio.Config{})
	url := "http://" + s.addr
	all := pairs(t)
	devices := make([]*device, len(all))
	for i, c := range all {
		t.Run(c.name(), func(t *testing.T) {
			d := c.open(t, url, map[string]any{"name": c.name()})
			devices[i] = d
			d.await(t, "connect", 1)
			if c.list == nil {
				d.awaitThat(t, "upgrade", upgraded)
			}
			checkRefusal(t, c, url)
			checkExchange(t, d)
			checkRoom(t, c, url, d)
		})
	}
	s.stop(t)
	s.start(t)
	for i, c := range all {
		t.Run(c.name()+" after a restart", func(t *testing.T) {
			d := devices[i]
			d.await(t, "disconnect", 1)
			d.await(t, "connect", 2)
			heard := len(d.events("message-back"))
			d.emit(t, "message", "again")
			d.hear(t, heard+1, "message-back")
		})
	}
}

// recovering are the versions that tell a server where they stood. Older ones,
// and Python's, begin anew.
var recovering = []string{"sio-4.6.2", "sio-4.7.5", "socket.io-client"}

// Every client library hears the program's events; those that can catch up do,
// and the others hear nothing twice.
func TestClientMatrixOnTheProgram(t *testing.T) { clientMatrix(t, sqliteRaced(t)) }

// clientMatrix runs every client library against p, which may be a balancer.
func clientMatrix(t *testing.T, p *program) {
	t.Helper()
	a := register(t, p)
	x := startProxy(t, p)
	all := pairs(t)
	devices := make([]*device, len(all))
	for i, c := range all {
		devices[i] = c.open(t, x.URL(), map[string]any{"token": a.Token})
		devices[i].await(t, "connect", 1)
	}
	before := a.settle(t, devices...)

	x.goDown()
	for _, d := range devices {
		d.await(t, "disconnect", 1)
	}
	missed := ids(a.batch(t, a.creates(20)...))
	x.goUp()
	for _, d := range devices {
		d.await(t, "connect", 2)
	}
	last := a.settle(t, devices...)

	for i, c := range all {
		t.Run(c.name(), func(t *testing.T) {
			want := []string{before.ID, last.ID}
			if slices.Contains(recovering, c.version) {
				want = slices.Concat([]string{before.ID}, missed, []string{last.ID})
			}
			same(t, "events", prefixed("expense_created ", want), devices[i].changes())
		})
	}
}

func checkRefusal(t *testing.T, c pair, url string) {
	t.Helper()
	d := c.open(t, url, map[string]any{"unwanted": true})
	refused := d.await(t, "connect_error", 1)
	same(t, "refusal", `["unwanted",{"code":7,"why":["asked for it"]}]`, list(t, refused.Args))
	same(t, "connections of the refused", 0, len(d.noted("connect")))
}

// checkExchange sends values of all kinds, binary among them, and wants them
// back: in an event, in an acknowledgement, and in the client's own.
func checkExchange(t *testing.T, d *device) {
	t.Helper()
	bytes := map[string]any{"$binary": "AAEC/w=="}
	sets := [][]any{
		{},
		{1, "two", map[string]any{"three": []any{3.5, nil, true}}, "☃ \u0000 \"quoted\""},
		{bytes},
		{"text", map[string]any{"deep": []any{bytes, map[string]any{"er": bytes}}}, bytes},
	}
	for i, args := range sets {
		want, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("of set %d", i)
		d.emit(t, "message", args...)
		same(t, "event "+what, string(want), list(t, d.hear(t, i+1, "message-back")[i].Args))
		same(t, "acknowledgement "+what, string(want), list(t, d.ask(t, "ask", args...)))
		d.ask(t, "ask me", args...)
		same(t, "question "+what, string(want), list(t, d.hear(t, i+1, "question")[i].Args))
	}
}

// list returns values as one JSON array, without the blanks that Python writes.
func list(t *testing.T, values []json.RawMessage) string {
	t.Helper()
	if values == nil {
		values = []json.RawMessage{}
	}
	var v any
	b, err := json.Marshal(values)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err == nil {
		b, err = json.Marshal(v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkRoom wants what is said in a room heard by who is in it, and by nobody
// else.
func checkRoom(t *testing.T, c pair, url string, in *device) {
	t.Helper()
	out := c.open(t, url, map[string]any{})
	out.await(t, "connect", 1)
	out.ask(t, "join", "elsewhere")
	in.ask(t, "join", c.name())
	in.hear(t, 1, "joined")
	out.ask(t, "ask") // whatever was on its way to it has arrived
	same(t, "rooms heard outside", `[{"room":"elsewhere"}]`, list(t, firstArgs(out.events("joined"))))
	same(t, "rooms heard inside", `[{"room":"`+c.name()+`"}]`, list(t, firstArgs(in.events("joined"))))
}

func firstArgs(events []event) []json.RawMessage {
	var out []json.RawMessage
	for _, e := range events {
		out = append(out, e.Args[0])
	}
	return out
}
