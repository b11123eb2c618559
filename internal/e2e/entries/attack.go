package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/e2e/process"
)

// attacks are what an attack showed, from the worst to the least.
var attacks = []entry{
	{id: "attack-1", about: "40 polling handshakes with 9,900 parameters each stay in memory", try: fatHandshakes},
	{id: "attack-2", about: "8 readers of a page far down a long list make others wait", try: deepPages},
	{id: "attack-3", about: "operations of arrays in arrays cost time by the square of their depth", try: nestedOperations},
	{id: "attack-4", about: "an operation of 400 KB is parked", try: parkedLarge},
	{id: "attack-5", about: "a request whose body comes after the sign-out is applied", try: withheldBody},
	{id: "attack-6", about: "STATIC_DIR=. publishes the secret of the tokens", env: unstarted, try: publishedSecret},
	{id: "attack-7", about: "9 of 10 attachments are kept for ever", try: missingAttachments},
	{id: "attack-8", about: "20 unfinished frames of a megabyte are kept without a token", try: unfinishedFrames},
	{id: "attack-9", about: "80 sign-ins from one address keep another address from signing in", try: signIns},
	{id: "attack-10", about: "whoever has a shared expense hears the device ids of others", try: revealedDevice},
	{id: "attack-11", about: "8 slow readers of one account stop the lists of others", try: slowLists},
	{id: "attack-12", about: "4 batches of 9 MB at once take their multiple in memory", try: batchesAtOnce},
	{
		id: "attack-13", about: "one address fills the sessions without a token", env: []string{"MAX_CONNECTIONS=100"},
		try: sessionsOfOne,
	},
	{id: "attack-14", about: "idle connections up to the limit of open files lock all out", env: unstarted, try: idleConnections},
	{id: "attack-15", about: "a socket sends acks that nobody asked for without end", try: acks},
	{id: "attack-16", about: "a share needs no consent, and tells whether an address has an account", try: shareTells},
	{id: "attack-17", about: "the body of a sign-in may take as long as it likes", try: slowSignIns},
	{
		id: "attack-18", about: "a device that is signed out elsewhere keeps its expenses",
		see: "TestPageForgetsWhatItReadWhenItsSessionEnds, static/jstest/session.test.js",
	},
	{id: "attack-19", about: "a token that never opened a socket is in no list", try: unlistedToken},
	{id: "attack-20", about: "any web page keeps its visitor from signing in", try: foreignPage},
}

func fatHandshakes(t *trial) (string, bool) {
	var query strings.Builder
	for i := range 9900 {
		fmt.Fprintf(&query, "&%d", 1000+i)
	}
	before, last := t.RSS(), answer{}
	for range 40 {
		last = t.send(t.far, http.MethodGet, "/socket.io/?EIO=4&transport=polling"+query.String(), "", "")
	}
	grown := t.RSS() - before
	return fmt.Sprintf("answered %s; memory grew by %s", last, mb(grown)), grown > 20<<20
}

func deepPages(t *trial) (string, bool) {
	reader, other := t.person("reader"), t.person("other")
	t.fill(reader, 20_000)
	stop := t.meanwhile(8, func() {
		t.send(t.far, http.MethodGet, "/api/expenses?page=400&limit=50", reader.Token, "")
	})
	median := t.median(30, func() { t.ask(http.MethodGet, "/api/user/profile", other.Token, "") })
	stop()
	return fmt.Sprintf("half of another's requests took over %s", ms(median)), median > 60*time.Millisecond
}

