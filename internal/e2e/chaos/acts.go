package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// act lets the device live until the faults end, and then until it is connected,
// knows what it missed, and has an answer to everything.
func (d *device) act(ctx, faults context.Context, pause time.Duration) {
	d.rest(faults, d.between(0, pause))
	for faults.Err() == nil {
		if d.state().ask && d.state().up {
			d.catchUp(ctx)
		}
		done, burst := 1, d.bursts()
		if !burst {
			done = d.something(ctx)
		}
		if burst || d.state().waiting > 0 && d.chance(0.4) {
			d.flush(ctx)
		}
		d.rest(faults, time.Duration(done)*d.between(pause/2, 3*pause/2))
	}
	d.finish(ctx)
}

// rest waits until the time is over or somebody wakes the device.
func (d *device) rest(faults context.Context, t time.Duration) {
	select {
	case <-faults.Done():
	case <-d.poke:
	case <-time.After(t):
	}
}

func (d *device) finish(ctx context.Context) {
	for ctx.Err() == nil {
		st := d.state()
		switch {
		case st.gone != "":
			return
		case d.bursts(), st.waiting > 0:
			d.flush(ctx)
		case st.up && st.ask:
			d.catchUp(ctx)
		case st.up:
			return
		}
		sleep(ctx, 30*time.Millisecond)
	}
}

// sleep waits, and reports whether ctx is still going on.
func sleep(ctx context.Context, t time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(t):
		return true
	}
}

func (d *device) chance(p float64) bool { return d.rng.Float64() < p }

func (d *device) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.rng.Float64()*float64(high-low))
}

// something does one thing, or fills the queue with several; it tells how many.
func (d *device) something(ctx context.Context) int {
	if d.page == 1 && d.chance(0.03) {
		if err := d.reload(); err != nil {
			d.s.fail(err)
		}
	}
	if d.chance(0.35) {
		n := 1 + d.rng.IntN(8)
		for range n {
			d.enqueue(d.offline())
		}
		return n
	}
	d.online(ctx, d.any())
	return 1
}

// any makes up an operation on what the device knows.
func (d *device) any() *operation {
	id, version := d.choose()
	p := d.rng.Float64()
	switch {
	case id == "" || p < 0.5:
		return d.operation("CREATE", "", d.draft(""))
	case p < 0.8:
		data := d.draft("")
		if d.chance(0.5) {
			data["version"] = version
		}
		return d.operation("UPDATE", id, data)
	}
	return d.operation("DELETE", id, nil)
}

// offline makes up an operation for the queue, which may name what was made there
// before by its temporary name.
func (d *device) offline() *operation {
	op := d.any()
	if temporary := d.temporary(); temporary != "" && op.action != "CREATE" && d.chance(0.5) {
		op.target = temporary
		delete(op.data, "version") // of another expense
	}
	return op
}

func (d *device) choose() (id string, version int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) == 0 {
		return "", 0
	}
	ids := slices.Sorted(maps.Keys(d.known))
	ids = ids[max(0, len(ids)-20):] // the newest, which the others know and change too
	id = ids[d.rng.IntN(len(ids))]
	return id, d.known[id]
}

func (d *device) temporary() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, op := range slices.Backward(d.queue) {
		if op.action == "CREATE" {
			return op.target
		}
	}
	return ""
}

// operation makes the next operation, with a mark of its own.
func (d *device) operation(action, target string, data map[string]any) *operation {
	d.n++
	op := &operation{device: d, action: action, target: target, data: data}
	op.mark = fmt.Sprintf("%s %d %s #%d", d.s.job.class.name, d.s.seed, d.name, d.n)
	if data != nil {
		data["description"] = op.mark
	}
	if action == "CREATE" && d.named {
		data["clientId"] = op.mark
	}
	d.s.note(op)
	return op
}

