package socketio

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"expenseflow/internal/engineio"
	"expenseflow/internal/testneed"
)

func TestBundlesAreServedAsNodeDoes(t *testing.T) {
	_, url := serve(t, Config{ServeClient: true, Engine: engineio.Config{CORS: &engineio.CORS{Origins: []string{"*"}}}})
	for _, name := range []string{
		"socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js",
		"socket.io.js.map", "socket.io.min.js.map", "socket.io.msgpack.min.js.map", "socket.io.esm.min.js.map",
	} {
		res := get(t, url+"/socket.io/"+name, nil)
		plain, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", name, res.StatusCode, err)
		}
		contentType := "application/javascript; charset=utf-8"
		if strings.HasSuffix(name, ".map") {
			contentType = "application/json; charset=utf-8"
		}
		for header, want := range map[string]string{
			"Content-Type": contentType, "Etag": `"4.8.4"`, "Cache-Control": "public, max-age=0",
			"Content-Encoding": "", "Access-Control-Allow-Origin": "*",
		} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		if !bytes.Contains(plain[:200], []byte("Socket.IO v4.8.4")) && !bytes.HasPrefix(plain, []byte(`{"version":3`)) {
			t.Errorf("%s begins with %q", name, plain[:80])
		}
		packed := get(t, url+"/socket.io/"+name, http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
		if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") == "" {
			t.Errorf("%s: headers %v", name, packed.Header)
		}
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		again, err := io.ReadAll(unpacked)
		if err != nil || !bytes.Equal(plain, again) {
			t.Errorf("%s differs when compressed: %v", name, err)
		}
	}
}

// TestBundlesAreNPMs compares them with the package that genbundle was given.
func TestBundlesAreNPMs(t *testing.T) {
	testneed.NPM(t, "../e2e/npm")
	dist := "../e2e/npm/node_modules/socket.io-client/dist/"
	for name, b := range bundles {
		want, err := os.ReadFile(dist + name)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(b.gzipped))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(unpacked)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not that of the package: %v", name, err)
		}
	}
}

func TestBundleIsNotSentTwice(t *testing.T) {
	_, url := serve(t, Config{ServeClient: true})
	for tag, want := range map[string]int{
		`"4.8.4"`: 304, `W/"4.8.4"`: 304, `"x", "4.8.4"`: 304, `*`: 304, `"4.8.3"`: 200, `4.8.4`: 200, ``: 200,
	} {
		res := get(t, url+"/socket.io/socket.io.js", http.Header{"If-None-Match": {tag}})
		if res.StatusCode != want || res.Header.Get("Etag") != `"4.8.4"` {
			t.Errorf("%s: %d, want %d", tag, res.StatusCode, want)
		}
	}
}

func TestBundleIsReadOnly(t *testing.T) {
	_, url := serve(t, Config{ServeClient: true})
	res, err := http.Post(url+"/socket.io/socket.io.js", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
	head, err := http.Head(url + "/socket.io/socket.io.js")
	if err != nil {
		t.Fatal(err)
	}
	defer head.Body.Close()
	if head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
}

func TestBundlesAreNotServedUnlessWanted(t *testing.T) {
	_, url := serve(t, Config{})
	if got := get(t, url+"/socket.io/socket.io.js", nil).StatusCode; got != http.StatusBadRequest {
		t.Errorf("%d, want the engine's 400", got)
	}
}

// A GET that announces a body and never sends it is answered at once.
func TestBundleDoesNotWaitForABody(t *testing.T) {
	b := startUnderAttack(t, Config{ServeClient: true})
	conn := b.raw("GET /socket.io/socket.io.min.js HTTP/1.1", "Host: test", "Content-Length: 10")
	if status := b.status(conn); status != http.StatusOK || !isClosed(conn) {
		t.Errorf("status %d, or still open", status)
	}
}
