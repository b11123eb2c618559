package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"expenseflow/internal/e2e/balancer"
	"expenseflow/internal/testneed"
)

// A cluster is several servers on one database, each on an address that it keeps.
type cluster struct {
	dir      string
	binary   string
	postgres *testneed.Server
	redis    *testneed.RedisServer
	servers  []*server
	front    *balancer.Balancer
}

// A server is one process after the other.
type server struct {
	addr  string
	env   []string
	cmd   *exec.Cmd
	ended chan error
}

// lateness bounds every wait for another process.
const lateness = 2 * time.Minute

func openCluster(ctx context.Context, o options, binary string) (c *cluster, err error) {
	c = &cluster{binary: binary}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.dir, err = os.MkdirTemp("", "expenseflow-roll-"); err != nil {
		return c, err
	}
	if c.postgres, err = testneed.PrivatePostgres(); err != nil {
		return c, err
	}
	var shared []string
	if o.redis {
		if c.redis, err = testneed.PrivateRedis(); err != nil {
			return c, err
		}
		shared = append(shared, "REDIS_URL="+c.redis.URL)
	}
	for range o.processes {
		if err := c.addServer(ctx, o, shared); err != nil {
			return c, err
		}
	}
	var addrs []string
	for _, s := range c.servers {
		addrs = append(addrs, s.addr)
	}
	c.front, err = balancer.Start(addrs...)
	return c, err
}

func (c *cluster) addServer(ctx context.Context, o options, shared []string) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(addr) // our own
	s := &server{addr: addr, env: append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "HOST=127.0.0.1", "PORT=" + port, "DATABASE_URL=" + c.postgres.URL,
		"JWT_SECRET=a secret of the rolls, long enough to be taken", "TRUSTED_PROXIES=127.0.0.1", "LOG_LEVEL=warn", "ACCESS_LOG=false",
		"RATE_LIMIT=0", "SIGN_IN_RATE_LIMIT=0", "MAX_CONNECTIONS_PER_USER=0", "MAX_TCP_CONNECTIONS=-1",
		"SHUTDOWN_DELAY=2s", "DRAIN_SPREAD=" + o.spread.String(), "ADVERTISE_URL=http://" + addr,
	}, shared...)}
	c.servers = append(c.servers, s)
	return c.start(ctx, s)
}

// freeAddr finds a port below the range that systems hand to outgoing connections, so
// that nobody takes it while its process is away.
func freeAddr() (string, error) {
	for ; nextPort < 32000; nextPort++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(nextPort))
		if ln, err := net.Listen("tcp4", addr); err == nil {
			nextPort++
			return addr, ln.Close()
		}
	}
	return "", errors.New("no free port on 127.0.0.1")
}

// nextPort is the first that was not tried.
var nextPort = 12000 + os.Getpid()%9000

// start runs a server's next process and returns when it is ready.
func (c *cluster) start(ctx context.Context, s *server) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd, s.ended = exec.Command(c.binary), make(chan error, 1)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = c.dir, s.env, log, log
	dieWithParent(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(s.cmd, s.ended)
	for late := time.Now().Add(lateness); !answers(ctx, "http://"+s.addr+"/readyz"); {
		select {
		case err := <-s.ended:
			s.cmd = nil
			return fmt.Errorf("the server ended at its start (%w):\n%s", err, c.log())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(late) {
			return fmt.Errorf("the server is not ready:\n%s", c.log())
		}
	}
	return nil
}

// stop ends a server's process as a deployment does, and waits until it has ended.
func (c *cluster) stop(s *server, within time.Duration) error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-s.ended:
		s.cmd = nil
		return err
	case <-time.After(within):
		return fmt.Errorf("the server runs %v after SIGTERM:\n%s", within, c.log())
	}
}

// log is the end of what the servers wrote.
func (c *cluster) log() string {
	b, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	return string(b[max(0, len(b)-8<<10):])
}

// kill ends the process at once and returns how it ended.
func (s *server) kill() error {
	_ = s.cmd.Process.Kill()
	return <-s.ended
}

func (c *cluster) close() {
	if c.front != nil {
		c.front.Close()
	}
	for _, s := range c.servers {
		if s.cmd != nil {
			_ = s.kill()
		}
	}
	if c.redis != nil {
		c.redis.Close()
	}
	if c.postgres != nil {
		c.postgres.Close()
	}
	_ = os.RemoveAll(c.dir)
}
