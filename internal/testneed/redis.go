//go:build unix

package testneed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisOptions are how a Redis server differs from the default.
type RedisOptions struct {
	Password bool // the default user has one
	TLS      bool // it speaks nothing else, with a certificate that nobody knows: CertFile

	Of     *RedisServer // it follows that server, as a replica
	Watch  *RedisServer // it is a Sentinel, alone, which promotes a replica of that server when it is away for half a second
	Member bool         // of a cluster: NewRedisCluster
}

// A RedisServer is a private Redis server. It keeps nothing when it ends.
type RedisServer struct {
	// URL names the server, with its password; it stays the same.
	URL string

	// CertFile is the certificate of the authority, with TLS.
	CertFile string

	bin, dir, password string
	mode               string // "--sentinel", or nothing
	port               int
	pid                int            // of the running server
	guard              io.WriteCloser // closing it ends the running server
	process            *exec.Cmd
}

var sharedRedis struct {
	sync.Once
	server *RedisServer
	err    error
}

// Redis is the URL of a Redis server that belongs to this test binary. It starts with the
// first call, listens on 127.0.0.1, and ends with the binary, however that ends.
func Redis(t testing.TB) string {
	t.Helper()
	bin := redisServer.require(t)
	sharedRedis.Do(func() { sharedRedis.server, sharedRedis.err = newRedis(bin, RedisOptions{}) })
	if sharedRedis.err != nil {
		t.Fatalf("start Redis: %v", sharedRedis.err)
	}
	return sharedRedis.server.URL
}

