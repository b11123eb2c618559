package socketio

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// msgpackPage is a page that loads the msgpack bundle, as a page loads any other bundle. It
// sends binary over each transport and reports what comes back. (The bundle takes only an
// ArrayBuffer for binary, not a view of one.)
const msgpackPage = `<!doctype html><script src="/socket.io/socket.io.msgpack.min.js"></script><script>
const report = (text) => fetch('/report', {method: 'POST', body: text});
for (const transport of ['websocket', 'polling']) {
	const socket = io({transports: [transport], forceNew: true});
	socket.on('connect_error', (err) => report(transport + ': ' + err));
	socket.emit('message-with-ack', {text: 'é', bytes: new Uint8Array([1, 2, 255]).buffer}, (answer) =>
		report(transport + ': ' + answer.text + ' ' + new Uint8Array(answer.bytes).join()));
}
</script>`

// A page in a browser that loads socket.io.msgpack.min.js works without any setting of the
// server.
func TestPageThatLoadsTheMsgpackBundleJustWorks(t *testing.T) {
	chromium := testneed.Chromium(t)
	reports := make(chan string, 10)
	s := New(Config{ServeClient: true})
	echoing(s.Of("/"))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s)
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		reports <- string(text)
	})
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, msgpackPage) })
	h := httptest.NewServer(mux)
	defer h.Close()
	defer func() { _ = s.Shutdown(context.Background()) }()

	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	// Chromium's children may write for a moment after it is killed, so t.TempDir would fail.
	defer func() { _ = os.RemoveAll(profile) }()
	browser := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, h.URL+"/page")
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = browser.Process.Kill(); _ = browser.Wait() }()
	for range 2 {
		select {
		case got := <-reports:
			if !strings.HasSuffix(got, ": é 1,2,255") {
				t.Errorf("the page reports %q", got)
			}
		case <-time.After(time.Minute):
			t.Fatal("the page reports nothing")
		}
	}
}
