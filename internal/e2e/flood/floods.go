package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/e2e/process"
	"expenseflow/internal/socketio/socketiotest"
)

// A flood is one kind of excess.
type flood struct {
	name, about  string
	preparation  time.Duration // until it floods: filling accounts
	probesSignIn bool          // the others also sign in
	run          func(context.Context, *attacker) error
}

func floodNamed(name string) (*flood, bool) {
	for i := range floods {
		if floods[i].name == name {
			return &floods[i], true
		}
	}
	return nil, false
}

// floods are those of docs/security.md, each by one address or one account.
var floods = []flood{
	{name: "fat-queries", about: "polling handshakes with 50 KB of query, 8 connections", run: handshakesWith(fatQuery)},
	{name: "many-headers", about: "polling handshakes with 7,000 headers, 8 connections", run: handshakesWith(manyHeaders)},
	{name: "handshakes", about: "polling handshakes, 64 connections", run: handshakesWith(nothing)},
	{name: "websockets", about: "WebSockets without CONNECT, 64 at a time", run: bareWebSockets},
	{name: "unfinished-frames", about: "300 WebSockets, each with 990,000 bytes of a frame of 999,999", run: unfinishedFrames},
	{name: "unfinished-posts", about: "300 polling POSTs with 990,000 bytes of 999,999", run: unfinishedPosts},
	{name: "attachments", about: "40 sockets, each with 9 of 10 attachments of 0.99 MB", run: attachments},
	{name: "idle-connections", about: "2,000 connections that say nothing", run: holds(2000, func(int) string { return "" }, "")},
	{name: "kept-alive", about: "2,000 connections that idle after one request", run: holds(2000, plainGet, "")},
	{name: "slow-headers", about: "2,000 requests, a header byte a second", run: holds(2000, slowHead, "x")},
	{name: "slow-bodies", about: "2,000 sign-ins with 14 KB of headers and a body byte a second", run: holds(2000, slowBody, " ")},
	{name: "deep-pages", about: "page 1,000 of 50,000 expenses, 8 connections", preparation: 25 * time.Second, run: deepPages},
	{name: "lists", about: "lists of 20,000 expenses, 6 connections", preparation: 12 * time.Second, run: lists},
	{name: "slow-lists", about: "8 lists read at 4 KB/s", preparation: 12 * time.Second, run: slowLists},
	{name: "pulls", about: "pull of 20,000 expenses, 6 connections", preparation: 12 * time.Second, run: pulls},
	{name: "dashboards", about: "dashboards over 9,000 years, 8 connections", preparation: 12 * time.Second, run: dashboards},
	{name: "nested-batches", about: "batches of 1 MB of nested arrays, 4 connections that hang up after 1 s", run: nestedBatches},
	{name: "nested-bodies", about: "POST /api/expenses of 1 MB of nested arrays, 4 connections", run: nestedBodies},
	{name: "big-batches", about: "batches of 9 MB of creates, 6 connections, 4 accounts", run: bigBatches},
	{name: "many-keys", about: "operations of a million keys, 4 connections", run: manyKeys},
	{
		name: "parked", about: "20 batches of 9 MB that are parked, then 6 readers of the parked list", preparation: 15 * time.Second,
		run: parkedOverHTTP,
	},
	{
		name: "parked-sockets", about: "the same, read by sync_request on 4 sockets", preparation: 15 * time.Second,
		run: parkedOverSockets,
	},
	{name: "sign-ins", about: "sign-ins with the attacker's own account, 80 connections", probesSignIn: true, run: signIns},
	{
		name: "wrong-passwords", about: "wrong passwords for another's account, 80 connections", probesSignIn: true,
		run: wrongPasswords,
	},
	{name: "registrations", about: "registrations, 80 connections", probesSignIn: true, run: registrations},
	{name: "acks", about: "4 sockets that send acks nobody asked for", run: packets("430[]")},
	{name: "nowhere", about: "4 sockets that CONNECT to namespaces that do not exist", run: packets("40/nowhere,")},
	{name: "no-ops", about: "4 sockets that send Engine.IO NOOPs", run: packets("6")},
	{name: "pongs", about: "4 sockets that send pongs", run: packets("3")},
	{name: "pings", about: "4 sockets that send WebSocket pings", run: websocketPings},
	{name: "events", about: "4 sockets that send events nobody knows", run: packets(`42["nonsense",{"a":1}]`)},
	{name: "reconnects", about: "CONNECT and DISCONNECT in turn on 20 sockets", run: reconnects},
	{name: "shares", about: "shares of own expenses with one person, 8 connections", preparation: 5 * time.Second, run: shares},
	{name: "documents", about: "/readyz, /openapi.json and the page, 16 connections", run: documents},
	{
		name: "analytics", about: "every analytics route over 20,000 expenses, 8 connections", preparation: 12 * time.Second,
		run: analytics,
	},
}