// median repeats what and gives the time that half of the times exceeded.
func (t *trial) median(times int, what func()) time.Duration {
	var took []time.Duration
	for range times {
		begun := time.Now()
		what()
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// meanwhile has n workers repeat what until stop.
func (t *trial) meanwhile(n int, what func()) (stop func()) {
	end := make(chan struct{})
	var g sync.WaitGroup
	for range n {
		g.Go(func() {
			for t.ctx.Err() == nil {
				select {
				case <-end:
					return
				default:
					what()
				}
			}
		})
	}
	t.pause(500 * time.Millisecond)
	return func() { close(end); g.Wait() }
}

func nestedOperations(t *trial) (string, bool) {
	p := t.person("nested")
	data := strings.Repeat("[", 9990) + strings.Repeat("]", 9990)
	var ops []string
	for i := range 5 {
		ops = append(ops, operation("CREATE", fmt.Sprintf("temp_%d", i), "device_n", int64(i+1), data))
	}
	before := t.CPU()
	a := t.batch(p, ops...)
	spent := t.CPU() - before
	return fmt.Sprintf("answered %s; 100 KB cost %s of processor time", a, ms(spent)), spent > 400*time.Millisecond
}

func parkedLarge(t *trial) (string, bool) {
	p := t.person("parked")
	data := fmt.Sprintf(`{"description":%q}`, strings.Repeat("x", 400_000))
	t.batch(p, operation("UPDATE", strings.Repeat("a", 24), "device_p", 1, data))
	size := len(t.ask(http.MethodGet, "/api/sync/pending", p.Token, "").Body)
	return fmt.Sprintf("the parked list has %d bytes", size), size > 64<<10
}

func withheldBody(t *trial) (string, bool) {
	p := t.person("withheld")
	c := t.connect(elsewhere)
	if c == nil {
		return "", false
	}
	body := newExpense("")
	_, _ = fmt.Fprintf(c, "POST /api/expenses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer "+
		"%s\r\nContent-Length: %d\r\n\r\n%s",
		p.Token, len(body), body[:1])
	t.pause(300 * time.Millisecond)
	out := t.ask(http.MethodPost, "/api/auth/logout", p.Token, "{}")
	refused := t.ask(http.MethodGet, "/api/user/profile", p.Token, "")
	_, _ = io.WriteString(c, body[1:])
	status := statusOf(c)
	return fmt.Sprintf("signed out (%s), the token is refused (%s), the body that came then: %s", out, refused, status),
		strings.HasPrefix(status, "2")
}

// statusOf reads the status of an HTTP answer.
func statusOf(c io.Reader) string {
	b := make([]byte, 12)
	if _, err := io.ReadFull(c, b); err != nil {
		return "connection closed"
	}
	return string(b[9:])
}

func publishedSecret(t *trial) (string, bool) {
	if err := t.start(nil, "STATIC_DIR=."); err != nil {
		return "the server does not start: " + lastError(t), false
	}
	a := t.ask(http.MethodGet, "/data/jwt_secret", "", "")
	return fmt.Sprintf("GET /data/jwt_secret: %s, %d bytes", a, len(a.Body)), a.Status == http.StatusOK
}

// lastError is the last line of the server's log.
func lastError(t *trial) string {
	lines := strings.Split(strings.TrimSpace(t.Log()), "\n")
	return fmt.Sprintf("%.200s", lines[len(lines)-1])
}

func missingAttachments(t *trial) (string, bool) {
	p := t.person("binary")
	var head strings.Builder
	head.WriteString(`4510-["x"`)
	for i := range 10 {
		fmt.Fprintf(&head, `,{"_placeholder":true,"num":%d}`, i)
	}
	head.WriteString("]")
	before, open := t.RSS(), 0
	for range 5 {
		c := t.socket(elsewhere, p.Token)
		if c == nil {
			return "", false
		}
		_ = c.Send(head.String())
		for range 9 {
			_ = c.WebSocket().WriteMessage(websocket.BinaryMessage, make([]byte, 990_000))
		}
		if _, alive := heard(c, "nothing", 500*time.Millisecond); alive {
			open++
		}
	}
	return fmt.Sprintf("%d of 5 sockets stay open; memory grew by %s", open, mb(t.RSS()-before)), open > 0
}

func unfinishedFrames(t *trial) (string, bool) {
	const size = 999_999
	head := []byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, size >> 16, size >> 8 & 255, size & 255, 0, 0, 0, 0}
	before := t.RSS()
	for range 20 {
		c, err := process.DialRaw(t.Addr, elsewhere)
		if err != nil {
			t.note(err)
			return "", false
		}
		t.held = append(t.held, c)
		_, _ = c.WebSocket().UnderlyingConn().Write(append(head, make([]byte, 990_000)...))
	}
	t.pause(500 * time.Millisecond)
	grown := t.RSS() - before
	return fmt.Sprintf("memory grew by %s", mb(grown)), grown > 14<<20
}

func signIns(t *trial) (string, bool) {
	attacker, other := t.person("attacker"), t.person("other")
	stop := t.meanwhile(80, func() {
		t.signIn(t.far, attacker.Email, password)
	})
	in, told := 0, []string{}
	for range 4 {
		a := t.signIn(t.near, other.Email, password)
		told = append(told, a.String())
		if a.Status == http.StatusOK {
			in++
		}
		t.pause(200 * time.Millisecond)
	}
	stop()
	return fmt.Sprintf("another person's 4 sign-ins meanwhile: %s", strings.Join(told, ", ")), in < 3
}

func revealedDevice(t *trial) (string, bool) {
	owner, member := t.person("owner"), t.person("member")
	id := t.expense(owner, "")
	t.share(owner, id, member)
	c := t.socket(here, member.Token)
	t.ask(http.MethodPut, "/api/expenses/"+id, owner.Token, newExpense(`,"deviceId":"device_of_the_owner"`))
	event, _ := heard(c, `"expense_updated"`, 5*time.Second)
	if event == "" {
		t.note(fmt.Errorf("no expense_updated came"))
	}
	told := strings.Contains(event, "device_of_the_owner")
	return fmt.Sprintf("expense_updated names the owner's device: %t", told), told
}

func slowLists(t *trial) (string, bool) {
	slow, other := t.person("slow"), t.person("other")
	t.fill(slow, 30_000)
	t.fill(other, 300)
	for range 8 {
		if c := t.connect(elsewhere); c != nil {
			_ = c.(*net.TCPConn).SetReadBuffer(4096)
			_, _ = fmt.Fprintf(c, "GET /api/expenses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", slow.Token)
		}
	}
	t.pause(time.Second)
	t.near.Timeout = 8 * time.Second
	begun := time.Now()
	a := t.ask(http.MethodGet, "/api/expenses", other.Token, "")
	return fmt.Sprintf("another's list of 300: %s after %s", a, ms(time.Since(begun))), a.Status != http.StatusOK
}

func batchesAtOnce(t *trial) (string, bool) {
	p := t.person("batches")
	var keys strings.Builder
	for i := 0; keys.Len() < 9_000_000; i++ {
		fmt.Fprintf(&keys, `,"%x":1`, i)
	}
	body := batchOf(operation("CREATE", "temp_1", "device_b", 1, `{"a":1`+keys.String()+`}`))
	before, peak, stop := t.RSS(), int64(0), make(chan struct{})
	go func() {
		defer close(stop)
		var g sync.WaitGroup
		for range 4 {
			g.Go(func() { t.send(t.far, http.MethodPost, "/api/sync/batch", p.Token, body) })
		}
		g.Wait()
	}()
	for running := true; running; {
		select {
		case <-stop:
			running = false
		case <-time.After(20 * time.Millisecond):
			peak = max(peak, t.RSS())
		}
	}
	return fmt.Sprintf("memory grew by %s", mb(peak-before)), peak-before > 256<<20
}

func sessionsOfOne(t *trial) (string, bool) {
	told := map[int]int{}
	for range 150 {
		told[t.send(t.far, http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "").Status]++
	}
	a := t.ask(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "")
	return fmt.Sprintf("one address was given %d of 100 sessions; another address: %s", told[200], a), a.Status != http.StatusOK
}

func idleConnections(t *trial) (string, bool) {
	dir, err := os.MkdirTemp("", "expenseflow")
	t.note(err)
	t.Server, err = process.StartIn(t.ctx, dir, limitedFiles(t.binary, 256))
	t.note(err)
	for range 400 {
		if c, err := process.DialerFrom(elsewhere).Dial("tcp", t.Addr); err == nil {
			t.held = append(t.held, c)
		}
	}
	t.near.Timeout = 5 * time.Second
	t.pause(500 * time.Millisecond)
	a := t.ask(http.MethodGet, "/healthz", "", "")
	return fmt.Sprintf("256 files may be open, one address opens 400 connections; another address: %s", a), a.Status == 0
}

func acks(t *trial) (string, bool) {
	c := t.socket(elsewhere, t.person("acks").Token)
	if c == nil {
		return "", false
	}
	sent := 0
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end) && sent < 500_000; sent++ {
		if c.Send("430[]") != nil {
			break
		}
	}
	_, open := heard(c, "nothing", time.Second)
	return fmt.Sprintf("%d acks sent; the socket stays open: %t", sent, open), open
}