// NewRedis is a server of this test's own, which may stop, start and pause it. It ends with
// the test.
func NewRedis(t testing.TB, o RedisOptions) *RedisServer {
	t.Helper()
	s, err := newRedis(redisServer.require(t), o)
	if err != nil {
		t.Fatalf("start Redis: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// NewRedisCluster is a cluster of two masters. It ends with the test.
func NewRedisCluster(t testing.TB) (url string) {
	t.Helper()
	one, two := NewRedis(t, RedisOptions{Member: true}), NewRedis(t, RedisOptions{Member: true})
	one.must(t, "CLUSTER", "ADDSLOTSRANGE", 0, 8191)
	two.must(t, "CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
	one.must(t, "CLUSTER", "MEET", "127.0.0.1", two.port)
	for _, s := range []*RedisServer{one, two} {
		s.await(t, s.inCluster)
	}
	return fmt.Sprintf("redis://127.0.0.1:%d?addr=127.0.0.1:%d", one.port, two.port)
}

func (s *RedisServer) must(t testing.TB, command ...any) {
	t.Helper()
	if _, err := s.Do(command...); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

func (s *RedisServer) inCluster() error {
	info, err := s.Do("CLUSTER", "INFO")
	if text, _ := info.(string); err == nil && !strings.Contains(text, "cluster_state:ok") {
		err = errors.New(text)
	}
	return err
}

// AwaitReplica waits until a Sentinel knows a replica that it could promote.
func (s *RedisServer) AwaitReplica(t testing.TB) {
	t.Helper()
	s.await(t, func() error {
		replicas, err := s.Do("SENTINEL", "REPLICAS", SentinelName)
		if known, _ := replicas.([]any); err == nil && len(known) == 0 {
			err = errors.New("it knows no replica")
		}
		return err
	})
}

// AwaitMaster waits until a replica has been promoted.
func (s *RedisServer) AwaitMaster(t testing.TB) {
	t.Helper()
	s.await(t, func() error {
		info, err := s.Do("INFO", "replication")
		if text, _ := info.(string); err == nil && !strings.Contains(text, "role:master") {
			err = errors.New(text)
		}
		return err
	})
}

func (s *RedisServer) await(t testing.TB, ask func() error) {
	t.Helper()
	if err := awaitAnswer(time.Now().Add(30*time.Second), filepath.Join(s.dir, "log"), ask); err != nil {
		t.Fatalf("wait for Redis: %v", err)
	}
}

// PrivateRedis is a server for programs that stop and start it. It ends with Close, or with
// the process.
func PrivateRedis() (*RedisServer, error) {
	bin, ok := redisServer.Find()
	if !ok {
		return nil, errors.New("missing: " + redisServer.Name + " (" + redisServer.Get + ")")
	}
	return newRedis(bin, RedisOptions{})
}

func newRedis(bin string, o RedisOptions) (*RedisServer, error) {
	dir, err := os.MkdirTemp("", "expenseflow-redis-")
	if err != nil {
		return nil, err
	}
	s := &RedisServer{bin: bin, dir: dir}
	if err = s.create(o); err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// create writes the configuration.
func (s *RedisServer) create(o RedisOptions) (err error) {
	if s.port, err = freePort(); err != nil {
		return err
	}
	scheme, config := "redis", fmt.Sprintf("bind 127.0.0.1\nsave \"\"\ndir %s\n", s.dir)
	if o.Password {
		s.password = rand.Text()
		config += "requirepass " + s.password + "\n"
	}
	if o.TLS {
		scheme = "rediss"
		cert, key, err := writeCertificate(s.dir)
		if err != nil {
			return err
		}
		s.CertFile = cert
		config += fmt.Sprintf("port 0\ntls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-auth-clients no\n", s.port, cert, key)
	} else {
		config += fmt.Sprintf("port %d\n", s.port)
	}
	config += s.role(o)
	s.URL = fmt.Sprintf("%s://:%s@127.0.0.1:%d/0", scheme, s.password, s.port)
	if s.password == "" {
		s.URL = strings.Replace(s.URL, ":@", "", 1)
	}
	return os.WriteFile(s.config(), []byte(config), 0o600)
}

// SentinelName is the name of the server that a Sentinel watches.
const SentinelName = "watched"

// role returns the lines of what the server is beside others.
func (s *RedisServer) role(o RedisOptions) string {
	switch {
	case o.Of != nil:
		return fmt.Sprintf("replicaof 127.0.0.1 %d\n", o.Of.port)
	case o.Member:
		return "cluster-enabled yes\ncluster-config-file nodes.conf\n"
	case o.Watch == nil:
		return ""
	}
	s.mode = "--sentinel"
	return fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]d 1\nsentinel down-after-milliseconds %[1]s 500\n"+
		"sentinel failover-timeout %[1]s 2000\n", SentinelName, o.Watch.port)
}

func (s *RedisServer) config() string { return filepath.Join(s.dir, "redis.conf") }

// guardedRedis runs the server beside a shell that waits for its input to end. That happens
// when this process closes it or dies, even of kill -9.
const guardedRedis = `"$1" "$2/redis.conf" $3 >"$2/log" 2>&1 &
read -r keep
kill -KILL $!
wait $!
[ -n "$keep" ] || rm -rf "$2"`

func (s *RedisServer) start() error {
	cmd := exec.Command("/bin/sh", "-c", guardedRedis, "sh", s.bin, s.dir, s.mode)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of Ctrl-C
	guard, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.guard, s.process = guard, cmd
	return s.awaitReady(time.Now().Add(30 * time.Second))
}

// awaitReady tries to connect until it works.
func (s *RedisServer) awaitReady(deadline time.Time) error {
	return awaitAnswer(deadline, filepath.Join(s.dir, "log"), s.ask)
}

var redisProcess = regexp.MustCompile(`process_id:(\d+)`)

// ask asks the server for the id of its process.
func (s *RedisServer) ask() error {
	answer, err := s.Do("INFO", "server")
	if err != nil {
		return err
	}
	info, _ := answer.(string)
	found := redisProcess.FindStringSubmatch(info)
	if found == nil {
		return errors.New("the server does not say which process it is")
	}
	s.pid, err = strconv.Atoi(found[1])
	return err
}

// Do runs one command on a connection of its own.
func (s *RedisServer) Do(command ...any) (any, error) {
	o, err := redis.ParseURL(s.URL)
	if err != nil {
		return nil, err
	}
	if o.TLSConfig != nil {
		o.TLSConfig.InsecureSkipVerify = true
	}
	client := redis.NewClient(o)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return client.Do(ctx, command...).Result()
}

// Stop ends the server at once, as a crash does.
func (s *RedisServer) Stop(t testing.TB) {
	t.Helper()
	if err := s.Halt(); err != nil {
		t.Fatalf("stop Redis: %v", err)
	}
}

// Halt is Stop for programs.
func (s *RedisServer) Halt() error {
	if _, err := io.WriteString(s.guard, "keep\n"); err != nil {
		return err
	}
	s.end()
	return nil
}

// Start starts a stopped server again, at the same URL.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("start Redis again: %v", err)
	}
}

// Resume is Start for programs.
func (s *RedisServer) Resume() error { return s.start() }

// Pause stops the process of the server until Continue: connections stay, and nothing is
// answered.
func (s *RedisServer) Pause(t testing.TB) {
	t.Helper()
	s.Signal(t, syscall.SIGSTOP)
}

// Continue ends a pause.
func (s *RedisServer) Continue(t testing.TB) {
	t.Helper()
	s.Signal(t, syscall.SIGCONT)
}

// Signal sends the process of the server a signal.
func (s *RedisServer) Signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.SendSignal(signal); err != nil {
		t.Fatalf("%v to Redis: %v", signal, err)
	}
}

// SendSignal is Signal for programs.
func (s *RedisServer) SendSignal(signal syscall.Signal) error { return syscall.Kill(s.pid, signal) }

// Close ends the server and removes its folder.
func (s *RedisServer) Close() { s.end() }

// end ends the running server, if there is one, and waits for it.
func (s *RedisServer) end() {
	if s.guard != nil {
		s.guard.Close()      // the shell takes it from here
		_ = s.process.Wait() // its exit code is that of a killed server
		s.guard = nil
	}
}
