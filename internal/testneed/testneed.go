// Package testneed finds what tests need beyond Go: PostgreSQL, Node, npm
// modules, a browser and nginx. Where something is missing, the test skips with a
// sentence that says how to get it; with REQUIRE_ALL=1 it fails instead, so
// that a machine that shall run everything cannot pass by skipping.
package testneed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Node is the path of Node.
func Node(t testing.TB) string {
	t.Helper()
	return program(t, "Node (Debian: apt install nodejs npm)", "node", "nodejs")
}

// Chromium is the path of a headless-capable browser. Tests that run as root
// start it with --no-sandbox.
func Chromium(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return program(t, "Chromium (Debian: apt install chromium, or set CHROMIUM to its path)",
		"chromium", "chromium-browser", "google-chrome", "chrome")
}

// Nginx is the path of nginx, which Debian keeps out of a user's PATH.
func Nginx(t testing.TB) string {
	t.Helper()
	return program(t, "nginx (Debian: apt install nginx-light)", "nginx", "/usr/sbin/nginx")
}

// Python is the path of a Python 3 that has these modules, which Debian packages
// as python3-<module>. Debian's own may stand behind another one in PATH.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import "+strings.Join(modules, ", ")).Run() == nil {
			return name
		}
	}
	missing(t, "Python with "+strings.Join(modules, " and ")+" (Debian: apt install python3-"+strings.Join(modules, " python3-")+")")
	return ""
}

// NPM makes sure that the modules which dir's package.json names are installed.
func NPM(t testing.TB, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		missing(t, "npm modules in "+dir+" (run: npm ci --prefix "+dir+")")
	}
}

// program finds the first of names in PATH.
func program(t testing.TB, what string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, what)
	return ""
}

// SmallDisk is a folder on a file system of so many megabytes, which ends with the test.
func SmallDisk(t testing.TB, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "tmpfs", dir).CombinedOutput(); err != nil {
		missing(t, "the right to mount a small file system (root): "+string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	return dir
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}
