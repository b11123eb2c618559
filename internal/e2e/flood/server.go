package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A server is the program under attack, a process of its own.
type server struct {
	cmd   *exec.Cmd
	dir   string
	addr  string
	ended chan struct{}
}

func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "expenseflow")
	out, err := exec.CommandContext(ctx, "go", "build", "-ldflags=-s", "-o", path, "expenseflow").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return path, nil
}

// start runs the program with its default limits on an empty database and returns
// when it is ready.
func start(ctx context.Context, binary, database string) (*server, error) {
	dir, err := os.MkdirTemp("", "flooded")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, addr: "127.0.0.1:" + port, ended: make(chan struct{})}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(binary)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, log, log
	s.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "HOST=127.0.0.1", "PORT=" + port, "DATABASE_URL=" + database,
		"ACCESS_LOG=false", "JWT_SECRET=a secret of the floods, long enough to be taken",
	}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	return s, s.awaitReady(ctx)
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}

func (s *server) awaitReady(ctx context.Context) error {
	for range 3000 {
		res, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if !s.alive() {
			return fmt.Errorf("the server ended at its start:\n%s", s.log())
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the server is not ready after 30 s:\n%s", s.log())
}

func (s *server) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// log is the end of what the server wrote.
func (s *server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b[max(0, len(b)-4096):])
}

func (s *server) stop() error {
	_ = s.cmd.Process.Kill()
	<-s.ended
	return os.RemoveAll(s.dir)
}

// rss is the resident memory in bytes; 0 of a process that has ended.
func (s *server) rss() int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func (s *server) descriptors() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	return len(entries)
}

// watch notes the peaks until ctx ends.
func (s *server) watch(ctx context.Context, one *round) {
	for pause(ctx, 100*time.Millisecond) == nil {
		one.rssPeak = max(one.rssPeak, s.rss())
		one.descriptors = max(one.descriptors, s.descriptors())
	}
	one.survived = s.alive()
}

// restAfter is how long memory has to come back after a flood.
const restAfter = time.Minute

// rest waits until memory is back, restAfter at the longest.
func (s *server) rest(ctx context.Context, one *round) error {
	for end := time.Now().Add(restAfter); ; {
		one.rssAfter = s.rss()
		if one.rssAfter <= one.rssBefore+backWithin || time.Now().After(end) {
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// attack runs a flood in a process of its own, so that it does not slow the
// others down by sharing theirs.
func (s *server) attack(ctx context.Context, name string, length time.Duration) (answers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// An attacker computes elsewhere: this one gets only what the server and the
	// others leave of the processor.
	cmd := exec.CommandContext(ctx, "nice", "-n", "19", self, "-attack", name, "-target", s.addr, "-length", length.String())
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the attacking process: %w", err)
	}
	var told answers
	return told, json.Unmarshal(out, &told)
}
