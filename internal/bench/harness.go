package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"expenseflow/internal/testneed"
)

// Names of the application's peers.
const (
	oursSQLite   = "expenseflow-sqlite"
	oursPostgres = "expenseflow-postgres"
	nodeApp      = "express-postgres"
)

// A harness holds what the peers are started from: their binaries, the Node
// modules, and the address of the database.
type harness struct {
	dir      string // temporary: binaries and SQLite files
	root     string // of the module
	postgres string // connection string; "" unless started
	redis    *testneed.RedisServer
	built    map[step]bool
	stop     func()
}

// prepare finds the module and a place for what it builds, and starts the
// database if one is asked for and there is one, and Redis.
func prepare(ctx context.Context, database, withRedis bool) (*harness, error) {
	gomod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	h := &harness{
		dir: dir, root: filepath.Dir(strings.TrimSpace(string(gomod))),
		built: map[step]bool{}, stop: func() {},
	}
	if !database {
		return h, nil
	}
	url, stop, err := testneed.DurablePostgres()
	if err != nil {
		return h, fmt.Errorf("start PostgreSQL: %w", err)
	}
	h.postgres, h.stop = url, stop
	if withRedis {
		h.redis, err = testneed.PrivateRedis()
	}
	return h, err
}

// A step is one command that makes a peer.
type step struct{ dir, argv string }

// goBuild makes h.dir/name from a package below dir.
func (h *harness) goBuild(dir, name, pkg string) step {
	return step{filepath.Join(h.root, dir), "go build -ldflags=-s -o " + h.dir + "/" + name + " " + pkg}
}

// npmInstall installs the modules of the peers in a folder. TypeScript, which the Bun engine
// names as a peer, is not needed to run it.
func (h *harness) npmInstall(dir string) step {
	return step{h.peerFile(dir), "npm ci --no-progress --silent --legacy-peer-deps"}
}

func (h *harness) peerFile(name ...string) string {
	return filepath.Join(append([]string{h.root, "internal", "bench", "peers"}, name...)...)
}

// make runs a peer's step, once in a run.
func (h *harness) make(ctx context.Context, s step) error {
	if h.built[s] {
		return nil
	}
	argv := strings.Fields(s.argv)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", s.argv, err, out)
	}
	h.built[s] = true
	return nil
}

func (h *harness) close() {
	h.stop()
	if h.redis != nil {
		h.redis.Close()
	}
	_ = os.RemoveAll(h.dir)
}

func (h *harness) protocolPeers() []peer {
	peers, bunProgram := "internal/bench/peers", h.peerFile("bun", "node_modules", ".bin", "bun")
	return []peer{
		{name: ours, argv: []string{h.dir + "/ours"}, build: h.goBuild(peers, "ours", "./ours")},
		{name: node, argv: []string{"node", h.peerFile("node", "protocol.js")}, build: h.npmInstall("node")},
		{name: bun, argv: []string{bunProgram, h.peerFile("bun", "protocol.js")}, build: h.npmInstall("bun")},
		{name: zishangV2, argv: []string{h.dir + "/v2"}, build: h.goBuild(peers, "v2", "./zishangv2")},
		{name: zishangV3, argv: []string{h.dir + "/v3"}, build: h.goBuild(peers+"/zishangv3", "v3", ".")},
		{name: floor, argv: []string{h.dir + "/floor"}, build: h.goBuild(peers, "floor", "./floor")},
	}
}

const benchSecret = "JWT_SECRET=bench-secret-of-more-than-thirty-two-bytes"

// applications are ours on both databases and the Express peer. Ours takes its
// address from the environment, so a small shell puts it there.
func (h *harness) applications() []peer {
	app := peer{
		argv:  []string{"sh", "-c", `HOST=${0%:*} PORT=${0##*:} exec "` + h.dir + `/app"`},
		env:   []string{benchSecret, "LOG_LEVEL=error", "RATE_LIMIT=0"},
		probe: "/readyz",
		build: h.goBuild(".", "app", "."),
	}
	sqlite, postgres := app, app
	sqlite.name, sqlite.env = oursSQLite, append(slices.Clip(app.env), "DATABASE_URL="+h.newFile())
	postgres.name, postgres.env = oursPostgres, append(slices.Clip(app.env), "DATABASE_URL="+h.postgres)
	return []peer{sqlite, postgres, {
		name: nodeApp, argv: []string{"node", h.peerFile("node", "app.js")},
		env: postgres.env, build: h.npmInstall("node"),
	}}
}

// newFile names a database file that does not exist yet.
func (h *harness) newFile() string {
	dir, err := os.MkdirTemp(h.dir, "data")
	if err != nil {
		return filepath.Join(h.dir, "data.db")
	}
	return filepath.Join(dir, "expenseflow.db")
}

// pinSelf moves this process to the generator's core and raises its limit of
// open files.
func pinSelf() error {
	if _, err := exec.LookPath("taskset"); err != nil {
		return errors.New("taskset is needed to pin the servers to one core (Debian: util-linux)")
	}
	core, _ := strconv.Atoi(generatorCore)
	var set unix.CPUSet
	set.Set(core)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, _ := strconv.Atoi(t.Name())
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return fmt.Errorf("pin the load generator to core %d: %w", core, err)
		}
	}
	return nil
}
