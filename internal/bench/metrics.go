package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Names of the peers that are the application with its metrics read every second, and
// without.
const (
	metricsOn  = "metrics-on"
	metricsOff = "metrics-off"
)

// metricsPeers are the application on SQLite, which differ in METRICS_ADDR only.
func (h *harness) metricsPeers() []peer {
	off := h.applications()[0]
	off.name, off.env = metricsOff, append(off.env, "SOCKET_RATE=0", "SYNC_RATE_LIMIT=0", "SQLITE_SYNC=normal")
	on := h.applications()[0]
	on.name, on.env, on.argv = metricsOn, append(on.env, off.env[len(off.env)-3:]...), h.withMetrics()
	return []peer{off, on}
}

// withMetrics starts the application with its metrics on the port above its own.
func (h *harness) withMetrics() []string {
	return []string{"sh", "-c", `HOST=${0%:*} PORT=${0##*:} METRICS_ADDR=${0%:*}:$((${0##*:} + 1)) exec "` + h.dir + `/app"`}
}

// metricDevices are as many as one user may have by default.
const metricDevices = 100

// measureMetrics measures the two processes in short turns, so that whatever else the machine
// does falls on both: the server's processor time for an event with its ack, and what one
// change costs for each device that hears of it.
func measureMetrics(ctx context.Context, processes []*process, scale float64) ([]result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all []*devices
	defer func() {
		for _, d := range all {
			closeAll(d.conns)
		}
	}()
	for _, p := range processes {
		d, err := connectDevices(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
		go scrape(ctx, p)
	}
	echo, err := inTurns(all, scaled(16, scale, 4), func(d *devices) (int, error) { return d.echo(ctx) })
	if err != nil {
		return nil, err
	}
	fanout, err := inTurns(all, scaled(50, scale, 8), func(d *devices) (int, error) { return d.change(ctx) })
	results := make([]result, len(processes))
	for i := range results {
		results[i] = result{"metrics-echo": echo[i], "metrics-fanout": fanout[i]}
	}
	return results, err
}

// inTurns has each do something that it counts, once to warm up and then so many times, every
// other time in the opposite order. It gives the processor time of each for one, in microseconds.
func inTurns(all []*devices, times int, do func(*devices) (int, error)) ([]float64, error) {
	used, done := make([]time.Duration, len(all)), make([]int, len(all))
	for turn := range times + 1 {
		for i := range all {
			if turn%2 == 1 {
				i = len(all) - 1 - i
			}
			before, err := all[i].process.cpu()
			n, doErr := do(all[i])
			after, cpuErr := all[i].process.cpu()
			if err := errors.Join(err, doErr, cpuErr); err != nil {
				return nil, err
			}
			if turn > 0 {
				used[i] += after - before
				done[i] += n
			}
		}
	}
	each := make([]float64, len(all))
	for i := range each {
		each[i] = float64(used[i].Microseconds()) / float64(done[i])
	}
	return each, nil
}

// devices are those of one user of a process.
type devices struct {
	*echoers
	batches batches
	process *process
	user    *user
	heard   atomic.Int64 // events of changes
}

func connectDevices(ctx context.Context, p *process) (*devices, error) {
	u, err := newUser(ctx, p.addr)
	if err != nil {
		return nil, err
	}
	d := &devices{process: p, user: u, batches: batches{size: 50}, echoers: &echoers{
		waiting: make([]atomic.Pointer[chan struct{}], metricDevices),
		packet:  `427["room:leave",{"room":"expense:64b0000000000000000000e1"}]`,
	}}
	d.conns, err = dialMany(p.addr, fmt.Sprintf(`{"token":%q}`, u.token), metricDevices, 16, func(i int) func([]byte) {
		acked := d.receiver(i)
		return func(packet []byte) {
			acked(packet)
			if bytes.HasPrefix(packet, []byte(`2["expense_created"`)) {
				d.heard.Add(1)
			}
		}
	})
	return d, err
}

// echo has all devices send events for half a second, and counts the acks.
func (d *devices) echo(ctx context.Context) (int, error) {
	const turn = 500 * time.Millisecond
	return int(d.peak(ctx, turn) * turn.Seconds()), nil
}

// change creates three batches of expenses, and counts the events until all devices have heard.
func (d *devices) change(ctx context.Context) (int, error) {
	const sent = 3
	events := sent * d.batches.size * metricDevices
	want := d.heard.Load() + int64(events)
	err := d.batches.run(ctx, []*user{d.user}, sent)
	for waited := time.Duration(0); err == nil && d.heard.Load() < want; waited += time.Millisecond {
		if waited > lossTimeout {
			return 0, fmt.Errorf("%d events are missing", want-d.heard.Load())
		}
		err = pause(ctx, time.Millisecond)
	}
	return events, err
}

// scrape reads the metrics every second, if the process has them.
func scrape(ctx context.Context, p *process) {
	for pause(ctx, time.Second) == nil {
		if _, err := p.metrics(); err != nil {
			return
		}
	}
}