func nothing() (string, http.Header) { return "", nil }

func fatQuery() (string, http.Header) {
	var b strings.Builder
	for i := range 9900 {
		fmt.Fprintf(&b, "&%d", 1000+i)
	}
	return b.String(), nil
}

func manyHeaders() (string, http.Header) {
	h := http.Header{}
	for i := range 7000 {
		h.Set(fmt.Sprintf("X%d", i), "")
	}
	return "", h
}

func handshakesWith(what func() (query string, head http.Header)) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		query, head := what()
		workers := 8
		if query == "" && head == nil {
			workers = 64
		}
		loop(ctx, workers, func(int) {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.addr+"/socket.io/?EIO=4&transport=polling"+query, nil)
			if head != nil {
				req.Header = head
			}
			res, err := a.client.Do(req)
			if err != nil {
				a.noteError(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			a.note(fmt.Sprint(res.StatusCode))
		})
		return nil
	}
}

// bareWebSockets opens sessions and lets them go when the server does.
func bareWebSockets(ctx context.Context, a *attacker) error {
	loop(ctx, 64, func(int) {
		c, err := process.DialRaw(a.addr, attackFrom)
		if err != nil {
			a.noteError(err)
			_ = pause(ctx, 10*time.Millisecond)
			return
		}
		a.note("101")
		context.AfterFunc(ctx, func() { _ = c.Close() })
	})
	return nil
}

func unfinishedFrames(ctx context.Context, a *attacker) error {
	part := make([]byte, 990_000)
	loop(ctx, 300, func(int) {
		c, err := process.DialRaw(a.addr, attackFrom)
		if err != nil {
			a.noteError(err)
			_ = pause(ctx, time.Second)
			return
		}
		defer c.Close()
		context.AfterFunc(ctx, func() { _ = c.Close() })
		const size = 999_999
		head := []byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, size >> 16, size >> 8 & 255, size & 255, 0, 0, 0, 0}
		if _, err := c.WebSocket().UnderlyingConn().Write(append(head, part...)); err != nil {
			a.noteError(err)
			return
		}
		_ = c.Listen(func(string) {})
		a.note("closed")
	})
	return nil
}

func unfinishedPosts(ctx context.Context, a *attacker) error {
	part := strings.Repeat("4", 990_000)
	loop(ctx, 300, func(int) {
		res := a.ask(ctx, http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "")
		_, sid, found := strings.Cut(res.Body, `"sid":"`)
		if !found {
			_ = pause(ctx, time.Second)
			return
		}
		sid, _, _ = strings.Cut(sid, `"`)
		c, err := a.dial(ctx)
		if err != nil {
			a.noteError(err)
			return
		}
		defer c.Close()
		_, _ = fmt.Fprintf(c, "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n%s",
			sid, part)
		a.noteAnswer(c)
	})
	return nil
}

func attachments(ctx context.Context, a *attacker) error {
	token, err := a.account(ctx, 0)
	if err != nil {
		return err
	}
	var head strings.Builder
	head.WriteString(`4510-["x"`)
	for i := range 10 {
		fmt.Fprintf(&head, `,{"_placeholder":true,"num":%d}`, i)
	}
	head.WriteString("]")
	blob := make([]byte, 990_000)
	loop(ctx, 40, func(int) {
		c, err := process.Dial(a.addr, attackFrom, token)
		if err != nil {
			a.noteError(err)
			_ = pause(ctx, time.Second)
			return
		}
		defer c.Close()
		context.AfterFunc(ctx, func() { _ = c.Close() })
		err = c.Send(head.String())
		for range 9 {
			if err == nil {
				err = c.WebSocket().WriteMessage(websocket.BinaryMessage, blob)
			}
		}
		_ = c.Listen(func(string) {})
		a.note("closed")
	})
	return nil
}

func holds(n int, what func(int) string, trickle string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		a.hold(ctx, n, what, trickle)
		return nil
	}
}

func plainGet(int) string { return "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" }
func slowHead(int) string { return "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " }

func slowBody(int) string {
	return "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Fat: " + strings.Repeat("f", 14<<10) +
		"\r\nContent-Length: 500\r\n\r\n{"
}

// filled makes an account with n expenses.
func filled(ctx context.Context, a *attacker, n int) (string, error) {
	token, err := a.account(ctx, 0)
	if err == nil {
		a.fill(ctx, token, n)
	}
	return token, err
}

