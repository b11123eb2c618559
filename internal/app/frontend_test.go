package app

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkout makes folders like the original's: public/ with the page, within the folder of
// the server's sources.
func checkout(t *testing.T, files map[string]string) (root, public string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range map[string]string{
		"package.json": "{}", "server.js": "// source", ".env": "JWT_SECRET=x", "realtime-sync.js": "// sync",
		"public/index.html": `<script src="trackerscript.js"></script>`, "public/trackerscript.js": "// " +
			"tracker", "public/sw.js": "// worker", "public/manifest.json": "{}",
	} {
		if _, ok := files[name]; !ok {
			put(t, filepath.Join(root, name), text)
		}
	}
	for name, text := range files {
		put(t, filepath.Join(root, name), text)
	}
	return root, filepath.Join(root, "public")
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func staticDir(dirs ...string) string {
	return "STATIC_DIR=" + strings.Join(dirs, string(filepath.ListSeparator))
}

func TestACheckoutIsServedAsItsOwnServerDid(t *testing.T) {
	root, public := checkout(t, nil)
	r := start(t, staticDir(public, root))
	for path, mediaType := range map[string]string{
		"/": "text/html; charset=utf-8", "/realtime-sync.js": "text/javascript; charset=utf-8", "/public/index.html": "text/html; " +
			"charset=utf-8",
		"/sw.js": "text/javascript; charset=utf-8", "/manifest.json": "application/json; charset=utf-8",
	} {
		if a := r.call("GET", path, "", ""); a.code != 200 || a.header.Get("Content-Type") != mediaType {
			t.Errorf("%s: %d %s", path, a.code, a.header.Get("Content-Type"))
		}
	}
	rootOnly := start(t, staticDir(root))
	if a := rootOnly.call("GET", "/public/index.html", "", ""); a.code != 200 {
		t.Errorf("/public/index.html of the root alone: %d", a.code)
	}
	if a := rootOnly.call("GET", "/", "", ""); a.code != 302 || a.header.Get("Location") != "public/index.html" {
		t.Errorf("/ leads to %d %v", a.code, a.header)
	}
}

func TestNothingAroundAFrontendIsServedInAnyEncoding(t *testing.T) {
	root, public := checkout(t, nil)
	if err := os.Symlink(".env", filepath.Join(root, "env.js")); err != nil {
		t.Fatal(err)
	}
	for _, dirs := range [][]string{{public, root}, {root}, {public}} {
		r := start(t, staticDir(dirs...))
		for _, path := range []string{
			"/.env", "/%2eenv", "/%2Eenv", "/./.env", "/public/../.env",
			"/public/%2e%2e/.env", "/public/..%2f.env", "/public/%2e%2e%2f.env", "/../.env",
			"/..%2f.env", "/%2e%2e/%2e%2e/etc/passwd", "/..%5c.env",
			"/public%5c..%5c.env", "/%252e%252e/.env", "/%c0%ae%c0%ae/.env", "/.env%00.js", "/.env/", "//.env",
			"/;/.env", "/env.js", "/server.js", "/SERVER.JS", "/server%2ejs",
			"/server.js/", "/server.js.", "/server.js%20", "/public/../server.js", "/public/..%2fserver.js",
			"/package.json", "/package%2ejson", "/./package.json", "/%70ackage.json",
		} {
			if body := requestRawPath(t, r, path); strings.Contains(body, "JWT_SECRET") || strings.Contains(body, "// source") ||
				strings.Contains(body, "root:") || strings.Contains(body, "\r\n\r\n{}") {
				t.Errorf("%v: %s gives\n%s", dirs, path, body)
			}
		}
	}
}

// requestRawPath requests a path as it is written; http.Client would clean it.
func requestRawPath(t *testing.T, r *running, path string) string {
	t.Helper()
	conn, err := net.Dial("tcp", r.app.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestMissingFilesAreNamedInTheLog(t *testing.T) {
	_, public := checkout(t, map[string]string{"public/index.html": `<script src="gone.js"></script>`})
	r := start(t, staticDir(public))
	r.call("GET", "/gone.js?token=secret", "", "")
	if log := r.log.String(); !strings.Contains(log, "path=/gone.js") || !strings.Contains(log,
		"no folder of STATIC_DIR has: /gone.js") || strings.Contains(log, "secret") {
		t.Errorf("log:\n%s", log)
	}
	r.call("GET", "/index.html", "", "")
	if strings.Contains(r.log.String(), "path=/index.html") {
		t.Error("the path of a file that is there is logged")
	}
}

// The plain and the compressed file had the same strong ETag, and a client that resumed a
// download joined a part of one to the other.
func TestARangeIsNeverJoinedToAnotherRepresentation(t *testing.T) {
	_, public := checkout(t, map[string]string{"public/style.css": strings.Repeat("a { color: red }\n", 500)})
	for _, setting := range []string{"EMPTY=", staticDir(public)} {
		r := start(t, setting)
		packed := r.call("GET", "/style.css", "", "", "Accept-Encoding", "gzip")
		tag, date := packed.header.Get("ETag"), packed.header.Get("Last-Modified")
		if packed.header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(tag, `W/"`) {
			t.Fatalf("%s: headers %v", setting, packed.header)
		}
		for _, validator := range []string{tag, strings.TrimPrefix(tag, "W/"), date} {
			if validator == "" {
				continue
			}
			if a := r.call("GET", "/style.css", "", "", "Range", "bytes=10-20", "If-Range", validator); a.code != 200 {
				t.Errorf("%s: If-Range %s: %d", setting, validator, a.code)
			}
		}
		if a := r.call("GET", "/style.css", "", "", "Range", "bytes=10-20"); a.code != 206 || len(a.body) != 11 {
			t.Errorf("%s: a range alone: %d, %d bytes", setting, a.code, len(a.body))
		}
		for _, encoding := range []string{"gzip", "identity"} {
			if a := r.call("GET", "/style.css", "", "", "If-None-Match", tag, "Accept-Encoding",
				encoding); a.code != http.StatusNotModified {
				t.Errorf("%s: %s again: %d", setting, encoding, a.code)
			}
		}
	}
}

func TestTheListHasTheFormThatTheServedPageReads(t *testing.T) {
	const get = "const r = await fetch(`${API}/expenses`, {headers: h()}); const data = await r.json(); return data"
	for _, tt := range []struct {
		name, script, setting, plain, json string
	}{
		{"reads an array", get + ".map(show)", "auto", "[]", "[]"},
		{"reads data", get + ".data.map(show)", "auto", `{"success":true,"data":[]`, "[]"},
		{"reads data, set to array", get + ".data.map(show)", "array", "[]", "[]"},
		{"reads an array, set to wrapped", get + ".map(show)", "wrapped", `{"success":true,"data":[]`, `{"success":true,"data":[]`},
	} {
		_, public := checkout(t, map[string]string{"public/trackerscript.js": tt.script})
		r := start(t, staticDir(public), "EXPENSES_LIST_FORMAT="+tt.setting)
		token := r.register("alice@example.org")
		plain, json := r.call("GET", "/api/expenses", token, ""), r.call("GET", "/api/expenses", token, "", "Content-Type",
			"application/json")
		if !strings.HasPrefix(plain.body, tt.plain) || !strings.HasPrefix(json.body, tt.json) {
			t.Errorf("%s: %s; with a JSON Content-Type: %s", tt.name, plain.body, json.body)
		}
		if logged := strings.Contains(r.log.String(), "script=trackerscript.js"); logged != (tt.setting == "auto") {
			t.Errorf("%s: logged %v", tt.name, logged)
		}
	}
}
