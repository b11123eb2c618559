package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// npmDir holds package.json, the lock file and our driver scripts.
const npmDir = "npm"

// A node is one process that hosts any number of devices: Node with
// npm/device.js, or whatever else speaks its lines.
type node struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu      sync.Mutex
	nextID  int
	waiting map[int]chan reply
	devices map[string]*device
	ended   error // why the process no longer answers; nil while it does

	stderr logBuffer
	done   chan struct{} // closed when its last line was read

	// elsewhere says that its devices talk to a server of the test's own, whose
	// events are on no page.
	elsewhere bool
}

// A reply answers one command.
type reply struct {
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// A line is anything that the driver writes.
type line struct {
	ID     int    `json:"id"`
	Device string `json:"device"`
	note
	reply
}

// A note is something a device noticed; see npm/device.js for the names.
type note struct {
	Name  string            `json:"note"`
	Args  []json.RawMessage `json:"args"`
	Event string            `json:"-"` // the event's name, for the note "event", whose Args are the event's
	At    time.Time         `json:"-"` // when the test read it
}

// stamped returns the note as it is kept.
func (n note) stamped() note {
	n.At = time.Now()
	if n.Name == "event" && len(n.Args) > 0 && json.Unmarshal(n.Args[0], &n.Event) == nil {
		n.Args = n.Args[1:]
	}
	return n
}

// startNode returns a Node process for t, or skips it where Node or the npm
// packages are missing.
func startNode(t *testing.T) *node {
	t.Helper()
	return startDriver(t, "device.js")
}

// startDriver is startNode with one of the driver scripts in npm/.
func startDriver(t *testing.T, script string) *node {
	t.Helper()
	path := testneed.Node(t)
	testneed.NPM(t, npmDir)
	cmd := exec.Command(path, script)
	cmd.Dir = npmDir
	return startHost(t, cmd)
}

// startHost returns the process of any driver that speaks the lines of
// npm/device.js.
func startHost(t *testing.T, cmd *exec.Cmd) *node {
	t.Helper()
	n := newNode(cmd)
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.stop(t) })
	return n
}

func newNode(cmd *exec.Cmd) *node {
	return &node{cmd: cmd, waiting: make(map[int]chan reply), devices: make(map[string]*device), done: make(chan struct{})}
}

func (n *node) start() error {
	n.cmd.Stderr = &n.stderr
	dieWithParent(n.cmd)
	stdin, err := n.cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	n.stdin = stdin
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", n.cmd.Path, err)
	}
	go n.read(stdout)
	return nil
}

// maxLine bounds one line of the driver: an answer with thousands of results.
const maxLine = 64 << 20

func (n *node) read(stdout io.Reader) {
	defer close(n.done)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			n.end(fmt.Errorf("node wrote what is no command's answer: %q", lines.Text()))
			continue
		}
		n.take(l)
	}
	n.end(errors.Join(errors.New("node has ended"), lines.Err()))
}

func (n *node) take(l line) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.Device != "" {
		if d := n.devices[l.Device]; d != nil {
			d.add(l.note.stamped())
		}
		return
	}
	if waiting := n.waiting[l.ID]; waiting != nil {
		delete(n.waiting, l.ID)
		waiting <- l.reply
	}
}

// end fails every command that still waits.
func (n *node) end(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended == nil {
		n.ended = err
	}
	for id, waiting := range n.waiting {
		delete(n.waiting, id)
		waiting <- reply{Error: n.ended.Error()}
	}
}

// isUp reports whether the process still answers.
func (n *node) isUp() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended == nil
}

func (n *node) stop(t *testing.T) {
	if err := n.finish(); err != nil {
		t.Error(err)
	}
}

func (n *node) finish() error {
	_ = n.stdin.Close()
	<-n.done
	if err := n.cmd.Wait(); err != nil {
		return fmt.Errorf("node ended with %w\n%s", err, n.stderr.tail())
	}
	return nil
}

