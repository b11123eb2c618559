package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"expenseflow/internal/testneed"
)

// A house is what schedules run in, one after the other: a server with its
// database, Node processes for npm's clients, and users.
type house struct {
	dir      string
	server   *server
	postgres *testneed.Server // nil on SQLite
	nodes    []*node

	users  []*user
	used   int // schedules that these users have had
	signed int // users made so far
}

// A user is an account that schedules share until its list has grown long.
type user struct{ id, token string }

const (
	usersOfAHouse    = 3
	schedulesOfUsers = 6
	nodesOfAHouse    = 2
)

// openHouse starts everything on the named database.
func openHouse(ctx context.Context, binary, root, db string) (*house, error) {
	dir, err := os.MkdirTemp("", "expenseflow-chaos-")
	if err != nil {
		return nil, err
	}
	h := &house{dir: dir}
	if err := h.open(ctx, binary, root, db); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *house) open(ctx context.Context, binary, root, db string) (err error) {
	var env []string
	if db == postgres {
		if h.postgres, err = testneed.PrivatePostgres(); err != nil {
			return fmt.Errorf("start PostgreSQL: %w", err)
		}
		env = append(env, "DATABASE_URL="+h.postgres.URL)
	}
	if h.server, err = newServer(binary, h.dir, env...); err != nil {
		return err
	}
	for range nodesOfAHouse {
		n, err := startNode(root)
		if err != nil {
			return err
		}
		h.nodes = append(h.nodes, n)
	}
	return h.server.start(ctx)
}

// close ends everything, and tells what did not end well.
func (h *house) close() error {
	var errs []error
	for _, n := range h.nodes {
		errs = append(errs, n.stop())
	}
	if h.server != nil {
		errs = append(errs, h.server.stop())
	}
	if h.postgres != nil {
		h.postgres.Close()
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Clean(h.dir)))...)
}

// welcome gives the users of the next schedule.
func (h *house) welcome(ctx context.Context) ([]*user, error) {
	if h.used%schedulesOfUsers == 0 {
		h.users = nil
		for range usersOfAHouse {
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

func (h *house) signUp(ctx context.Context) (*user, error) {
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
func (h *house) call(ctx context.Context, method, path, token string, body, v any) error {
	for {
		a, err := request(ctx, plain, method, h.server.url()+path, token, body)
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
