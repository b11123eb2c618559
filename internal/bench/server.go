package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The server runs on one core and the load generator on the other.
const (
	serverCore    = "0"
	generatorCore = "1"
)

// A peer is a server that can be measured: a name and how it is started. argv
// gets the address to listen on as its last argument. The process says "ready"
// on a line of its own when it listens, or answers 200 on the path probe.
type peer struct {
	name  string
	argv  []string
	env   []string
	probe string
	build step
}

// A process is a running peer.
type process struct {
	cmd     *exec.Cmd
	addr    string
	startup time.Duration // from exec to ready
	log     *tailBuffer
}

const startTimeout = 30 * time.Second

// start runs the peer pinned to the server's core and waits until it is ready.
func (p peer) start(ctx context.Context) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return p.startAt(ctx, addr)
}

// startAt is start on an address.
func (p peer) startAt(ctx context.Context, addr string) (*process, error) {
	argv := append([]string{"-c", serverCore}, append(p.argv, addr)...)
	cmd := exec.CommandContext(ctx, "taskset", argv...)
	cmd.Env = append(append(os.Environ(), "GOMAXPROCS=1", "NODE_ENV=production"), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log := &tailBuffer{}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	proc := &process{cmd: cmd, addr: addr, log: log}
	if err := proc.awaitReady(ctx, out, p.probe); err != nil {
		proc.stop()
		return nil, fmt.Errorf("start %s: %w\n%s", p.name, err, log)
	}
	proc.startup = time.Since(began)
	return proc, nil
}

// awaitReady waits for the process to be ready and keeps draining stdout after it.
func (p *process) awaitReady(ctx context.Context, out io.Reader, probe string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	said := make(chan error, 1)
	go func() { said <- scanReady(out) }()
	if probe != "" {
		return p.answers(ctx, probe)
	}
	select {
	case err := <-said:
		return err
	case <-ctx.Done():
		return fmt.Errorf("not ready within %s", startTimeout)
	}
}

// scanReady reads lines until one says "ready" and leaves the rest to a
// goroutine that lives as long as the process.
func scanReady(out io.Reader) error {
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		if scan.Text() == "ready" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return nil
		}
	}
	return errors.New("ended before it was ready")
}

// answers asks for path every millisecond until the answer is 200.
func (p *process) answers(ctx context.Context, path string) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+path, nil)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("no answer from %s within %s", path, startTimeout)
		}
	}
}

// stop kills the process and reaps it.
func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// cpu is the processor time the process has used, in steps of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The command name may hold blanks: fields are counted after its ')'.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// rss is the resident memory of the process in bytes.
func (p *process) rss() (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// file is the size in bytes of the program that the process runs.
func (p *process) file() (int64, error) {
	info, err := os.Stat(fmt.Sprintf("/proc/%d/exe", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

var portsTried int

// freeAddr finds a port of which the one above is free too, for the metrics, below the range
// that systems hand to outgoing connections.
func freeAddr() (string, error) {
	const lowest, ports, tries = 12000, 18000, 200
	for range tries {
		portsTried += 2
		port := lowest + (os.Getpid()+portsTried)%ports
		if isFree(port) && isFree(port+1) {
			return localAddr(port), nil
		}
	}
	return "", errors.New("no two free ports beside each other on 127.0.0.1")
}

func isFree(port int) bool {
	ln, err := net.Listen("tcp", localAddr(port))
	if err != nil {
		return false
	}
	return ln.Close() == nil
}

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// A tailBuffer keeps the last few kilobytes written to it.
type tailBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (t *tailBuffer) Write(p []byte) (int, error) {
	const keep = 4096
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - keep; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tailBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