// do runs one command of the driver and gives its result.
func (n *node) do(t *testing.T, command map[string]any) json.RawMessage {
	t.Helper()
	result, err := n.try(command)
	if err != nil {
		t.Fatalf("%v of %v: %v\n%s", command["do"], command["device"], err, n.stderr.tail())
	}
	return result
}

// try is do for commands that may fail.
func (n *node) try(command map[string]any) (json.RawMessage, error) {
	waiting, err := n.send(command)
	if err != nil {
		return nil, err
	}
	select {
	case r := <-waiting:
		if r.Error != "" {
			return nil, errors.New(r.Error)
		}
		return r.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("no answer within %v", patience)
	}
}

func (n *node) send(command map[string]any) (<-chan reply, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended != nil {
		return nil, n.ended
	}
	n.nextID++
	command["id"] = n.nextID
	b, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	waiting := make(chan reply, 1)
	n.waiting[n.nextID] = waiting
	_, err = n.stdin.Write(append(b, '\n'))
	return waiting, err
}

// A transport is one way in which a client may connect.
type transport struct {
	name string
	list []string // nil: the client's own choice, polling first and then the upgrade
}

var transports = []transport{
	{"polling", []string{"polling"}},
	{"websocket", []string{"websocket"}},
	{"upgrade", nil},
}

// options returns a client's options for the transport. Reconnection is quick,
// because what is tested is that it happens.
func (tr transport) options() map[string]any {
	o := map[string]any{"reconnectionDelay": 50, "reconnectionDelayMax": 200}
	if tr.list != nil {
		o["transports"] = tr.list
	}
	return o
}

// A device is one client in a Node process. What it notices is kept in order.
type device struct {
	node *node
	name string

	mu      sync.Mutex
	notes   []note
	changed chan struct{} // closed and replaced with every note
}

// add keeps one note.
func (d *device) add(n note) {
	if !d.node.elsewhere {
		holdToPage(n)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, n)
	close(d.changed)
	d.changed = make(chan struct{})
}

func (n *node) device(t *testing.T) *device {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := &device{node: n, name: fmt.Sprintf("%s#%d", t.Name(), len(n.devices)), changed: make(chan struct{})}
	n.devices[d.name] = d
	return d
}

// open connects a device to url with the client's options, as
// io(url, options) does, and does not wait for the connection.
func (n *node) open(t *testing.T, url string, options map[string]any) *device {
	t.Helper()
	return n.openWith(t, "", url, options)
}

// openWith is open with the named npm package; "" is socket.io-client.
func (n *node) openWith(t *testing.T, npm, url string, options map[string]any) *device {
	t.Helper()
	d := n.device(t)
	n.do(t, map[string]any{"do": "open", "device": d.name, "client": npm, "url": url, "options": options})
	return d
}

// connect opens a device of the account's and waits until it is connected, by
// the transport it ends up with.
func (n *node) connect(t *testing.T, a *account, tr transport) *device {
	t.Helper()
	return n.connectAt(t, a.p.url(), a, tr)
}

// connectAt is connect through another address, such as a proxy's, which may have a path.
func (n *node) connectAt(t *testing.T, url string, a *account, tr transport) *device {
	t.Helper()
	options := tr.options()
	options["auth"] = map[string]any{"token": a.Token}
	if path := strings.Index(url, "/"); strings.Count(url, "/") > len("//") {
		path += len("//") + strings.Index(url[path+len("//"):], "/")
		url, options["path"] = url[:path], url[path:]+"/socket.io/"
	}
	d := n.open(t, url, options)
	d.await(t, "connect", 1)
	if tr.list == nil {
		d.awaitThat(t, "upgrade", upgraded)
	}
	return d
}

// upgraded reports whether the client has ended up on a WebSocket: it may have
// been there already when it was connected.
func upgraded(notes []note) bool {
	for _, n := range notes {
		if n.Name == "upgrade" || n.Name == "connect" && string(n.Args[1]) == `"websocket"` {
			return true
		}
	}
	return false
}

