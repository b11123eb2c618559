package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// marks are the headers of every answer. A page of STATIC_DIR has no
// Content-Security-Policy.
func (r *running) wantMarks(what string, h http.Header, policy string) {
	r.t.Helper()
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "SAMEORIGIN" || h.Get("Referrer-Policy") == "" {
		r.t.Errorf("%s: %v", what, h)
	}
	if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, policy) || (policy == "") != (got == "") {
		r.t.Errorf("%s: Content-Security-Policy %q", what, got)
	}
}

// Answers below /socket.io/ and refusals lacked headers: they could be framed, and be
// interpreted as another type.
func TestEveryKindOfAnswerHasItsHeaders(t *testing.T) {
	r := start(t)
	const sealed, page = "default-src 'none'; frame-ancestors 'none'", "default-src 'self'"
	token := r.register("a@example.org")
	for _, c := range []struct {
		method, path, token, body string
		code                      int
		policy                    string
	}{
		{"GET", "/", "", "", 200, page},
		{"GET", "/style.css", "", "", 200, page},
		{"GET", "/healthz", "", "", 200, sealed},
		{"GET", "/openapi.json", "", "", 200, sealed},
		{"GET", "/nowhere", "", "", 404, sealed},
		{"GET", "/api/expenses", token, "", 200, sealed},
		{"GET", "/api/expenses", "", "", 401, sealed},
		{"POST", "/api/expenses", token, "{", 400, sealed},
		{"POST", "/api/expenses", token, strings.Repeat("x", 2<<20), 413, sealed},
		{"OPTIONS", "/api/expenses", "", "", 204, sealed},
		{"GET", "/socket.io/socket.io.js", "", "", 200, sealed},
		{"GET", "/socket.io/?EIO=4&transport=polling", "", "", 200, sealed},
		{"GET", "/socket.io/?EIO=4&transport=polling&sid=x", "", "", 400, sealed},
		{"GET", "/socket.io/?" + strings.Repeat("x", 3000), "", "", 414, sealed},
	} {
		a := r.call(c.method, c.path, c.token, c.body)
		if what := c.method + " " + c.path[:min(len(c.path), 40)]; a.code != c.code {
			t.Errorf("%s: %d %s", what, a.code, a.body)
		} else {
			r.wantMarks(what, a.header, c.policy)
		}
	}
}

// A page of STATIC_DIR may load what it likes, as on its own server.
func TestAnExistingFrontendHasNoPolicyOfOurs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, "STATIC_DIR="+dir)
	r.wantMarks("their page", r.call("GET", "/", "", "").header, "")
	r.wantMarks("what is not there", r.call("GET", "/x.js", "", "").header, "default-src 'none'")
}

// Strict-Transport-Security is sent over HTTPS only, and X-Forwarded-Proto counts only from
// a trusted proxy.
func TestBrowsersAreKeptOnHTTPS(t *testing.T) {
	behind, bare := start(t, "TRUSTED_PROXIES=127.0.0.0/8"), start(t)
	for _, path := range []string{"/", "/api/expenses", "/socket.io/"} {
		for _, c := range []struct {
			r           *running
			proto, want string
		}{{behind, "https", "max-age=31536000"}, {behind, "http", ""}, {behind, "", ""}, {bare, "https", ""}} {
			if got := c.r.call("GET", path, "", "", "X-Forwarded-Proto", c.proto).header.Get("Strict-Transport-Security"); got != c.want {
				t.Errorf("%s, %q: %q", path, c.proto, got)
			}
		}
	}
}
