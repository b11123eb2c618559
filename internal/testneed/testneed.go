// Package testneed finds what tests need beyond Go: PostgreSQL, Node, npm
// modules, a browser, balancers, Python clients. Where something is missing, the test skips with a
// sentence that says how to get it; with REQUIRE_ALL=1 it fails instead, so
// that a machine that must run everything cannot pass by skipping.
//
// `go run ./internal/testneed/list` prints what is found and what will be skipped.
package testneed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Need is something beyond Go that some tests use.
type Need struct {
	Name string // what it is called
	Get  string // how to get it
	find func() (where string, ok bool)
}

// Find returns where it is, and whether it is there at all.
func (n Need) Find() (where string, ok bool) { return n.find() }

// require is where it is; without it the test ends.
func (n Need) require(t testing.TB) string {
	t.Helper()
	where, ok := n.find()
	if !ok {
		missing(t, n.Name+" ("+n.Get+")")
	}
	return where
}

var (
	postgres = Need{"PostgreSQL's server", "Debian: apt install postgresql", findPostgres}
	node     = Need{"Node", "Debian: apt install nodejs npm", anyOf("node", "nodejs")}
	chromium = Need{"Chromium", "Debian: apt install chromium-headless-shell, or set CHROMIUM to its path", findChromium}
	nginx    = Need{"nginx", "Debian: apt install nginx-light", anyOf("nginx", "/usr/sbin/nginx")}
	haproxy  = Need{"HAProxy", "Debian: apt install haproxy", anyOf("haproxy", "/usr/sbin/haproxy")}
	caddy    = Need{"Caddy", "Debian: apt install caddy", anyOf("caddy")}

	prometheus = Need{"Prometheus", "Debian: apt install prometheus", anyOf("prometheus")}
	promtool   = Need{"promtool", "Debian: apt install prometheus", anyOf("promtool")}

	redisServer = Need{"Redis's server", "Debian: apt install redis-server", anyOf("redis-server")}
	pebble      = Need{"the ACME authority pebble", "Debian: apt install pebble", anyOf("pebble")}
)

// Needs are all of them. root is the folder of the repository.
func Needs(root string) []Need {
	return []Need{
		postgres, redisServer, node, npm(filepath.Join(root, "internal", "e2e", "npm")), chromium, nginx, haproxy, caddy, pebble,
		prometheus, promtool,
		python("socketio", "aiohttp"),
		{"the right to mount a small file system", "run as root", canMount},
	}
}

// Node is the path of Node.
func Node(t testing.TB) string {
	t.Helper()
	return node.require(t)
}

// Chromium is the path of a headless-capable browser. Tests that run as root
// start it with --no-sandbox.
func Chromium(t testing.TB) string {
	t.Helper()
	return chromium.require(t)
}

func findChromium() (string, bool) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, true
	}
	// The shell is the same browser without its own windows, menus and tabs, which nobody sees here.
	return anyOf("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")()
}

// Nginx is the path of nginx, which Debian keeps out of a user's PATH.
func Nginx(t testing.TB) string {
	t.Helper()
	return nginx.require(t)
}

// HAProxy is the path of HAProxy, which Debian keeps out of a user's PATH too.
func HAProxy(t testing.TB) string {
	t.Helper()
	return haproxy.require(t)
}

// Caddy is the path of Caddy.
func Caddy(t testing.TB) string {
	t.Helper()
	return caddy.require(t)
}

// Prometheus is the path of Prometheus.
func Prometheus(t testing.TB) string {
	t.Helper()
	return prometheus.require(t)
}

// Promtool is the path of promtool.
func Promtool(t testing.TB) string {
	t.Helper()
	return promtool.require(t)
}

// Python is the path of a Python 3 that has these modules, which Debian packages
// as python3-<module>. Debian's own may stand behind another one in PATH.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	return python(modules...).require(t)
}

func python(modules ...string) Need {
	return Need{
		"Python with " + strings.Join(modules, " and "), "Debian: apt install python3-" + strings.Join(modules, " python3-"),
		func() (string, bool) {
			for _, name := range []string{"python3", "/usr/bin/python3"} {
				if exec.Command(name, "-c", "import "+strings.Join(modules, ", ")).Run() == nil {
					return name, true
				}
			}
			return "", false
		},
	}
}

// NPM makes sure that the modules which dir's package.json names are installed, and these
// among them, which may have been added to it since.
func NPM(t testing.TB, dir string, modules ...string) {
	t.Helper()
	npm(dir, modules...).require(t)
}

func npm(dir string, modules ...string) Need {
	return Need{"npm modules in " + dir, "run: npm ci --prefix " + dir, func() (string, bool) {
		folder := filepath.Join(dir, "node_modules")
		for _, module := range append(modules, ".") {
			if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(module))); err != nil {
				return "", false
			}
		}
		return folder, true
	}}
}

// anyOf finds the first of these programs that is in PATH.
func anyOf(names ...string) func() (string, bool) {
	return func() (string, bool) {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return path, true
			}
		}
		return "", false
	}
}

// SmallDisk is a folder on a file system of so many megabytes, which ends with the test.
func SmallDisk(t testing.TB, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := mount(dir, megabytes); err != nil {
		missing(t, "the right to mount a small file system (run as root): "+err.Error())
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func canMount() (string, bool) {
	dir, err := os.MkdirTemp("", "expenseflow-mount-")
	if err != nil {
		return "", false
	}
	defer os.Remove(dir)
	return "tmpfs", mount(dir, 1) == nil && unmount(dir) == nil
}

func mount(dir string, megabytes int) error {
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	return nil
}

func unmount(dir string) error {
	if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("umount: %w: %s", err, out)
	}
	return nil
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}
