package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"expenseflow/internal/e2e/balancer"
	"expenseflow/internal/e2e/faultproxy"
	"expenseflow/internal/testneed"
)

// A cluster is what schedules run in, one after the other: a server with its database,
// or several behind a balancer, Node processes for npm's clients, and users.
type cluster struct {
	dir      string
	binary   string
	on       setup
	bug      string
	servers  []*server
	wires    []*wire               // of each server, with several
	front    *balancer.Balancer    // nil with one server
	postgres *testneed.Server      // nil on SQLite
	redis    *testneed.RedisServer // nil without Redis
	nodes    []*node

	users  []*user
	used   int // schedules that these users have had
	signed int // users made so far
}

// A wire is the network between one of several servers and what they share.
type wire struct {
	postgres, redis *faultproxy.Proxy // redis is nil without Redis
}

// A user is an account that schedules share until its list has grown long.
type user struct{ id, token string }

const (
	usersPerCluster  = 3
	schedulesOfUsers = 6
	nodesPerCluster  = 2
)

// openCluster starts everything that a job runs on.
func openCluster(ctx context.Context, binary, root string, j job) (*cluster, error) {
	dir, err := os.MkdirTemp("", "expenseflow-chaos-")
	if err != nil {
		return nil, err
	}
	h := &cluster{dir: dir, binary: binary, on: j.on, bug: j.bug}
	if err := h.open(ctx, root); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *cluster) open(ctx context.Context, root string) (err error) {
	if h.on.db == postgres {
		if h.postgres, err = testneed.PrivatePostgres(); err != nil {
			return fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
	if h.on.redis {
		if h.redis, err = testneed.PrivateRedis(); err != nil {
			return fmt.Errorf("start Redis: %w", err)
		}
	}
	for range h.on.processes {
		if err := h.addServer(); err != nil {
			return err
		}
	}
	for range nodesPerCluster {
		n, err := startNode(root)
		if err != nil {
			return err
		}
		h.nodes = append(h.nodes, n)
	}
	for _, s := range h.servers {
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	return h.balance()
}

// addServer adds one that is not started yet.
func (h *cluster) addServer() error {
	var env []string
	switch {
	case h.on.processes > 1:
		w, err := h.newWire()
		if err != nil {
			return err
		}
		if env, err = w.settings(h.postgres.URL); err != nil {
			return err
		}
	case h.postgres != nil:
		env = append(env, "DATABASE_URL="+h.postgres.URL)
	}
	if h.bug != "" {
		env = append(env, "SEEDED_BUG="+h.bug)
	}
	dir := filepath.Join(h.dir, fmt.Sprint("server", len(h.servers)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	s, err := newServer(h.binary, dir, env...)
	if err == nil {
		h.servers = append(h.servers, s)
	}
	return err
}

func (h *cluster) newWire() (w *wire, err error) {
	w = &wire{}
	h.wires = append(h.wires, w)
	if w.postgres, err = faultproxy.Start(h.postgres.Addr(), faultproxy.Options{}); err != nil || h.redis == nil {
		return w, err
	}
	addr, err := addrOf(h.redis.URL)
	if err != nil {
		return w, err
	}
	w.redis, err = faultproxy.Start(addr, faultproxy.Options{})
	return w, err
}

// settings are those of a server that reaches what it shares by the wire.
func (w *wire) settings(database string) ([]string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, err
	}
	u.Host = w.postgres.Addr()
	env := []string{"DATABASE_URL=" + u.String(), "TRUSTED_PROXIES=127.0.0.1", "DRAIN_SPREAD=1s"}
	if w.redis != nil {
		env = append(env, "REDIS_URL=redis://"+w.redis.Addr())
	}
	return env, nil
}

func (w *wire) mend() {
	for _, p := range []*faultproxy.Proxy{w.postgres, w.redis} {
		if p != nil {
			p.SetDown(false)
			p.SetSilent(false)
		}
	}
}

// balance puts a balancer in front of several servers.
func (h *cluster) balance() (err error) {
	if len(h.servers) < 2 {
		return nil
	}
	var addrs []string
	for _, s := range h.servers {
		addrs = append(addrs, s.addr)
	}
	h.front, err = balancer.Start(addrs...)
	return err
}

// addr is where clients reach the cluster, host:port.
func (h *cluster) addr() string {
	if h.front != nil {
		return h.front.Addr()
	}
	return h.servers[0].addr
}

// close ends everything, and tells what did not end well.
func (h *cluster) close() error {
	var errs []error
	for _, n := range h.nodes {
		errs = append(errs, n.stop())
	}
	if h.front != nil {
		h.front.Close()
	}
	for _, w := range h.wires {
		w.mend()
	}
	for _, s := range h.servers {
		errs = append(errs, s.stop())
	}
	for _, w := range h.wires {
		w.postgres.Close()
		if w.redis != nil {
			w.redis.Close()
		}
	}
	if h.redis != nil {
		h.redis.Close()
	}
	if h.postgres != nil {
		h.postgres.Close()
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Clean(h.dir)))...)
}

// welcome returns the users of the next schedule.
func (h *cluster) welcome(ctx context.Context) ([]*user, error) {
	if h.used%schedulesOfUsers == 0 {
		h.users = nil
		for range usersPerCluster {
			u, err := h.signUp(ctx)
			if err != nil {
				return nil, err
			}
			h.users = append(h.users, u)
		}
	}
	h.used++
	return h.users, nil
}

func (h *cluster) signUp(ctx context.Context) (*user, error) {
	h.signed++
	body := map[string]any{
		"name": "User", "password": "correct horse battery",
		"email": fmt.Sprintf("user%d@example.test", h.signed),
	}
	var got struct {
		Token string
		User  struct{ ID string }
	}
	err := h.call(ctx, http.MethodPost, "/api/auth/register", "", body, &got)
	return &user{id: got.User.ID, token: got.Token}, err
}

// plain speaks to the server itself, where nothing breaks.
var plain = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// call sends one request past all links and reads the answer into v. In the
// trouble that a database leaves behind it tries again.
func (h *cluster) call(ctx context.Context, method, path, token string, body, v any) error {
	for {
		a, err := request(ctx, plain, method, "http://"+h.addr()+path, token, body)
		switch {
		case err != nil:
			return fmt.Errorf("%s %s: %w", method, path, err)
		case a.status/100 == 2:
			return decode(a.body, v)
		case a.status != http.StatusServiceUnavailable || !sleep(ctx, 20*time.Millisecond):
			return fmt.Errorf("%s %s answered %s", method, path, a)
		}
	}
}
