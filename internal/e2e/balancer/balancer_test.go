package balancer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/e2e/balancer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A process answers with its name, and with 503 to /readyz while it is not ready.
type process struct {
	*httptest.Server
	unready atomic.Bool
}

func start(t *testing.T, name string) *process {
	t.Helper()
	p := &process{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" && p.unready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path == "/break" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *process) addr() string { return strings.TrimPrefix(p.URL, "http://") }

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func two(t *testing.T) (a, b *process, front *balancer.Balancer) {
	t.Helper()
	a, b = start(t, "a"), start(t, "b")
	front, err := balancer.Start(a.addr(), b.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	return a, b, front
}

func TestRequestsOfOneConnectionGoToBoth(t *testing.T) {
	_, _, front := two(t)
	seen := map[string]int{}
	for range 64 {
		seen[get(t, front.URL())]++
	}
	if seen["a"] < 8 || seen["b"] < 8 {
		t.Errorf("answers: %v", seen)
	}
	if carried := front.Carried(); carried[0] != int64(seen["a"]) || carried[1] != int64(seen["b"]) {
		t.Errorf("carried %v, answers %v", carried, seen)
	}
}

func TestAProcessThatIsGoneIsNotAsked(t *testing.T) {
	a, _, front := two(t)
	a.Close()
	for range 16 {
		if who := get(t, front.URL()); who != "b" {
			t.Fatalf("answered by %q", who)
		}
	}
}

func TestAProcessThatIsNotReadyIsLeftOut(t *testing.T) {
	a, _, front := two(t)
	a.unready.Store(true)
	deadline := time.Now().Add(10 * time.Second)
	for only := 0; only < 32; only++ {
		if get(t, front.URL()) == "a" {
			only = 0
		}
		if time.Now().After(deadline) {
			t.Fatal("a is still asked")
		}
	}
}

func TestIfNoneIsReadyAllAreAsked(t *testing.T) {
	a, b, front := two(t)
	a.unready.Store(true)
	b.unready.Store(true)
	for range 16 {
		get(t, front.URL())
	}
}

func TestABrokenAnswerIsABrokenConnection(t *testing.T) {
	_, _, front := two(t)
	if res, err := http.Get(front.URL() + "/break"); err == nil {
		res.Body.Close()
		t.Errorf("answered %s", res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}
