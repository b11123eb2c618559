package e2e

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// slowChanges makes the test of a slow line as long as one likes:
//
//	go test ./internal/e2e -run SlowLine -slow.changes 100000 -timeout 30m -v
//
// docs/reliability.md has the result.
var slowChanges = flag.Int("slow.changes", 20_000, "changes that phones on a slow line get")

const (
	slowBytes  = 64 << 10 // a second, on a slow line: less than any machine makes
	quickBytes = 32 << 20 // a second, once it is better
	// leeway is how much more memory the process may take while phones are slow
	// than while nobody is. What they are behind by is a multiple of it.
	leeway = 16 << 20
)

// Phones on slow lines fall far behind while another device makes changes: they
// cost the server a position in the log each, not the memory of what they miss,
// nobody else waits, and in the end they have heard everything in order without
// ever having been disconnected.
func TestTwentyThousandChangesReachPhonesOnASlowLineInFlatMemory(t *testing.T) {
	t.Parallel()
	p, metrics := startMeasured(t)
	a, line := register(t, p), startLine(t, p)
	quick, n := startNode(t).connect(t, a, transports[1]), startNode(t)
	phones := []*device{n.connectAt(t, line.URL(), a, transports[0]), n.connectAt(t, line.URL(), a, transports[1])}
	m := watchMemory(t, metrics)

	want := a.createNoted(t, *slowChanges/5)
	for _, d := range append(phones, quick) {
		d.hearAll(t, want)
	}
	before := m.peak()
	line.SetRate(slowBytes)
	want = append(want, a.createNoted(t, *slowChanges)...)
	quick.hearAll(t, want)
	behind := len(want) - len(phones[1].events(changeEvents...))
	line.SetRate(quickBytes)
	for _, d := range phones {
		d.hearAll(t, want)
	}
	after := m.peak()

	t.Logf("%d changes; a phone %d behind; at most %d KiB resident before, %d KiB with slow phones", len(want), behind, before>>10,
		after>>10)
	if behind < *slowChanges/2 {
		t.Errorf("the phones were only %d changes behind: the line is not slow", behind)
	}
	if after > before+leeway {
		t.Errorf("the process grew from %d KiB to %d KiB", before>>10, after>>10)
	}
	for _, d := range append(phones, quick) {
		same(t, "events of "+d.name, spoken(want), receivedEvents(d))
		same(t, "connections", []bool{false}, d.recovered(t))
		same(t, "farewells", 0, len(d.noted("disconnect")))
	}
}

// hearAll waits until the device has heard as many events as the log has, however
// long that takes, as long as it goes on.
func (d *device) hearAll(t *testing.T, log []string) []event {
	t.Helper()
	const step = 1000
	for n := step; n < len(spellings)*len(log); n += step {
		d.awaitThat(t, fmt.Sprintf("event number %d", n), func(notes []note) bool { return len(notes) >= n })
	}
	return d.hear(t, len(spellings)*len(log), slices.Concat(spellings...)...)
}

// createNoted makes n expenses whose documents have about a kilobyte each and
// gives the events that tell of them.
func (a *account) createNoted(t *testing.T, n int) (events []string) {
	t.Helper()
	const together = 250
	for len(events) < n {
		ops := make([]operation, min(together, n-len(events)))
		for i := range ops {
			d := draft(fmt.Sprint("noted ", len(events)+i))
			d["notes"] = strings.Repeat("note ", 90)
			ops[i] = a.queued("CREATE", fmt.Sprintf("temp_%d", i), d)
		}
		events = append(events, prefixed("expense_created ", ids(a.batch(t, ops...)))...)
	}
	return events
}

// startMeasured is start, and where the metrics are.
func startMeasured(t *testing.T) (p *program, metrics string) {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	return start(t, "METRICS_ADDR="+addr), "http://" + addr + "/metrics"
}

// A memory watches how much of it a program has resident.
type memory struct {
	url     string // of the program's metrics
	highest atomic.Int64
	failed  atomic.Pointer[error]
}

// watchMemory looks at a program's metrics until the test ends.
func watchMemory(t *testing.T, url string) *memory {
	t.Helper()
	m := &memory{url: url}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		m.watch(done)
	}()
	t.Cleanup(func() {
		close(done)
		<-stopped
		if err := m.failed.Load(); err != nil {
			t.Error(*err)
		}
	})
	return m
}

func (m *memory) watch(done <-chan struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for open(done) {
		now, err := m.read()
		if err != nil {
			m.failed.Store(&err)
		}
		m.highest.Store(max(m.highest.Load(), now))
		<-tick.C
	}
}

// peak is the most that was seen so far, in bytes.
func (m *memory) peak() int64 { return m.highest.Load() }

func (m *memory) read() (bytes int64, err error) {
	r, err := try(http.MethodGet, m.url, "", nil)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(r.body)) {
		if text, ok := strings.CutPrefix(line, "process_resident_memory_bytes "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			return int64(f), err
		}
	}
	return 0, errors.New("the metrics do not tell the resident memory")
}
