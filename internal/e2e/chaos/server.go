package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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

// patience bounds every wait for another process. It is no promise of the
// server's: the machine may be busy.
const patience = 60 * time.Second

// A server is one expenseflow process after the other, on one port and one
// database.
type server struct {
	binary string
	dir    string // its working directory, with data/ in it
	addr   string // stays the same over restarts, as a deployment's does
	debug  string // address of its metrics and profiles
	env    []string
	log    alarmLog

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has ended
}

// settings of every server: the limits of rates are off, for a schedule's devices
// share one address and one hour, and a slow socket's queue is the smallest, so
// that it is soon full.
func settings(dir, addr string) []string {
	_, port, _ := net.SplitHostPort(addr) // our own
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "HOST=127.0.0.1", "PORT=" + port,
		"JWT_SECRET=a secret of the chaos runs, long enough to be taken",
		"RATE_LIMIT=0", "SYNC_RATE_LIMIT=0", "SOCKET_QUEUE_BYTES=65536",
		"ACCESS_LOG=false", "LOG_LEVEL=warn", "GORACE=halt_on_error=0",
	}
}

func newServer(binary, dir string, env ...string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	debug, err := freeAddr()
	if err != nil {
		return nil, err
	}
	env = append(env, "METRICS_ADDR="+debug)
	return &server{binary: binary, dir: dir, addr: addr, debug: debug, env: append(settings(dir, addr), env...)}, nil
}

// freeAddr finds a port below the range that systems hand to outgoing
// connections, so that nobody takes it while a server is down.
func freeAddr() (string, error) {
	for range 200 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(12000+rand.IntN(18000)))
		ln, err := net.Listen("tcp4", addr)
		if err == nil {
			return addr, ln.Close()
		}
	}
	return "", errors.New("no free port on 127.0.0.1")
}

func (s *server) url() string { return "http://" + s.addr }

// start runs the server and returns once it is ready.
func (s *server) start(ctx context.Context) error {
	cmd := exec.Command(s.binary)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	ended := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.ended = cmd, ended
	s.mu.Unlock()
	go func() {
		_ = cmd.Wait() // most are killed
		close(ended)
	}()
	return s.awaitReady(ctx, ended)
}

func (s *server) awaitReady(ctx context.Context, ended <-chan struct{}) error {
	late := time.After(patience)
	for !s.ready() {
		select {
		case <-ended:
			return fmt.Errorf("the server ended instead of serving:\n%s", s.log.tail())
		case <-late:
			return fmt.Errorf("the server is not ready after %v:\n%s", patience, s.log.tail())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// probe asks a server whether it is ready; each time by a connection of its own.
var probe = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}

func (s *server) ready() bool {
	res, err := probe.Get(s.url() + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

// goroutines is what the server is doing, or why it does not say.
func (s *server) goroutines() string {
	res, err := probe.Get("http://" + s.debug + "/debug/pprof/goroutine?debug=2")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return "Goroutines of the server:\n" + string(b)
}

func (s *server) running() (*exec.Cmd, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd, s.ended
}

// kill is kill -9: nothing of the server runs after it.
func (s *server) kill() error {
	cmd, ended := s.running()
	if cmd == nil {
		return nil
	}
	err := cmd.Process.Kill()
	<-ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// stop asks the server to end and tells what its log holds that no log may.
func (s *server) stop() error {
	cmd, ended := s.running()
	if cmd == nil {
		return nil
	}
	_ = resume(cmd.Process)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("the server runs %v after SIGTERM", patience), s.kill())
	}
	return s.log.alarm()
}

func (s *server) pause() error {
	cmd, _ := s.running()
	return pause(cmd.Process)
}

func (s *server) resume() error {
	cmd, _ := s.running()
	return resume(cmd.Process)
}

// An alarmLog keeps the end of what a process writes, and from the first panic or
// data race on a few kilobytes more. The zero value is ready.
type alarmLog struct {
	mu        sync.Mutex
	end, what []byte
	alarmed   bool
}

const keptLog = 16 << 10

// Write implements io.Writer.
func (l *alarmLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = append(l.end, b...)
	if !l.alarmed {
		l.alarmed = strings.Contains(string(l.end), "WARNING: DATA RACE") || strings.Contains(string(l.end), "panic: ")
	}
	if l.alarmed && len(l.what) < keptLog {
		l.what = append(l.what, b...)
	}
	if over := len(l.end) - keptLog; over > 0 {
		l.end = append(l.end[:0], l.end[over:]...)
	}
	return len(b), nil
}

func (l *alarmLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.end)
}

func (l *alarmLog) alarm() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.alarmed {
		return nil
	}
	return fmt.Errorf("the server has panicked, or has a data race:\n%s", l.what)
}