func (d *device) draft(notes string) map[string]any {
	data := map[string]any{"amount": float64(1+d.rng.IntN(100_000)) / 100, "category": "food", "type": "expense"}
	if notes != "" {
		data["notes"] = notes
	}
	return data
}

// bursts queues many creations at once, if that was asked for.
func (d *device) bursts() bool {
	d.mu.Lock()
	n, notes := d.burst, d.notes
	d.burst = 0
	d.mu.Unlock()
	for range n {
		d.enqueue(d.operation("CREATE", "", d.draft(notes)))
	}
	return n > 0
}

// wantBurst asks for n creations with these notes, in one batch, at once.
func (d *device) wantBurst(n int, notes string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.burst, d.notes = n, notes
	select {
	case d.poke <- struct{}{}:
	default:
	}
}

// enqueue keeps an operation until a batch with it is answered, as the old page
// does in localStorage.
func (d *device) enqueue(op *operation) {
	op.queued = time.Now().UnixMilli()
	if op.action == "CREATE" {
		op.target = fmt.Sprintf("temp_%d", op.queued)
	}
	d.s.log(d.name, "queues %s", op)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, op)
}

// online sends an operation at once if the socket is there. What fails is queued,
// but for an edit: no page of old queues those.
func (d *device) online(ctx context.Context, op *operation) {
	if d.state().up && d.direct(ctx, op) {
		return
	}
	if op.action != "UPDATE" || op.sent == 0 {
		d.enqueue(op)
	}
}

// direct sends an operation by its own route and tells whether it is done with. A
// refused creation or deletion would be queued by the old page, like a failed one.
func (d *device) direct(ctx context.Context, op *operation) bool {
	method, path, body := http.MethodPost, "/api/expenses", maps.Clone(op.data)
	switch op.action {
	case "UPDATE":
		method, path = http.MethodPut, "/api/expenses/"+op.target
	case "DELETE":
		method, path, body = http.MethodDelete, "/api/expenses/"+op.target, map[string]any{}
	}
	body["deviceId"] = d.id
	op.sending()
	r := reply{door: method, sent: time.Now()}
	d.s.log(d.name, "%s %s", method, op)
	a, err := d.do(ctx, method, path, body)
	d.s.log(d.name, "%s answered %s (%v)", op.mark, a, err)
	if err != nil {
		return false
	}
	return d.answeredDirectly(op, r, a)
}

func (d *device) answeredDirectly(op *operation, r reply, a answer) bool {
	switch {
	case a.status == http.StatusCreated, a.status == http.StatusOK:
		r.effect = applied
		if op.action != "DELETE" {
			r.doc = new(document)
			if err := json.Unmarshal(a.body, r.doc); err != nil {
				d.s.wrong("divergent: %s answered %s", op, a)
				return false
			}
		}
	case a.status == http.StatusNotFound, a.status == http.StatusConflict && op.data["version"] != nil:
		if op.action == "DELETE" {
			return false
		}
	default:
		d.s.expect503(a, op.String())
		return false
	}
	op.answered(r)
	return true
}

