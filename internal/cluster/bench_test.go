package cluster

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/models"
)

// childRole is set in the environment of the process that has the sessions and the clients
// of BenchmarkTunnel, so that this process is the forwarding one alone.
const childRole = "CLUSTER_BENCHMARK_FORWARDER"

// BenchmarkTunnel measures what a tunnel costs the process that is not the owner: memory
// while nothing is sent, and how much later an echo comes back.
func BenchmarkTunnel(b *testing.B) {
	const tunnels = 2000
	f := newFakeTable()
	a := serveEcho(b, f)
	owner := startOwner(b, a, f)
	before := memory()
	owner.do(b, "open "+strconv.Itoa(tunnels))
	after := memory()
	if n := a.Stats().Tunnels; n != tunnels {
		b.Fatalf("%d tunnels", n)
	}
	for b.Loop() {
		var direct, tunnelled [2]float64
		_, _ = fmt.Sscan(owner.do(b, "echo direct"), &direct[0], &direct[1])
		_, _ = fmt.Sscan(owner.do(b, "echo tunnel"), &tunnelled[0], &tunnelled[1])
		for i, quantile := range []string{"p50", "p99"} {
			b.ReportMetric(direct[i], "us-direct-"+quantile)
			b.ReportMetric(tunnelled[i], "us-tunnel-"+quantile)
		}
	}
	b.ReportMetric(float64(after.live-before.live)/tunnels/1024, "KiB-of-Go/tunnel")
	b.ReportMetric(float64(after.resident-before.resident)/tunnels/1024, "KiB-resident/tunnel")
}

// memory returns what Go uses for what lives and for stacks, and what is resident.
func memory() (m struct{ live, resident int64 }) {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	m.live = int64(s.HeapAlloc + s.StackInuse)
	text, _ := os.ReadFile("/proc/self/statm")
	if pages := strings.Fields(string(text)); len(pages) > 1 {
		n, _ := strconv.ParseInt(pages[1], 10, 64)
		m.resident = n * int64(os.Getpagesize())
	}
	return m
}

// An owner is the other process of BenchmarkTunnel.
type owner struct {
	in  io.Writer
	out *bufio.Scanner
}

func (o *owner) do(b *testing.B, command string) (answer string) {
	b.Helper()
	_, _ = fmt.Fprintln(o.in, command)
	if !o.out.Scan() {
		b.Fatalf("%s: no answer", command)
	}
	return o.out.Text()
}

// startOwner starts it and makes the two processes known to each other.
func startOwner(b *testing.B, a *echoServer, f *fakeTable) *owner {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOwnerOfTheBenchmark$", "-test.v")
	cmd.Env = append(os.Environ(), childRole+"="+a.id+" "+a.url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	o := &owner{in, bufio.NewScanner(out)}
	for o.out.Scan() {
		said, owner := strings.CutPrefix(o.out.Text(), "owner ")
		if id, url, ok := strings.Cut(said, " "); owner && ok {
			f.add(models.Member{ID: id, URL: "http://" + url, Version: "1", Secret: a.keys.fingerprint})
			return o
		}
	}
	b.Fatal("the owner does not start")
	return nil
}

// add makes a process known that lives for ever.
func (f *fakeTable) add(m models.Member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows[m.ID] = fakeRow{m, f.now().Add(1000 * time.Hour)}
}

func TestOwnerOfTheBenchmark(t *testing.T) {
	id, url, ok := strings.Cut(os.Getenv(childRole), " ")
	if !ok {
		return // it is a part of BenchmarkTunnel
	}
	f := newFakeTable()
	e := serveEcho(t, f)
	forwarder := &echoServer{node: &node{url: url}}
	f.add(models.Member{ID: id, URL: "http://" + url, Version: "1", Secret: e.keys.fingerprint})
	fmt.Println("owner", e.id, e.url)
	var direct, tunnelled *websocket.Conn
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch command, arg, _ := strings.Cut(in.Text(), " "); {
		case command == "open":
			direct = e.upgrade(t, e.handshake(t))
			n, _ := strconv.Atoi(arg)
			for range n {
				tunnelled = forwarder.upgrade(t, e.handshake(t))
			}
			http.DefaultClient.CloseIdleConnections()
			fmt.Println("opened")
		case arg == "direct":
			fmt.Println(roundTrips(t, direct))
		case arg == "tunnel":
			fmt.Println(roundTrips(t, tunnelled))
		}
	}
}

// roundTrips returns the p50 and p99 of echoes in microseconds.
func roundTrips(t *testing.T, conn *websocket.Conn) string {
	const count = 5000
	took := make([]float64, count)
	for i := range took {
		began := time.Now()
		say(t, conn, "4"+strings.Repeat("x", 300))
		hear(t, conn)
		took[i] = float64(time.Since(began).Nanoseconds()) / 1000
	}
	slices.Sort(took)
	return fmt.Sprintf("%.1f %.1f", took[count/2], took[count*99/100])
}
