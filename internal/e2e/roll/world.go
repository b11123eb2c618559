package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/e2e/process"
)

// A world is everybody who uses the cluster.
type world struct {
	o       options
	cluster *cluster
	dialer  *websocket.Dialer
	http    *http.Client
	users   []*user
	sockets []*socket
	stop    context.CancelFunc // of sockets
	halt    context.CancelFunc // of changes and requests
	living  sync.WaitGroup
	working sync.WaitGroup
	began   time.Time

	open                               atomic.Int64 // sockets that are connected
	reconnects, fresh, events, doubled atomic.Int64
	failed                             atomic.Int64 // requests of others

	mu      sync.Mutex
	samples []sample
	took    []time.Duration // requests of others since the last sample
	phases  []phase
}

// A user has sockets, or is one of the others.
type user struct {
	token string
	made  atomic.Int64 // changes
}

// A phase is a time of the roll, by its name.
type phase struct {
	name string
	from time.Duration
}

// others are how many users list and create without sockets.
const others = 4

func newWorld(ctx context.Context, o options, c *cluster) (*world, error) {
	w := &world{o: o, cluster: c, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: lateness}}
	w.dialer = &websocket.Dialer{HandshakeTimeout: 20 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 512}
	for i := range o.users + others {
		a, err := process.Register(ctx, w.http, c.front.Addr(), fmt.Sprintf("user%d@example.test", i))
		if err != nil {
			return nil, err
		}
		w.users = append(w.users, &user{token: a.Token})
	}
	return w, nil
}

// atOnce is how many sockets connect beside each other.
const atOnce = 64

// connectAll opens the sockets and returns when all of them are connected.
func (w *world) connectAll(ctx context.Context) error {
	ctx, w.stop = context.WithCancel(ctx)
	places := make(chan struct{}, atOnce)
	for i := range w.o.sockets {
		s := &socket{w: w, user: w.users[i%w.o.users]}
		w.sockets = append(w.sockets, s)
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		w.living.Go(func() { s.run(ctx, func() { <-places }) })
	}
	return w.awaitSockets(ctx)
}

// begin starts changes, requests and samples.
func (w *world) begin(ctx context.Context) {
	w.began = time.Now()
	ctx, w.halt = context.WithCancel(ctx)
	w.working.Go(func() { w.every(ctx, w.o.changes, func(i int) { w.change(ctx, w.users[i%w.o.users]) }) })
	w.working.Go(func() { w.every(ctx, w.o.requests, func(i int) { w.request(ctx, i) }) })
	w.working.Go(func() { w.sample(ctx) })
}

// every does something so often a second, each time beside what is not done yet.
func (w *world) every(ctx context.Context, rate float64, do func(i int)) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	var doing sync.WaitGroup
	defer doing.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			doing.Go(func() { do(i) })
		}
	}
}

const expense = `{"description":"while it rolls","amount":12.5,"category":"food","type":"expense","clientId":%q}`

// change makes one change, and repeats it under its name until it is answered.
func (w *world) change(ctx context.Context, u *user) {
	body := fmt.Sprintf(expense, fmt.Sprint("change ", time.Now().UnixNano()))
	for ctx := context.WithoutCancel(ctx); ; time.Sleep(100 * time.Millisecond) {
		a, err := process.Send(ctx, w.http, http.MethodPost, w.cluster.front.URL()+"/api/expenses", u.token, body)
		if err == nil && a.Status/100 == 2 {
			u.made.Add(1)
			return
		}
	}
}

// request lists or creates, as one of the others, once.
func (w *world) request(ctx context.Context, i int) {
	u := w.users[w.o.users+i%others]
	method, path, body := http.MethodGet, "/api/expenses?page=1&limit=20", ""
	if i%2 == 0 {
		method, path, body = http.MethodPost, "/api/expenses", fmt.Sprintf(expense, fmt.Sprint("request ", i))
	}
	began := time.Now()
	a, err := process.Send(context.WithoutCancel(ctx), w.http, method, w.cluster.front.URL()+path, u.token, body)
	if err != nil || a.Status/100 != 2 {
		w.failed.Add(1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took = append(w.took, time.Since(began))
}

// roll watches for a while, and restarts each process.
func (w *world) roll(ctx context.Context) error {
	w.enter("before")
	if !pause(ctx, w.o.before) {
		return ctx.Err()
	}
	for i, s := range w.cluster.servers {
		w.enter(fmt.Sprintf("process %d", i+1))
		say("process %d ends", i+1)
		if err := w.cluster.stop(s, w.o.spread+lateness); err != nil {
			return err
		}
		if err := w.cluster.start(ctx, s); err != nil {
			return err
		}
		if err := w.awaitSockets(ctx); err != nil {
			return err
		}
		if !pause(ctx, w.o.before) {
			return ctx.Err()
		}
	}
	w.enter("end")
	return nil
}

// awaitSockets waits until all are connected.
func (w *world) awaitSockets(ctx context.Context) error {
	for late := time.Now().Add(lateness); w.open.Load() < int64(w.o.sockets); {
		if time.Now().After(late) {
			return fmt.Errorf("only %d sockets are connected after %v", w.open.Load(), lateness)
		}
		if !pause(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

func (w *world) enter(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phases = append(w.phases, phase{name, time.Since(w.began)})
}

// end ends the work, waits until every socket has heard everything, and counts.
func (w *world) end(ctx context.Context) (*report, error) {
	w.halt()
	w.working.Wait()
	for late := time.Now().Add(lateness); w.behind() > 0 && time.Now().Before(late); {
		if !pause(ctx, 50*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
	w.stop()
	w.living.Wait()
	r := &report{
		o: w.o, samples: w.samples, phases: w.phases, reconnects: w.reconnects.Load(), fresh: w.fresh.Load(),
		events: w.events.Load(), doubled: w.doubled.Load(), missed: w.behind(), failed: w.failed.Load(),
	}
	for _, u := range w.users {
		r.changes += u.made.Load()
	}
	return r, nil
}

// expected is how many events all sockets together have to hear.
func (w *world) expected() (n int64) {
	for _, s := range w.sockets {
		n += s.user.made.Load()
	}
	return n
}

// behind is how many of them have not come.
func (w *world) behind() int64 {
	return max(0, w.expected()-w.events.Load()+w.doubled.Load())
}

func (w *world) close() {
	if w.halt != nil {
		w.halt()
		w.working.Wait()
	}
	if w.stop != nil {
		w.stop()
		w.living.Wait()
	}
}

func pause(ctx context.Context, t time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(t):
		return true
	}
}

// answers reports whether a GET is answered 200.
func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

// A sample is a quarter of a second.
type sample struct {
	at         time.Duration
	open       int64
	reconnects int64 // since the last
	took       []time.Duration
}

const samplePeriod = 250 * time.Millisecond

func (w *world) sample(ctx context.Context) {
	tick := time.NewTicker(samplePeriod)
	defer tick.Stop()
	for before := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := w.reconnects.Load()
		w.mu.Lock()
		w.samples = append(w.samples, sample{time.Since(w.began), w.open.Load(), now - before, w.took})
		w.took = nil
		w.mu.Unlock()
		before = now
	}
}

// percentile is the value below which the share p of them is; 0 of none.
func percentile(took []time.Duration, p float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
