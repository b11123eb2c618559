package handlers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// page is an embedded frontend, whose files have no modification times.
var page = fstest.MapFS{
	"index.html":      {Data: []byte("<h1>page</h1>")},
	"sw.js":           {Data: []byte("// worker")},
	"manifest.json":   {Data: []byte("{}")},
	"js/app.js":       {Data: []byte("// app")},
	"help/index.html": {Data: []byte("<h1>help</h1>")},
	".env":            {Data: []byte("JWT_SECRET=x")},
	".git/config":     {Data: []byte("secret")},
	"data.weird":      {Data: []byte("?")},
}

func TestStaticFiles(t *testing.T) {
	tests := []struct {
		path, mediaType, body string
		code                  int
	}{
		{"/", "text/html; charset=utf-8", "<h1>page</h1>", 200},
		{"/index.html", "text/html; charset=utf-8", "<h1>page</h1>", 200},
		{"/expensetracker.html", "text/html; charset=utf-8", "<h1>page</h1>", 200},
		{"/?utm=1", "text/html; charset=utf-8", "<h1>page</h1>", 200},
		{"/sw.js", "text/javascript; charset=utf-8", "// worker", 200},
		{"/manifest.json", "application/json; charset=utf-8", "{}", 200},
		{"/js/app.js", "text/javascript; charset=utf-8", "// app", 200},
		{"/data.weird", "application/octet-stream", "?", 200},
		{"/help/", "text/html; charset=utf-8", "<h1>help</h1>", 200},
		{"/help", "", "", 301},
		{"/js", "", "", 404},
		{"/js/", "", "", 404},
		{"/.env", "", "", 404},
		{"/.git/config", "", "", 404},
		{"/js/../.env", "", "", 404},
		{"/%2e%2e/%2e%2e/etc/passwd", "", "", 404},
		{"/js/%00", "", "", 404},
		{"/..%5c..%5cwindows", "", "", 404},
		{"/index.html/", "", "", 404},
	}
	e, _ := newEcho()
	(&Static{Files: page, Policy: "default-src 'self'"}).Register(e.Group(""))
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			w := call(e, "GET", tt.path, "")
			if w.Code != tt.code || (tt.code == 200 && w.Body.String() != tt.body) {
				t.Errorf("status %d, body %s", w.Code, w.Body)
			}
			if got := w.Header().Get("Content-Type"); tt.mediaType != "" && got != tt.mediaType {
				t.Errorf("type %s, want %s", got, tt.mediaType)
			}
			if got := w.Header().Get("Content-Security-Policy"); (got != "") != (tt.code == 200) {
				t.Errorf("policy %q", got)
			}
		})
	}
	if got := call(e, "GET", "/help", "").Header().Get("Location"); got != "help/" {
		t.Errorf("redirect to %q", got)
	}
}

func TestEmbeddedFilesAreAskedForOnceAndThenNotModified(t *testing.T) {
	e, _ := newEcho()
	(&Static{Files: page}).Register(e.Group(""))
	tag := call(e, "GET", "/sw.js", "").Header().Get("Etag")
	if w := call(e, "GET", "/sw.js", "", "If-None-Match", tag); tag == "" || w.Code != 304 {
		t.Errorf("tag %s: %d", tag, w.Code)
	}
	if other := call(e, "GET", "/", "").Header().Get("Etag"); other == tag {
		t.Error("two files have one tag")
	}
	if w := call(e, "HEAD", "/sw.js", ""); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d with %d bytes", w.Code, w.Body.Len())
	}
}

func TestAnExistingFrontendIsServedAndNothingAroundIt(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secret.txt", "outside")
	write("public/index.html", "theirs")
	write("public/expensetracker.html", "their tracker")
	if err := os.Symlink("../secret.txt", filepath.Join(dir, "public", "link.txt")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "public"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	e, _ := newEcho()
	(&Static{Files: root.FS()}).Register(e.Group(""))

	for path, want := range map[string]string{"/": "theirs", "/expensetracker.html": "their tracker"} {
		w := call(e, "GET", path, "")
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Security-Policy") != "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		modified, err := time.Parse(time.RFC1123, w.Header().Get("Last-Modified"))
		if err != nil || time.Since(modified) > time.Minute {
			t.Errorf("%s was modified at %v (%v)", path, modified, err)
		}
	}
	for _, path := range []string{"/link.txt", "/../secret.txt", "/%2e%2e/secret.txt"} {
		if w := call(e, "GET", path, ""); w.Code != 404 || strings.Contains(w.Body.String(), "outside") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func FuzzStatic(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "//", "/.%2e/x", "/\\", "/help"} {
		f.Add(s)
	}
	h := &Static{Files: page}
	e, _ := newEcho()
	h.Register(e.Group(""))
	f.Fuzz(func(t *testing.T, path string) {
		r := newRequest(path)
		if r == nil {
			return
		}
		w := &recorder{counter: counter{header: map[string][]string{}}}
		e.ServeHTTP(w, r)
		if w.code >= 500 || strings.Contains(string(w.body), "JWT_SECRET") {
			t.Fatalf("%q: %d %s", path, w.code, w.body)
		}
	})
}
