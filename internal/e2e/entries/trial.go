package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"expenseflow/internal/e2e/process"
	"expenseflow/internal/socketio/socketiotest"
)

const (
	here      = "127.0.0.1"  // where most requests come from
	elsewhere = "127.0.0.66" // another address, the attacker's
	password  = process.Password
)

// A trial is one entry's server and clients. The first failure that is not an
// answer of the server is kept in err, and what follows it does nothing.
type trial struct {
	*process.Server
	ctx    context.Context
	binary string
	err    error
	near   *http.Client // from here
	far    *http.Client // from elsewhere
	held   []io.Closer
}

// newTrial has a server with env; with settings of the entry "none", none yet.
func newTrial(ctx context.Context, binary string, env []string) *trial {
	t := &trial{ctx: ctx, binary: binary, near: clientFrom(here), far: clientFrom(elsewhere)}
	if slices.Equal(env, unstarted) {
		return t
	}
	t.Server, t.err = process.Start(ctx, binary, env...)
	return t
}

// unstarted is the env of an entry that starts the server by itself.
var unstarted = []string{"none"}

// start starts the server in a folder with what prepare puts there. It returns the
// error of a server that does not start, which is an observation.
func (t *trial) start(prepare func(dir string) error, env ...string) error {
	dir, err := os.MkdirTemp("", "expenseflow")
	t.note(err)
	if prepare != nil {
		t.note(prepare(dir))
	}
	t.Server, err = process.StartIn(t.ctx, dir, exec.Command(t.binary), env...)
	return err
}

// again ends the server and starts it anew in the same folder.
func (t *trial) again(between func(), env ...string) {
	if t.err != nil {
		return
	}
	t.Kill()
	between()
	var err error
	t.Server, err = process.StartIn(t.ctx, t.Dir, exec.Command(t.binary), env...)
	t.note(err)
}

func (t *trial) end() {
	for _, c := range t.held {
		_ = c.Close()
	}
	if t.Server != nil {
		_ = t.Stop()
	}
}

func (t *trial) note(err error) {
	if t.err == nil {
		t.err = err
	}
}

func clientFrom(address string) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: process.DialerFrom(address).DialContext, MaxIdleConnsPerHost: 128, DisableCompression: true,
	}}
}

func (t *trial) pause(d time.Duration) {
	select {
	case <-t.ctx.Done():
		t.note(t.ctx.Err())
	case <-time.After(d):
	}
}

// An answer is what came back; status 0 is none.
type answer struct{ process.Answer }

func (a answer) String() string {
	if a.Status == 0 {
		return "no answer"
	}
	return fmt.Sprint(a.Status)
}

// send asks as the given client; headers are "Name: value". No answer is an answer.
func (t *trial) send(c *http.Client, method, path, token, body string, headers ...string) answer {
	if t.err != nil {
		return answer{}
	}
	a, err := process.Send(t.ctx, c, method, "http://"+t.Addr+path, token, body, headers...)
	if err != nil {
		return answer{}
	}
	return answer{a}
}

// ask is send from here.
func (t *trial) ask(method, path, token, body string, headers ...string) answer {
	return t.send(t.near, method, path, token, body, headers...)
}

// person registers an account.
func (t *trial) person(name string) process.Account { return t.personAt(name + "@example.org") }

func (t *trial) personAt(email string) process.Account {
	if t.err != nil {
		return process.Account{}
	}
	a, err := process.Register(t.ctx, t.near, t.Addr, email)
	t.note(err)
	return a
}