// reads repeats GETs on a filled account.
func reads(n, connections int, paths ...string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		token, err := filled(ctx, a, n)
		if err != nil {
			return err
		}
		var turn atomic.Int64
		loop(ctx, connections, func(int) {
			a.ask(ctx, http.MethodGet, paths[int(turn.Add(1))%len(paths)], token, "")
		})
		return nil
	}
}

var (
	deepPages  = reads(50_000, 8, "/api/expenses?page=1000&limit=50")
	lists      = reads(20_000, 6, "/api/expenses")
	pulls      = reads(20_000, 6, "/api/sync/pull")
	dashboards = reads(20_000, 8, "/api/dashboard?from=0001-01-01&to=9999-12-31")
	analytics  = reads(20_000, 8, "/api/analytics/spending-trends", "/api/analytics/insights", "/api/analytics/predictions",
		"/api/analytics/velocity", "/api/analytics/comparison", "/api/analytics/summary", "/api/analytics/category-breakdown",
		"/api/categorization/suggest?description=fil")
	documents = reads(0, 16, "/readyz", "/openapi.json", "/", "/socket.io/socket.io.js")
)

func slowLists(ctx context.Context, a *attacker) error {
	token, err := filled(ctx, a, 20_000)
	if err != nil {
		return err
	}
	loop(ctx, 8, func(int) {
		c, err := a.dial(ctx)
		if err != nil {
			a.noteError(err)
			return
		}
		defer c.Close()
		_, _ = fmt.Fprintf(c, "GET /api/expenses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token)
		a.noteAnswer(c)
		for b := make([]byte, 1024); pause(ctx, 250*time.Millisecond) == nil; {
			if _, err := c.Read(b); err != nil {
				a.noteError(err)
				return
			}
		}
	})
	return nil
}

// nested is one operation whose data is arrays in arrays.
func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func nestedBatches(ctx context.Context, a *attacker) error {
	token, err := a.account(ctx, 0)
	if err != nil {
		return err
	}
	var ops []string
	for i := range 50 {
		ops = append(ops, fmt.Sprintf(`{"action":"CREATE","resourceType":"expense","resourceId":"t%d","deviceId":"d",`+
			`"timestamp":%d,"data":%s}`, i, i, nested(9990)))
	}
	body := batch(ops...)
	loop(ctx, 4, func(int) {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		a.ask(short, http.MethodPost, "/api/sync/batch", token, body)
	})
	return nil
}

func nestedBodies(ctx context.Context, a *attacker) error {
	token, err := a.account(ctx, 0)
	if err != nil {
		return err
	}
	body := `{"description":` + nested(499_000) + `}`
	loop(ctx, 4, func(int) { a.ask(ctx, http.MethodPost, "/api/expenses", token, body) })
	return nil
}

func bigBatches(ctx context.Context, a *attacker) error {
	var tokens []string
	for i := range 4 {
		token, err := a.account(ctx, i)
		if err != nil {
			return err
		}
		tokens = append(tokens, token)
	}
	var turn atomic.Int64
	loop(ctx, 6, func(worker int) {
		var ops []string
		for range 40_000 {
			ops = append(ops, createOperation(int(turn.Add(1)), "big"))
		}
		a.ask(ctx, http.MethodPost, "/api/sync/batch", tokens[worker%4], batch(ops...))
	})
	return nil
}

func manyKeys(ctx context.Context, a *attacker) error {
	token, err := a.account(ctx, 0)
	if err != nil {
		return err
	}
	var keys strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&keys, `,"%x":1`, i)
	}
	body := batch(`{"action":"CREATE","resourceType":"expense","resourceId":"t","deviceId":"d","timestamp":1,"data":{"a":1` +
		keys.String()[:9_000_000] + `}}`)
	loop(ctx, 4, func(int) { a.ask(ctx, http.MethodPost, "/api/sync/batch", token, body) })
	return nil
}

// park queues edits of expenses that do not exist, 400 KB each.
func park(ctx context.Context, a *attacker) (string, error) {
	token, err := a.account(ctx, 0)
	if err != nil {
		return "", err
	}
	long := strings.Repeat("x", 400_000)
	for b := range 20 {
		var ops []string
		for i := range 22 {
			ops = append(ops, parkedUpdate(b*100+i, long))
		}
		a.ask(ctx, http.MethodPost, "/api/sync/batch", token, batch(ops...))
	}
	// And small ones, which no bound of a single operation refuses.
	for b := range 4 {
		var ops []string
		for i := range 1000 {
			ops = append(ops, parkedUpdate(5000+b*1000+i, long[:8000]))
		}
		a.ask(ctx, http.MethodPost, "/api/sync/batch", token, batch(ops...))
	}
	return token, nil
}

