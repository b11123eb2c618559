package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// measureStart gives the time from exec to the first healthy answer, the resident
// memory of a process that does nothing, and the size of its program.
func measureStart(ctx context.Context, p *process, _ float64) (result, error) {
	if err := pause(ctx, 3*time.Second); err != nil {
		return nil, err
	}
	rss, err := p.rss()
	file, fileErr := p.file()
	return result{
		"start":      float64(p.startup.Microseconds()) / 1000,
		"start-rss":  float64(rss) / (1 << 20),
		"start-file": float64(file) / 1e6,
	}, errors.Join(err, fileErr)
}

// createRate is how many creates per second are offered, in an open loop.
const createRate = 300

// createDevices is how many users, each with one writing and one listening
// device, share that rate.
const createDevices = 20

// measureCreate gives the time from sending an HTTP create to the event on
// another device of the same user, counted from when the create was due.
func measureCreate(ctx context.Context, p *process, scale float64) (result, error) {
	stop, err := metronome(time.Second / createRate / 4)
	if err != nil {
		return nil, err
	}
	defer stop()
	run := &creates{lat: &latencies{}, due: map[string]time.Time{}}
	var users []*user
	for range createDevices {
		u, err := newUser(ctx, p.addr)
		if err != nil {
			return nil, err
		}
		c, err := dial(p.addr, fmt.Sprintf(`{"token":%q}`, u.token))
		if err != nil {
			return nil, err
		}
		defer c.Close()
		c.listen(run.hear)
		users = append(users, u)
	}
	if err := run.offer(ctx, users, 2*time.Second); err != nil { // warms up
		return nil, err
	}
	run.lat = &latencies{}
	if err := run.offer(ctx, users, scaledTime(12*time.Second, scale)); err != nil {
		return nil, err
	}
	return result{
		"create-p50": run.lat.at(0.50), "create-p99": run.lat.at(0.99),
		"create-lost": float64(run.overdue()),
	}, nil
}

type creates struct {
	lat  *latencies
	next atomic.Int64

	mu  sync.Mutex
	due map[string]time.Time // by description; an event removes its entry
}

// hear takes the event of a create, told by its description.
func (r *creates) hear(packet []byte) {
	rest, ok := bytes.CutPrefix(packet, []byte(`2["expense_created",`))
	if !ok {
		return
	}
	_, rest, ok = bytes.Cut(rest, []byte(`"description":"`))
	if !ok {
		return
	}
	name, _, _ := bytes.Cut(rest, []byte(`"`))
	r.mu.Lock()
	defer r.mu.Unlock()
	if due, ok := r.due[string(name)]; ok {
		r.lat.add(time.Since(due))
		delete(r.due, string(name))
	}
}

// offer sends creates at createRate for d and waits for the last events.
func (r *creates) offer(ctx context.Context, users []*user, d time.Duration) error {
	return r.offerAt(ctx, users, createRate, d)
}

// offerAt sends so many creates a second for d and waits for the last events.
func (r *creates) offerAt(ctx context.Context, users []*user, rate int, d time.Duration) error {
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	began := time.Now()
	for i := 0; ; i++ {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if due.Sub(began) >= d || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Until(due))
		wg.Go(func() {
			if err := r.create(ctx, users[i%len(users)], due); err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	for waited := time.Duration(0); r.overdue() > 0 && waited < lossTimeout; waited += 50 * time.Millisecond {
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *creates) create(ctx context.Context, u *user, due time.Time) error {
	name := fmt.Sprintf("create %d", r.next.Add(1))
	r.mu.Lock()
	r.due[name] = due
	r.mu.Unlock()
	body := fmt.Sprintf(`{"description":%q,"amount":12.5,"category":"food","type":"expense","deviceId":%q}`, name, u.device)
	return u.call(ctx, http.MethodPost, "/api/expenses", body, http.StatusCreated, nil)
}

// forget gives up what has not come, and returns how many those are.
func (r *creates) forget() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.due)
	clear(r.due)
	return n
}

func (r *creates) overdue() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.due)
}

