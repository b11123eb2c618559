package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The suites compare these figures with what they were written for.
func TestServesTheSettingsOfTheSuites(t *testing.T) {
	for mode, path := range map[string]string{"engine": "/engine.io/", "socket": "/socket.io/"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			base := serve(t, mode)
			var got map[string]any
			if err := json.Unmarshal([]byte(get(t, base+path)[1:]), &got); err != nil {
				t.Fatal(err)
			}
			delete(got, "sid")
			want := map[string]any{"upgrades": []any{"websocket"}, "pingInterval": 300.0, "pingTimeout": 200.0, "maxPayload": 1e6}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("handshake (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownModeIsAnError(t *testing.T) {
	if err := run(t.Context(), "smoke", "127.0.0.1:0"); err == nil {
		t.Error("no error")
	}
}

// serve runs a mode until the test ends and returns its address.
func serve(t *testing.T, mode string) string {
	t.Helper()
	addr := freeAddr(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, mode, addr) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return "http://" + addr
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// get opens a session, waiting for the server to listen.
func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var res *http.Response
	var err error
	for range 200 {
		if res, err = client.Get(url + "?EIO=4&transport=polling"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond) // it is not listening yet
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "0") {
		t.Fatalf("handshake: %d %q %v", res.StatusCode, body, err)
	}
	return string(body)
}