// emit sends one event without asking for an acknowledgement.
func (d *device) emit(t *testing.T, event string, args ...any) {
	t.Helper()
	d.node.do(t, map[string]any{"do": "emit", "device": d.name, "event": event, "args": args})
}

// ask sends one event and gives what came back in its acknowledgement.
func (d *device) ask(t *testing.T, event string, args ...any) []json.RawMessage {
	t.Helper()
	result := d.node.do(t, map[string]any{"do": "emit", "ack": true, "device": d.name, "event": event, "args": args})
	var back []json.RawMessage
	if err := json.Unmarshal(result, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// snapshot returns the notes so far and a channel that closes with the next one.
func (d *device) snapshot() ([]note, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.notes[:len(d.notes):len(d.notes)], d.changed
}

// awaitThat waits until enough finds what it looks for in the notes.
func (d *device) awaitThat(t *testing.T, what string, enough func([]note) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		notes, changed := d.snapshot()
		if enough(notes) {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%s: still no %s after %v; it noticed:\n%s", d.name, what, patience, describe(notes))
		}
	}
}

// await waits until the device has noticed name n times and gives the n-th.
func (d *device) await(t *testing.T, name string, n int) note {
	t.Helper()
	d.awaitThat(t, fmt.Sprintf("%s number %d", name, n), func(notes []note) bool {
		return len(named(notes, name)) >= n
	})
	return d.noted(name)[n-1]
}

// noted returns what the device has noticed under this name so far.
func (d *device) noted(name string) []note {
	notes, _ := d.snapshot()
	return named(notes, name)
}

func named(notes []note, name string) []note {
	var out []note
	for _, n := range notes {
		if n.Name == name {
			out = append(out, n)
		}
	}
	return out
}

// An event is something the server emitted.
type event struct {
	Name string
	Args []json.RawMessage
	At   time.Time // when the test read it
}

// into decodes the event's first argument.
func (e event) into(t *testing.T, v any) {
	t.Helper()
	if len(e.Args) == 0 {
		t.Fatalf("%s came without an argument", e.Name)
	}
	if err := json.Unmarshal(e.Args[0], v); err != nil {
		t.Fatalf("%s does not decode: %v: %s", e.Name, err, e.Args[0])
	}
}

// events returns what the device heard so far under these names, in order; all
// of it if none is named.
func (d *device) events(names ...string) []event {
	notes, _ := d.snapshot()
	return eventsIn(notes, names)
}

func eventsIn(notes []note, names []string) []event {
	var out []event
	for _, n := range notes {
		if n.Name == "event" && (len(names) == 0 || slices.Contains(names, n.Event)) {
			out = append(out, event{n.Event, n.Args, n.At})
		}
	}
	return out
}

// hear waits until the device has heard n events of these names and gives all
// that it has heard of them.
func (d *device) hear(t *testing.T, n int, names ...string) []event {
	t.Helper()
	d.awaitThat(t, fmt.Sprintf("%d of %s", n, strings.Join(names, ", ")), func(notes []note) bool {
		return len(notes) >= n && len(eventsIn(notes, names)) >= n // counting takes long where they are many
	})
	return d.events(names...)
}

func describe(notes []note) string {
	var b strings.Builder
	for i, n := range notes {
		if i == 40 {
			fmt.Fprintf(&b, "  and %d more\n", len(notes)-i)
			break
		}
		fmt.Fprintf(&b, "  %s %s %.200s\n", n.Name, n.Event, join(n.Args))
	}
	return b.String()
}

// join returns arguments as one text, without the ids of rejections.
func join(args []json.RawMessage) string {
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = rejectionID.ReplaceAllString(string(a), "")
	}
	return strings.Join(texts, " ")
}

var rejectionID = regexp.MustCompile(`,"requestId":"[A-Z0-9]+"`)