// flush sends the queue as one batch, or as this schedule's faults have it. What was
// answered leaves the queue.
func (d *device) flush(ctx context.Context) {
	d.mu.Lock()
	ops := slices.Clone(d.queue)
	d.mu.Unlock()
	switch class := d.s.job.class; {
	case len(ops) > 1 && d.chance(class.split):
		d.flushInParts(ctx, ops)
	case d.chance(class.repeat):
		d.flushAgain(ctx, ops)
	default:
		d.send(ctx, d, ops)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = slices.DeleteFunc(d.queue, func(op *operation) bool {
		op.mu.Lock()
		defer op.mu.Unlock()
		return slices.ContainsFunc(op.answers, func(r reply) bool { return r.door == "batch" })
	})
}

// flushAgain sends the same batch two or three times, at once or one after the
// other, from any of the user's devices.
func (d *device) flushAgain(ctx context.Context, ops []*operation) {
	batches := make([][]*operation, 2+d.rng.IntN(2))
	for i := range batches {
		batches[i] = ops
	}
	if n := d.deliver(ctx, batches); n > 1 {
		d.s.hit(repeated)
	}
}

// flushInParts sends parts of the queue in another order, some twice.
func (d *device) flushInParts(ctx context.Context, ops []*operation) {
	var parts [][]*operation
	for rest := ops; len(rest) > 0; {
		n := 1 + d.rng.IntN(len(rest))
		parts, rest = append(parts, rest[:n]), rest[n:]
	}
	if d.chance(0.5) {
		parts = append(parts, parts[d.rng.IntN(len(parts))])
	}
	d.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	if n := d.deliver(ctx, parts); n > 1 {
		d.s.hit(reordered)
	}
}

// deliver sends batches through any of the user's devices and tells how many were
// answered.
func (d *device) deliver(ctx context.Context, batches [][]*operation) (answered int) {
	together := d.chance(0.5)
	var sending sync.WaitGroup
	var mu sync.Mutex
	for _, ops := range batches {
		via := d.sibling()
		send := func() {
			ok := d.send(ctx, via, ops)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				answered++
			}
		}
		if together {
			sending.Go(send)
		} else {
			send()
		}
	}
	sending.Wait()
	return answered
}

func (d *device) sibling() *device {
	family := slices.DeleteFunc(slices.Clone(d.s.devices), func(other *device) bool { return other.user != d.user })
	return family[d.rng.IntN(len(family))]
}

// send sends one batch through via's line and tells whether it was answered.
func (d *device) send(ctx context.Context, via *device, ops []*operation) bool {
	list := make([]map[string]any, len(ops))
	marks := make([]string, len(ops))
	for i, op := range ops {
		list[i], marks[i] = op.wire(), op.mark
		op.sending()
	}
	sent := time.Now()
	d.s.log(d.name, "sends a batch of %d via %s: %s", len(ops), via.name, strings.Join(marks, ", "))
	a, err := via.do(ctx, http.MethodPost, "/api/sync/batch", map[string]any{"operations": list})
	d.s.log(d.name, "batch of %s answered %s (%v)", marks[0], a, err)
	if err != nil {
		return false
	}
	if a.status != http.StatusOK {
		d.s.expect503(a, "a batch")
		return false
	}
	return d.recordBatchResults(ops, a.body, sent)
}

func (d *device) recordBatchResults(ops []*operation, body []byte, sent time.Time) bool {
	results, err := splitResults(body, len(ops))
	if err != nil {
		d.s.wrong("divergent: %s got for a batch: %v", d.name, err)
		return false
	}
	for i, op := range ops {
		r, err := batchReply(results[i], sent)
		if err != nil {
			d.s.wrong("divergent: %s got for %s: %v", d.name, op, err)
		}
		op.answered(r)
	}
	return true
}

// An answer is what came back for one request.
type answer struct {
	status int
	body   []byte
}

// String names the answer in a history.
func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// do sends one request of the device's and reads the whole answer.
func (d *device) do(ctx context.Context, method, path string, body any) (answer, error) {
	return request(ctx, d.http, method, d.link.api.URL()+path, d.user.token, body)
}

// get reads JSON and tells whether it got any.
func (d *device) get(ctx context.Context, path string, v any) bool {
	a, err := d.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		d.s.log(d.name, "GET %s: %v", path, err)
		return false
	}
	if a.status != http.StatusOK {
		d.s.expect503(a, "GET "+path)
		return false
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		d.s.wrong("divergent: GET %s answered what does not decode: %v", path, err)
		return false
	}
	return true
}

func request(ctx context.Context, client *http.Client, method, url, token string, body any) (answer, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	if body == nil {
		b = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(b))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err = io.ReadAll(res.Body)
	return answer{res.StatusCode, b}, err
}
