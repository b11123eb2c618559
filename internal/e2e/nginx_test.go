package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// nginxFile is what users are told to put in front of the program.
var nginxFile = filepath.Join("..", "..", "docs", "deploy", "nginx.conf")

// nginxMain is the rest of a configuration, as a distribution ships it, with
// everything that nginx writes kept in one folder.
const nginxMain = `
daemon off;
master_process off;
pid %[1]s/pid;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	include %[1]s/expenseflow.conf;
}
`

// startNginx runs nginx with the file that users get, only its addresses
// changed, in front of processes. It gives the address that nginx serves on.
func startNginx(t *testing.T, processes ...*program) string {
	t.Helper()
	path, dir := testneed.Nginx(t), t.TempDir()
	addr := freeAddr(t)
	writeFile(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(nginxMain, dir))
	writeFile(t, filepath.Join(dir, "expenseflow.conf"), nginxSite(t, processes, addr))
	startBalancer(t, addr, exec.Command(path, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"))
	return "http://" + addr
}

func freeAddr(t *testing.T) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// startBalancer runs a balancer that serves on addr, until the test ends.
func startBalancer(t *testing.T, addr string, cmd *exec.Cmd) {
	t.Helper()
	var log logBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // ended already: Wait says so
		if err := cmd.Wait(); err != nil && !endedBy(err, syscall.SIGTERM) {
			t.Errorf("%s ended with %v\n%s", cmd.Path, err, log.tail())
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", cmd.Path, log.tail())
		}
	})
	awaitListener(t, addr)
}

// endedBy reports whether a process was ended by a signal, or says so by its exit code.
func endedBy(err error, signal syscall.Signal) bool {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return false
	}
	status, ok := ended.Sys().(syscall.WaitStatus)
	return ok && (status.Signaled() && status.Signal() == signal || status.ExitStatus() == 128+int(signal))
}

func nginxSite(t *testing.T, processes []*program, addr string) string {
	t.Helper()
	var servers strings.Builder
	for _, p := range processes {
		fmt.Fprintf(&servers, "server %s max_fails=0;\n", p.addr())
	}
	return edited(t, nginxFile, map[string]string{
		"server 127.0.0.1:3000 max_fails=0;": servers.String(),
		"listen 80;":                         "listen " + addr + ";",
		"listen [::]:80;":                    "",
	})
}

// edited is a file that users get with some texts changed, each of which it has once.
func edited(t *testing.T, path string, changes map[string]string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for from, to := range changes {
		if strings.Count(text, "\t"+from)+strings.Count(text, "\n"+from) != 1 {
			t.Fatalf("%s has no line with %q any more, or two", path, from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	return text
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func awaitListener(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond) // another process: nothing tells when it listens
	}
	t.Fatalf("nobody listens on %s after %v", addr, patience)
}

func TestNginxCarriesEveryTransport(t *testing.T) {
	t.Parallel()
	p, n := sqliteRaced(t), startNode(t)
	url := startNginx(t, p)
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			a := register(t, p)
			d := n.connectAt(t, url, a, tr)
			made := a.create(t, "seen through nginx", "")
			if got := idOf(d.hear(t, 1, "expense_created")[0]); got != made.ID {
				t.Errorf("heard of %s, want %s", got, made.ID)
			}
		})
	}
}

// nginx's own limit is wider than the program's, so that who sends too much
// reads the program's answer.
func TestNginxLeavesTheSizeOfBatchesToTheProgram(t *testing.T) {
	t.Parallel()
	p := sqliteRaced(t)
	url, a := startNginx(t, p), register(t, p)
	batch := func(padding int) answer {
		body := `{"operations":[]` + strings.Repeat(" ", padding) + `}`
		return call(t, http.MethodPost, url+"/api/sync/batch", a.Token, body)
	}
	batch(9_500_000).want(t, http.StatusOK)
	var refusal struct{ Error string }
	batch(10_900_000).want(t, http.StatusRequestEntityTooLarge).into(t, &refusal)
	if refusal.Error == "" {
		t.Error("a batch over the limit was refused without a word")
	}
}
