package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// An ear is told what a client notices, in order.
type ear interface {
	connected(recovered bool)
	disconnected(why string)
	refused(why string) // the client does not come back by itself
	event(name string, args []json.RawMessage)
}

// A node is one Node process with any number of npm's clients (clients.js).
type node struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	log   alarmLog
	ended chan struct{} // closed when its last line was read

	mu   sync.Mutex
	ears map[string]ear
}

// startNode starts one; root is the module's folder.
func startNode(root string) (*node, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("missing: Node (Debian: apt install nodejs npm)")
	}
	modules := filepath.Join(root, "internal", "e2e", "npm", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "socket.io-client")); err != nil {
		return nil, errors.New("missing: npm's modules (npm ci --prefix internal/e2e/npm)")
	}
	cmd := exec.Command(path, filepath.Join(root, "internal", "e2e", "chaos", "clients.js"))
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	n := &node{cmd: cmd, ears: make(map[string]ear), ended: make(chan struct{})}
	return n, n.start()
}

func (n *node) start() error {
	dieWithParent(n.cmd)
	n.cmd.Stderr = &n.log
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
		return fmt.Errorf("start Node: %w", err)
	}
	go n.read(stdout)
	return nil
}

// A note is one line of clients.js.
type note struct {
	Device string            `json:"device"`
	Note   string            `json:"note"`
	Args   []json.RawMessage `json:"args"`
}

func (n *node) read(stdout io.Reader) {
	defer close(n.ended)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var said note
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			panic(fmt.Sprintf("clients.js wrote %q", lines.Bytes()))
		}
		n.mu.Lock()
		e := n.ears[said.Device]
		n.mu.Unlock()
		if e != nil {
			said.dispatch(e)
		}
	}
}

func (n note) dispatch(e ear) {
	switch n.Note {
	case "connect":
		e.connected(string(n.Args[0]) == "true")
	case "disconnect":
		e.disconnected(string(n.Args[0]))
	case "refused":
		e.refused(string(n.Args[0]))
	case "event":
		e.event(text(n.Args[0]), n.Args[1:])
	}
}

// text reads a JSON string; "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// open connects a client; what it notices goes to e until close.
func (n *node) open(device, url string, options map[string]any, e ear) error {
	n.mu.Lock()
	n.ears[device] = e
	n.mu.Unlock()
	return n.say(map[string]any{"do": "open", "device": device, "url": url, "options": options})
}

func (n *node) close(device string) error {
	n.mu.Lock()
	delete(n.ears, device)
	n.mu.Unlock()
	return n.say(map[string]any{"do": "close", "device": device})
}

func (n *node) say(command map[string]any) error {
	line, err := json.Marshal(command)
	if err != nil {
		return err
	}
	if _, err := n.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("node has ended: %w\n%s", err, n.log.tail())
	}
	return nil
}

func (n *node) stop() error {
	_ = resume(n.cmd.Process)
	_ = n.stdin.Close()
	<-n.ended
	if err := n.cmd.Wait(); err != nil {
		return fmt.Errorf("node ended with %w\n%s", err, n.log.tail())
	}
	return nil
}
