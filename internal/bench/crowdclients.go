package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// crowdVariable makes this program a process of the clients of one process of the crowd.
const crowdVariable = "EXPENSEFLOW_BENCH_CROWD"

// A crowdConfig is the first line that a process of clients reads. Each further line is an
// order: "connect", or the name of the event that is counted from then on.
type crowdConfig struct {
	Addr   string
	Member int      // which process of the crowd it is
	Users  []string // the ids
}

// A status is what such a process says of its sockets, a few times a second. Times are Unix
// milliseconds.
type status struct {
	Connected, Heard, Doubled int // sockets that are connected, that heard the event, and more than once
	LastConnected, LastHeard  int64
	Trouble                   string // the last error of a connection
}

const statusEvery = 100 * time.Millisecond

func (s *status) add(other status) {
	s.Connected += other.Connected
	s.Heard += other.Heard
	s.Doubled += other.Doubled
	s.LastConnected, s.LastHeard = max(s.LastConnected, other.LastConnected), max(s.LastHeard, other.LastHeard)
	if other.Trouble != "" {
		s.Trouble = other.Trouble
	}
}

// clients are a process with the sockets of one process of the crowd.
type clients struct {
	cmd *exec.Cmd
	in  io.WriteCloser

	mu   sync.Mutex
	last status
}

func startClients(addr string, member int, users []string) (*clients, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &clients{cmd: exec.Command(self)}
	c.cmd.Env = append(os.Environ(), crowdVariable+"=1", "GOMAXPROCS=1")
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go c.read(out)
	return c, json.NewEncoder(c.in).Encode(crowdConfig{addr, member, users})
}

func (c *clients) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s status
		if json.Unmarshal(lines.Bytes(), &s) == nil {
			c.mu.Lock()
			c.last = s
			c.mu.Unlock()
		}
	}
}

func (c *clients) order(what string) { fmt.Fprintln(c.in, what) }

func (c *clients) status() status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *clients) stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