// parkedUpdate is operation number n, of an expense that is not there.
func parkedUpdate(n int, description string) string {
	return fmt.Sprintf(`{"action":"UPDATE","resourceType":"expense","resourceId":"%024x","deviceId":"d",`+
		`"timestamp":%d,"data":{"description":%q}}`, n, n, description)
}

func parkedOverHTTP(ctx context.Context, a *attacker) error {
	token, err := park(ctx, a)
	if err != nil {
		return err
	}
	loop(ctx, 6, func(int) { a.ask(ctx, http.MethodGet, "/api/sync/pending", token, "") })
	return nil
}

func parkedOverSockets(ctx context.Context, a *attacker) error {
	token, err := park(ctx, a)
	if err != nil {
		return err
	}
	loop(ctx, 4, func(int) {
		c, err := process.Dial(a.addr, attackFrom, token)
		if err != nil {
			a.noteError(err)
			_ = pause(ctx, time.Second)
			return
		}
		defer c.Close()
		context.AfterFunc(ctx, func() { _ = c.Close() })
		if c.Send(`42["sync_request"]`) == nil {
			_ = c.Listen(func(packet string) {
				if strings.HasPrefix(packet, `42["sync_data"`) {
					a.note("sync_data")
					_ = c.Send(`42["sync_request"]`)
				}
			})
		}
		a.note("closed")
	})
	return nil
}

func signIns(ctx context.Context, a *attacker) error {
	if _, err := a.account(ctx, 0); err != nil {
		return err
	}
	body := fmt.Sprintf(`{"email":"attacker0@example.org","password":%q}`, process.Password)
	loop(ctx, 80, func(int) { a.ask(ctx, http.MethodPost, "/api/auth/login", "", body) })
	return nil
}

func wrongPasswords(ctx context.Context, a *attacker) error {
	body := `{"email":"attacker0@example.org","password":"not the right one"}`
	if _, err := a.account(ctx, 0); err != nil {
		return err
	}
	loop(ctx, 80, func(int) { a.ask(ctx, http.MethodPost, "/api/auth/login", "", body) })
	return nil
}

func registrations(ctx context.Context, a *attacker) error {
	var serial atomic.Int64
	loop(ctx, 80, func(int) {
		body := fmt.Sprintf(`{"name":"n","email":"r%d@example.org","password":%q}`, serial.Add(1), process.Password)
		a.ask(ctx, http.MethodPost, "/api/auth/register", "", body)
	})
	return nil
}

// onSockets has 4 signed-in sockets do something until the server ends them, and
// begin again.
func onSockets(ctx context.Context, a *attacker, n int, do func(*socketiotest.Client) error) error {
	token, err := a.account(ctx, 0)
	if err != nil {
		return err
	}
	loop(ctx, n, func(int) {
		c, err := process.Dial(a.addr, attackFrom, token)
		if err != nil {
			a.noteError(err)
			_ = pause(ctx, 200*time.Millisecond)
			return
		}
		defer c.Close()
		context.AfterFunc(ctx, func() { _ = c.Close() })
		go func() { _ = c.Listen(func(string) {}) }()
		for ctx.Err() == nil {
			if err := do(c); err != nil {
				a.note("socket closed")
				return
			}
		}
	})
	return nil
}

func packets(packet string) func(context.Context, *attacker) error {
	return func(ctx context.Context, a *attacker) error {
		return onSockets(ctx, a, 4, func(c *socketiotest.Client) error { return c.Send(packet) })
	}
}

func websocketPings(ctx context.Context, a *attacker) error {
	return onSockets(ctx, a, 4, func(c *socketiotest.Client) error {
		return c.WebSocket().WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
	})
}

func reconnects(ctx context.Context, a *attacker) error {
	token, err := a.account(ctx, 1)
	if err != nil {
		return err
	}
	connect := fmt.Sprintf(`40{"token":%q}`, token)
	return onSockets(ctx, a, 20, func(c *socketiotest.Client) error {
		if err := c.Send("41"); err != nil {
			return err
		}
		return c.Send(connect)
	})
}

func shares(ctx context.Context, a *attacker) error {
	token, err := filled(ctx, a, 1500)
	if err != nil {
		return err
	}
	list := a.ask(ctx, http.MethodGet, "/api/expenses", token, "")
	var ids []string
	for _, part := range strings.Split(list.Body, `"_id":"`)[1:] {
		ids = append(ids, part[:24])
	}
	if len(ids) == 0 {
		return fmt.Errorf("no expenses in %.100s", list.Body)
	}
	var turn atomic.Int64
	loop(ctx, 8, func(int) {
		id := ids[int(turn.Add(1))%len(ids)]
		a.ask(ctx, http.MethodPost, "/api/expenses/"+id+"/share", token, `{"email":"person0@example.org","role":"viewer"}`)
	})
	return nil
}