func shareTells(t *trial) (string, bool) {
	owner, other := t.person("owner"), t.person("other")
	path := "/api/expenses/" + t.expense(owner, "") + "/share"
	known := t.ask(http.MethodPost, path, owner.Token, `{"email":"other@example.org","role":"viewer"}`)
	unknown := t.ask(http.MethodPost, path, owner.Token, `{"email":"nobody@example.org","role":"viewer"}`)
	has := idOf(t.ask(http.MethodGet, "/api/expenses", other.Token, "").Body) != ""
	return fmt.Sprintf("an address with an account: %s, without: %s; it is in the other's list unasked: %t", known, unknown, has),
		known.Status != unknown.Status || known.Body != unknown.Body || has
}

func slowSignIns(t *trial) (string, bool) {
	var slow []net.Conn
	for range 10 {
		c := t.connect(elsewhere)
		if c == nil {
			return "", false
		}
		_, _ = io.WriteString(c,
			"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
		slow = append(slow, c)
	}
	t.pause(13 * time.Second)
	open := 0
	for _, c := range slow {
		if isOpen(c, 10*time.Millisecond) {
			open++
		}
	}
	return fmt.Sprintf("%d of 10 are open after 13 s with one byte of body", open), open > 0
}

func unlistedToken(t *trial) (string, bool) {
	p := t.person("stolen")
	var second struct{ Token string }
	t.signIn(t.near, p.Email, password).Into(&second)
	t.ask(http.MethodGet, "/api/user/profile", second.Token, "")
	devices := t.ask(http.MethodGet, "/api/devices", p.Token, "")
	var list struct {
		Sessions []struct {
			ID      string
			Current bool
		}
	}
	t.ask(http.MethodGet, "/api/sessions", p.Token, "").Into(&list)
	for _, s := range list.Sessions {
		if !s.Current {
			t.ask(http.MethodDelete, "/api/sessions/"+s.ID, p.Token, "{}")
		}
	}
	after := t.ask(http.MethodGet, "/api/user/profile", second.Token, "")
	return fmt.Sprintf("devices: %.40s; listed sessions: %d; the other token after signing it out: %s", devices.Body,
		len(list.Sessions), after), after.Status != http.StatusUnauthorized
}

func foreignPage(t *trial) (string, bool) {
	p := t.person("visitor")
	var told answer
	for range 20 {
		told = t.ask(http.MethodPost, "/api/auth/login", "", "{}", "Content-Type: text/plain", "Origin: https://evil.example")
	}
	own := t.signIn(t.near, p.Email, password)
	return fmt.Sprintf("the page's 20 posts: %s; the visitor's own sign-in: %s", told, own), own.Status != http.StatusOK
}

// limitedFiles is the program with a limit of open files.
func limitedFiles(binary string, n int) *exec.Cmd {
	return exec.Command("/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0"`, n), binary)
}
