package app

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"expenseflow/internal/demo"
)

// startDemo runs the command demo until stop, which returns the exit code. It returns what
// the command printed.
func startDemo(t *testing.T, environ []string, args ...string) (printed string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		c := Command{Args: append([]string{"demo"}, args...), Environ: environ, Stdout: in, Stderr: t.Output()}
		code <- c.Run(ctx)
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		printed += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // until the command ends
	return printed, func() int { cancel(); return <-code }
}

func found(t *testing.T, pattern, text string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return m[1]
}

// The demo reads no setting, has an account that can sign in, lets only its own page frame
// the built-in one, and leaves nothing.
func TestDemo(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	printed, stop := startDemo(t, []string{"DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "STATIC_DIR=/nowhere", "PORT=1"})
	r := &running{t: t, url: found(t, `(http://\S+)/demo`, printed)}

	a := r.call("POST", "/api/auth/login", "", `{"email":"`+demo.Email+`","password":"`+found(t, `password (\S+)`, printed)+`"}`)
	if a.code != http.StatusOK {
		t.Errorf("sign in: %d %s", a.code, a.body)
	}
	if list := r.call("GET", "/api/expenses", a.field("token"), ""); strings.Count(list.body, `"_id"`) < 400 {
		t.Errorf("there are few entries: %d %.200s", list.code, list.body)
	}
	res, err := http.Get(r.url + "/demo")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("/demo: %v", err)
	}
	res.Body.Close()
	if p := r.call("GET", "/", "", "").header.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors "+r.url) {
		t.Errorf("/: %s", p)
	}
	http.DefaultClient.CloseIdleConnections()
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}

func TestDemoFillsNoFolderThatHasSomething(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "expenseflow.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := run(t, t.Context(), []string{"demo", "--dir", dir})
	if code != exitRefused || !strings.Contains(errs, "is not empty") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}
