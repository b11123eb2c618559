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

// measureMetrics gives the server's processor time for an event with its ack, and for
// what one change costs for each device that hears of it.
func measureMetrics(ctx context.Context, p *process, scale float64) (result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go scrape(ctx, p)
	u, err := newUser(ctx, p.addr)
	if err != nil {
		return nil, err
	}
	var heard atomic.Int64
	e := &echoers{
		waiting: make([]atomic.Pointer[chan struct{}], metricDevices),
		packet:  `427["room:leave",{"room":"expense:64b0000000000000000000e1"}]`,
	}
	e.conns, err = dialMany(p.addr, fmt.Sprintf(`{"token":%q}`, u.token), metricDevices, 16, func(i int) func([]byte) {
		acked := e.receiver(i)
		return func(packet []byte) {
			acked(packet)
			if bytes.HasPrefix(packet, []byte(`2["expense_created"`)) {
				heard.Add(1)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	defer closeAll(e.conns)
	echo, err := e.cpuPerEcho(ctx, p, scaledTime(8*time.Second, scale))
	if err != nil {
		return nil, err
	}
	delivery, err := cpuPerDelivery(ctx, p, u, &heard, scaled(150, scale, 20))
	return result{"metrics-echo": echo, "metrics-fanout": delivery}, err
}

// scrape reads the metrics every second, if the process has them.
func scrape(ctx context.Context, p *process) {
	for pause(ctx, time.Second) == nil {
		if _, err := p.metrics(); err != nil {
			return
		}
	}
}

// cpuPerEcho is in microseconds.
func (e *echoers) cpuPerEcho(ctx context.Context, p *process, d time.Duration) (float64, error) {
	e.peak(ctx, time.Second) // warms up
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	n := e.peak(ctx, d) * d.Seconds()
	after, err := p.cpu()
	return float64((after - before).Microseconds()) / n, err
}

// cpuPerDelivery creates so many batches of 50 expenses and gives the processor time for
// each device that heard of each, in microseconds.
func cpuPerDelivery(ctx context.Context, p *process, u *user, heard *atomic.Int64, n int) (float64, error) {
	b := &batches{size: 50}
	send := func(n int) error {
		want := heard.Load() + int64(n*b.size*metricDevices)
		err := b.run(ctx, []*user{u}, n)
		for waited := time.Duration(0); err == nil && heard.Load() < want; waited += time.Millisecond {
			if waited > lossTimeout {
				return fmt.Errorf("%d events are missing", want-heard.Load())
			}
			err = pause(ctx, time.Millisecond)
		}
		return err
	}
	if err := send(max(1, n/10)); err != nil { // warms up
		return 0, err
	}
	before, err := p.cpu()
	err = errors.Join(err, send(n))
	after, cpuErr := p.cpu()
	return float64((after - before).Microseconds()) / float64(n*b.size*metricDevices), errors.Join(err, cpuErr)
}