// signIn asks as the given client.
func (t *trial) signIn(c *http.Client, email, password string) answer {
	return t.send(c, http.MethodPost, "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// expense records one and gives its id; fields begin with a comma.
func (t *trial) expense(p process.Account, fields string) string {
	a := t.ask(http.MethodPost, "/api/expenses", p.Token, newExpense(fields))
	id := idOf(a.Body)
	if t.err == nil && id == "" {
		t.note(fmt.Errorf("record an expense: %s %.200s", a, a.Body))
	}
	return id
}

func newExpense(fields string) string {
	return `{"description":"Lunch","amount":12.5,"category":"food","type":"expense"` + fields + `}`
}

// idOf is the first _id of a body.
func idOf(body string) string {
	_, rest, _ := strings.Cut(body, `"_id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// operation is one of a batch.
func operation(action, id, device string, at int64, data string) string {
	return fmt.Sprintf(`{"action":%q,"resourceType":"expense","resourceId":%q,"deviceId":%q,"timestamp":%d,"data":%s}`, action, id,
		device, at, data)
}

func batchOf(operations ...string) string {
	return `{"operations":[` + strings.Join(operations, ",") + `]}`
}

// batch sends one from here.
func (t *trial) batch(p process.Account, operations ...string) answer {
	return t.ask(http.MethodPost, "/api/sync/batch", p.Token, batchOf(operations...))
}

// fill creates n expenses of p.
func (t *trial) fill(p process.Account, n int) {
	for from := 0; from < n; from += 10000 {
		var ops []string
		for i := from; i < min(n, from+10000); i++ {
			ops = append(ops, operation("CREATE", fmt.Sprintf("temp_%d", i), "device_"+p.ID, int64(1700000000000+i), newExpense("")))
		}
		if a := t.batch(p, ops...); a.Status != http.StatusOK {
			t.note(fmt.Errorf("fill the account: %s %.100s", a, a.Body))
		}
	}
}

// share has owner's expense shared with p, who accepts if asked.
func (t *trial) share(owner process.Account, id string, p process.Account) {
	a := t.ask(http.MethodPost, "/api/expenses/"+id+"/share", owner.Token, fmt.Sprintf(`{"email":%q,"role":"editor"}`, p.Email))
	if a.Status/100 != 2 {
		t.note(fmt.Errorf("share: %s %.100s", a, a.Body))
	}
	if invitation := t.invitation(p); invitation != "" {
		t.ask(http.MethodPost, "/api/invitations/"+invitation+"/accept", p.Token, "{}")
	}
}

// invitation is the id of the first that waits for p; "" if none came within three
// seconds, for the work behind a share goes on after its answer.
func (t *trial) invitation(p process.Account) string {
	for range 30 {
		a := t.ask(http.MethodGet, "/api/invitations", p.Token, "")
		var list struct{ Invitations []struct{ ID string } }
		a.Into(&list)
		if len(list.Invitations) > 0 {
			return list.Invitations[0].ID
		}
		if a.Status != http.StatusOK {
			return "" // this program does not invite
		}
		t.pause(100 * time.Millisecond)
	}
	return ""
}

// socket opens a signed-in socket.
func (t *trial) socket(from, token string) *socketiotest.Client {
	if t.err != nil {
		return nil
	}
	c, err := process.Dial(t.Addr, from, token)
	if err != nil {
		t.note(err)
		return nil
	}
	t.held = append(t.held, c)
	return c
}

// heard reads packets for d, or until one contains what; it gives that one.
func heard(c *socketiotest.Client, what string, d time.Duration) (packet string, open bool) {
	if c == nil {
		return "", false
	}
	_ = c.WebSocket().SetReadDeadline(time.Now().Add(d))
	for {
		packet, err := c.Receive()
		switch {
		case err != nil:
			return "", timedOut(err)
		case strings.Contains(packet, what):
			return packet, true
		}
	}
}

// connect opens a plain connection from an address.
func (t *trial) connect(from string) net.Conn {
	if t.err != nil {
		return nil
	}
	c, err := process.DialerFrom(from).DialContext(t.ctx, "tcp", t.Addr)
	if err != nil {
		t.note(err)
		return nil
	}
	t.held = append(t.held, c)
	return c
}

// isOpen reports whether the server neither says anything nor closes c for d.
func isOpen(c net.Conn, d time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(d))
	_, err := c.Read(make([]byte, 1))
	return timedOut(err)
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// say sends a packet on a socket that there may not be.
func say(c *socketiotest.Client, packet string) {
	if c != nil {
		_ = c.Send(packet)
	}
}

// command runs one of the program's commands in the server's folder.
func (t *trial) command(name string, env ...string) error {
	cmd := exec.CommandContext(t.ctx, t.binary, name)
	cmd.Dir, cmd.Env = t.Dir, append([]string{"HOME=" + t.Dir}, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// pretending is a client for which host is at the server's address.
func (t *trial) pretending(host string) *http.Client {
	c := clientFrom(here)
	c.Transport = asHost{host, c.Transport}
	return c
}

type asHost struct {
	host string
	http.RoundTripper
}

func (a asHost) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Host = a.host
	return a.RoundTripper.RoundTrip(req)
}
