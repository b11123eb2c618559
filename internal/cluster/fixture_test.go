package cluster

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/keyring"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds the wait for what should happen at once.
const patience = time.Minute

// A fakeTable keeps rows as *store.Store does, by a clock of its own.
type fakeTable struct {
	mu    sync.Mutex
	rows  map[string]fakeRow
	ahead time.Duration // how far its clock is ahead of the processes'
	fail  error
	beat  int // heartbeats so far

	// connect is how the processes of the table reach each other.
	connect func(ctx context.Context, network, addr string) (net.Conn, error)
}

type fakeRow struct {
	m  models.Member
	at time.Time
}

func newFakeTable() *fakeTable {
	return &fakeTable{rows: make(map[string]fakeRow), connect: newNetwork().dial}
}

func (f *fakeTable) now() time.Time { return time.Now().Add(f.ahead) }

// Heartbeat implements table.
func (f *fakeTable) Heartbeat(_ context.Context, m models.Member) (generation int64, living []models.Member, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.beat++
	if f.fail != nil {
		return 0, nil, f.fail
	}
	now := f.now()
	if row, ok := f.rows[m.ID]; !ok || row.m.Generation != m.Generation || now.Sub(row.at) > deadAfter {
		m.Generation++
	}
	f.rows[m.ID] = fakeRow{m, now}
	for id, row := range f.rows {
		if now.Sub(row.at) > deadAfter {
			delete(f.rows, id)
			continue
		}
		living = append(living, row.m)
	}
	slices.SortFunc(living, func(a, b models.Member) int { return cmp.Compare(a.ID, b.ID) })
	return m.Generation, living, nil
}

// Leave implements table.
func (f *fakeTable) Leave(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.rows, id)
	return f.fail
}

func (f *fakeTable) setFailure(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

func (f *fakeTable) beats() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.beat
}

func (f *fakeTable) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.rows, id)
}

func (f *fakeTable) ids() (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

var errDown = errors.New("the database is down")

const testSecret = "a secret of the tests, long enough to be taken"

// A process is a Cluster with its log.
type process struct {
	*Cluster
	log         *logBuffer
	generations chan int64
	kill        func() // ends Run without leaving
}

// join starts a process on a table, until the test ends.
func join(t testing.TB, f *fakeTable, o Options) *process {
	t.Helper()
	p, err := tryJoin(t, f, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Run(ctx)
	}()
	p.kill = func() {
		cancel()
		<-ended
	}
	t.Cleanup(func() {
		if err := p.StopForwarding(context.Background()); err != nil {
			t.Error(err)
		}
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", p.id, p.log)
		}
	})
	return p
}

func tryJoin(t testing.TB, f *fakeTable, o Options) (*process, error) {
	t.Helper()
	p := &process{log: &logBuffer{}, generations: make(chan int64, 10)}
	o.Table = f
	o.URL, o.Version = cmp.Or(o.URL, "http://127.0.0.1:1"), cmp.Or(o.Version, "1")
	if len(o.Ring.Keys()) == 0 {
		o.Ring = keyring.New([]byte(testSecret))
	}
	o.OnGeneration = func(generation int64) { p.generations <- generation }
	o.Logger = slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if p.Cluster, err = Join(t.Context(), o); err == nil {
		p.forward.connect = f.connect
	}
	return p, err
}

func (p *process) others() (ids []string) {
	for _, m := range p.Others() {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// A logBuffer keeps log lines. The zero value is ready.
type logBuffer struct{ testneed.LogBuffer }

func (l *logBuffer) count(text string) int { return strings.Count(l.String(), text) }
