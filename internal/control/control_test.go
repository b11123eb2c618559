package control_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers each line as soon as it arrives, so it works only where both bodies are
// streams.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	both := http.NewResponseController(w)
	if err := both.EnableFullDuplex(); err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		fmt.Fprintln(w, "heard "+lines.Text())
		if err := both.Flush(); err != nil {
			return
		}
	}
})

// socketPath is short, whatever the name of the test.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "x.sock")
}

func serve(t *testing.T, path string) *http.Server {
	t.Helper()
	ln, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := control.NewServer(echo)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(ln)
	}()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return s
}

// checkStreams sends one line after the other, each when the one before was answered.
func checkStreams(t *testing.T, client *http.Client) {
	t.Helper()
	in, out := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://any/", in)
	if err != nil {
		t.Fatal(err)
	}
	go fmt.Fprintln(out, "one")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answers := bufio.NewReader(res.Body)
	for i, next := range []string{"two", "three", ""} {
		line, err := answers.ReadString('\n')
		if want := []string{"heard one\n", "heard two\n", "heard three\n"}[i]; err != nil || line != want {
			t.Fatalf("%q %v, want %q", line, err, want)
		}
		if next != "" {
			fmt.Fprintln(out, next)
		}
	}
	out.Close()
	if _, err := answers.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestASocketIsTheOwnersAndStreams(t *testing.T) {
	path := socketPath(t)
	s := serve(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode(); runtime.GOOS != "windows" && mode != os.ModeSocket|0o600 {
		t.Errorf("mode %v", mode)
	}
	client, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	checkStreams(t, client)
	s.Close()
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := control.Dial(t.Context(), path); err == nil {
		t.Error("it answers after its end")
	}
}

func TestWhatAKilledProcessLeftIsReplaced(t *testing.T) {
	path := socketPath(t)
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	killed.SetUnlinkOnClose(false)
	killed.Close()
	if _, err := control.Dial(t.Context(), path); err == nil {
		t.Fatal("nobody listens")
	}
	serve(t, path)
	client, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	checkStreams(t, client)
}

// What cleans folders up may remove the socket of a server that runs.
func TestAServerWhoseSocketWasRemovedEndsWithoutAnError(t *testing.T) {
	path := socketPath(t)
	s := serve(t, path)
	client, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	checkStreams(t, client)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := control.Shutdown(t.Context(), s); err != nil {
		t.Error(err)
	}
}

func TestAClientThatReadsNothingDoesNotKeepAServerFromEnding(t *testing.T) {
	path, written := socketPath(t), make(chan error, 1)
	ln, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := control.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				written <- err
				return
			}
		}
	}))
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	client, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Get("http://any/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := control.Shutdown(ctx, s); err != nil || ctx.Err() != nil {
		t.Fatalf("%v, %v", err, ctx.Err())
	}
	_, _ = <-written, <-served // both fail, now or before
}

func TestAPathThatIsTooLongIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", control.MaxPath), "x.sock")
	_, err := control.Listen(path)
	_, dialErr := control.Dial(t.Context(), path)
	for _, err := range []error{err, dialErr} {
		if err == nil || !strings.Contains(err.Error(), "choose a shorter folder") {
			t.Errorf("%v", err)
		}
	}
}

func TestAHandlerOfThisProcessIsCalledInTheSameWay(t *testing.T) {
	client, stop := control.Local(echo)
	checkStreams(t, client)
	stop()
	if res, err := client.Get("http://any/"); err == nil {
		res.Body.Close()
		t.Error("it answers after its end")
	}
}