// measureBatch gives operations per second over HTTP in batches of 100 from
// four users at once.
func measureBatch(ctx context.Context, p *process, scale float64) (result, error) {
	const clients, size = 4, 100
	var users []*user
	for range clients {
		u, err := newUser(ctx, p.addr)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	b := &batches{size: size}
	if err := b.run(ctx, users, 2); err != nil { // warms up
		return nil, err
	}
	each := scaled(60, scale, 15)
	began := time.Now()
	err := b.run(ctx, users, each)
	return result{"batch": float64(clients*each*size) / time.Since(began).Seconds()}, err
}

type batches struct {
	size int
	next atomic.Int64
}

// run sends n batches for each user, the users beside each other.
func (b *batches) run(ctx context.Context, users []*user, n int) error {
	errs := make(chan error, len(users))
	for _, u := range users {
		go func() {
			var err error
			for range n {
				if err = b.send(ctx, u); err != nil {
					break
				}
			}
			errs <- err
		}()
	}
	var first error
	for range users {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// send posts one batch of creates as the browser's queue holds them, and checks
// that every one succeeded.
func (b *batches) send(ctx context.Context, u *user) error {
	var body strings.Builder
	body.WriteString(`{"operations":[`)
	now := time.Now().UnixMilli()
	for i := range b.size {
		if i > 0 {
			body.WriteByte(',')
		}
		n := b.next.Add(1)
		fmt.Fprintf(&body, `{"action":"CREATE","resourceType":"expense","resourceId":"temp_%d","data":{"description":"Lunch %d","amount":12.5,"category":"food","type":"expense"},"deviceId":%q,"timestamp":%d}`, n, n, u.device, now)
	}
	body.WriteString(`]}`)
	var reply struct {
		Results []struct{ Success bool }
	}
	if err := u.call(ctx, http.MethodPost, "/api/sync/batch", body.String(), http.StatusOK, &reply); err != nil {
		return err
	}
	done := 0
	for _, r := range reply.Results {
		if r.Success {
			done++
		}
	}
	if done != b.size {
		return fmt.Errorf("%d of %d operations succeeded", done, b.size)
	}
	return nil
}

// measureList gives the time of GET /api/expenses for 10,000 expenses.
func measureList(ctx context.Context, p *process, scale float64) (result, error) {
	u, err := newUser(ctx, p.addr)
	if err != nil {
		return nil, err
	}
	if err := (&batches{size: 500}).run(ctx, []*user{u}, 20); err != nil {
		return nil, err
	}
	lat := &latencies{}
	for range scaled(20, scale, 5) {
		began := time.Now()
		if err := u.call(ctx, http.MethodGet, "/api/expenses", "", http.StatusOK, nil); err != nil {
			return nil, err
		}
		lat.add(time.Since(began))
	}
	return result{"list": lat.at(0.5)}, nil
}

// A user is one account on a peer.
type user struct {
	base, token string
	device      string // every account has a device of its own: one device acting for two is an account switch
}

var userCount atomic.Int64

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

func newUser(ctx context.Context, addr string) (*user, error) {
	n := userCount.Add(1)
	u := &user{base: "http://" + addr, device: fmt.Sprintf("device_bench%d", n)}
	body := fmt.Sprintf(`{"name":"Bench","email":"bench%d@bench.test","password":"correct horse"}`, n)
	var reply struct{ Token string }
	err := u.call(ctx, http.MethodPost, "/api/auth/register", body, http.StatusCreated, &reply)
	u.token = reply.Token
	return u, err
}

// call sends one request, insists on the status, and decodes the answer into out
// unless that is nil.
func (u *user) call(ctx context.Context, method, path, body string, want int, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, u.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+u.token)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s %s: %s: %.200s", method, path, res.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
