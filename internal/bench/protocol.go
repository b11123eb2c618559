package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// The protocol peers all speak the same three events: "echo" acknowledges its
// arguments, "join" joins a room and acknowledges, and "fire" (room, id, size)
// broadcasts "tick" (id, a filler of size bytes) to the room, which GET
// /fire?room=&id=&size= does too.

const fillerSize = 270 // makes frames of about 300 bytes

// measureConnect gives connections per second: handshake, upgrade and CONNECT.
func measureConnect(_ context.Context, p *process, scale float64) (result, error) {
	n := scaled(4000, scale, 500)
	began := time.Now()
	conns, err := dialMany(p.addr, "", n, 64, ignore)
	took := time.Since(began)
	closeAll(conns)
	return result{"connect": float64(n) / took.Seconds()}, err
}

// measureIdle gives the resident bytes per idle connection once things are quiet.
func measureIdle(ctx context.Context, p *process, scale float64) (result, error) {
	n := scaled(5000, scale, 1000)
	before, err := p.rss()
	if err != nil {
		return nil, err
	}
	conns, err := dialMany(p.addr, "", n, 16, ignore)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	if err := pause(ctx, scaledTime(8*time.Second, scale)); err != nil {
		return nil, err
	}
	after, err := p.rss()
	return result{"idle": float64(after-before) / float64(n) / 1024}, err
}

// measureFanoutOne gives server CPU per delivery in one room of 1,000, with one
// broadcast at a time and with 64 in flight.
func measureFanoutOne(ctx context.Context, p *process, scale float64) (result, error) {
	out := result{}
	for _, flight := range []int{1, 64} {
		f := fanout{rooms: 1, members: 1000, flight: flight, broadcasts: scaled(800, scale, 300), size: fillerSize}
		if err := f.run(ctx, p, fmt.Sprintf("fanout-%d", flight), out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// measureFanoutRooms gives server CPU per delivery in 2,000 rooms of 3, each
// broadcast caused by an HTTP call as an application's changes are.
func measureFanoutRooms(ctx context.Context, p *process, scale float64) (result, error) {
	out := result{}
	f := fanout{rooms: 2000, members: 3, flight: 64, broadcasts: scaled(20_000, scale, 8_000), size: fillerSize, byHTTP: true}
	return out, f.run(ctx, p, "rooms", out)
}

// A fanout is one measurement of broadcasts to rooms.
type fanout struct {
	rooms, members     int
	flight, broadcasts int
	size               int  // of the filler, in bytes
	byHTTP             bool // broadcasts are caused by HTTP calls, not by an event

	missing []atomic.Int32 // per broadcast: deliveries still to come
	left    atomic.Int64   // deliveries still to come in all
	slots   chan struct{}  // one per broadcast in flight
	done    chan struct{}
}

func (f *fanout) run(ctx context.Context, p *process, name string, out result) error {
	conns, err := f.join(p)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	control, err := dial(p.addr, "")
	if err != nil {
		return err
	}
	defer control.Close()
	control.listen(func([]byte) {})

	if err := f.fire(ctx, control, f.broadcasts/10); err != nil { // warms up
		return err
	}
	cpu, err := p.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	err = f.fire(ctx, control, f.broadcasts)
	lost := f.left.Load()
	took := time.Since(began)
	after, cpuErr := p.cpu()
	deliveries := float64(f.broadcasts * f.members)
	out[name+"-cpu"] = float64((after - cpu).Nanoseconds()) / 1000 / deliveries
	out[name+"-rate"] = deliveries / took.Seconds()
	out[name+"-lost"] = float64(lost)
	return errors.Join(err, cpuErr)
}

// join fills the rooms.
func (f *fanout) join(p *process) ([]*conn, error) {
	n := f.rooms * f.members
	joined := make(chan struct{}, n)
	conns, err := dialMany(p.addr, "", n, 32, func(int) func([]byte) {
		return func(packet []byte) {
			if packet[0] == '3' {
				joined <- struct{}{}
				return
			}
			f.tick(packet)
		}
	})
	if err != nil {
		return nil, err
	}
	for i, c := range conns {
		if err := c.writeText(fmt.Sprintf(`421["join","room%d"]`, i%f.rooms)); err != nil {
			return conns, err
		}
	}
	for i := range n {
		select {
		case <-joined:
		case <-time.After(connectTimeout):
			return conns, fmt.Errorf("%d of %d joins were never acknowledged", n-i, n)
		}
	}
	return conns, nil
}

// lossTimeout is how long a delivery may be overdue before it counts as lost.
const lossTimeout = 5 * time.Second

// fire sends n broadcasts, keeping f.flight in the air, and waits for all
// deliveries or until none has come for lossTimeout; f.left says what is missing.
func (f *fanout) fire(ctx context.Context, control *conn, n int) error {
	f.missing = make([]atomic.Int32, n)
	for i := range f.missing {
		f.missing[i].Store(int32(f.members))
	}
	f.left.Store(int64(n * f.members))
	f.slots = make(chan struct{}, f.flight)
	f.done = make(chan struct{})
	var callers errgroup.Group // each broadcast by HTTP is its own user's call
	for id := range n {
		if ok, err := f.waitWhileDelivering(ctx, f.slots, nil); err != nil || !ok {
			return errors.Join(err, callers.Wait())
		}
		if room := rand.IntN(f.rooms); f.byHTTP {
			callers.Go(func() error { return f.call(ctx, control.RemoteAddr(), room, id) })
		} else if err := f.say(control, room, id); err != nil {
			return err
		}
	}
	_, err := f.waitWhileDelivering(ctx, nil, f.done)
	return errors.Join(err, callers.Wait())
}

// say asks for one broadcast by an event.
func (f *fanout) say(control *conn, room, id int) error {
	return control.writeText(fmt.Sprintf(`42["fire","room%d",%d,%d]`, room, id, f.size))
}

// call asks for one broadcast by HTTP.
func (f *fanout) call(ctx context.Context, server net.Addr, room, id int) error {
	u := &user{base: "http://" + server.String()}
	return u.call(ctx, http.MethodGet, fmt.Sprintf("/fire?room=room%d&id=%d&size=%d", room, id, f.size), "", http.StatusOK, nil)
}

// waitWhileDelivering waits until it can send on slot or receive from ready (the other is
// nil), as long as deliveries keep coming; false means that they stopped.
func (f *fanout) waitWhileDelivering(ctx context.Context, slot chan<- struct{}, ready <-chan struct{}) (bool, error) {
	for left := f.left.Load(); ; {
		select {
		case slot <- struct{}{}:
			return true, nil
		case <-ready:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(lossTimeout):
			now := f.left.Load()
			if now == left {
				return false, nil
			}
			left = now
		}
	}
}

// tick counts one delivery of `2["tick",<id>,...]`.
func (f *fanout) tick(packet []byte) {
	rest, ok := bytes.CutPrefix(packet, []byte(`2["tick",`))
	if !ok {
		return
	}
	digits, _, _ := bytes.Cut(rest, []byte(","))
	id, err := strconv.Atoi(string(digits))
	if err != nil || id >= len(f.missing) {
		return
	}
	if f.missing[id].Add(-1) == 0 {
		<-f.slots
	}
	if f.left.Add(-1) == 0 {
		close(f.done)
	}
}

const echoClients = 100

// measureEcho gives the peak rate of round trips with 100 clients, each with one
// echo in the air, and the latency at an equal offered rate.
func measureEcho(ctx context.Context, p *process, scale float64) (result, error) {
	e := &echoers{waiting: make([]atomic.Pointer[chan struct{}], echoClients), packet: `427["echo","hello",{"n":1}]`}
	conns, err := dialMany(p.addr, "", echoClients, 16, e.receiver)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	e.conns = conns
	e.peak(ctx, time.Second) // warms up
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	d := scaledTime(6*time.Second, scale)
	rate := e.peak(ctx, d)
	after, err := p.cpu()
	if err != nil {
		return nil, err
	}
	lat, err := e.offered(ctx, offeredEchoes, scaledTime(6*time.Second, scale))
	if err != nil {
		return nil, err
	}
	perEcho := float64((after - before).Microseconds()) / (rate * d.Seconds())
	return result{"echo-rate": rate, "echo-cpu": perEcho, "echo-p50": lat.at(0.50), "echo-p99": lat.at(0.99)}, ctx.Err()
}

// offeredEchoes is the rate at which latencies are compared, per second: about
// two thirds of what the slowest peer manages.
const offeredEchoes = 8000

type echoers struct {
	conns   []*conn
	packet  string // the event of which the ack is awaited
	waiting []atomic.Pointer[chan struct{}]
}

func (e *echoers) receiver(i int) func([]byte) {
	return func(packet []byte) {
		if packet[0] != '3' {
			return
		}
		if ch := e.waiting[i].Load(); ch != nil {
			select {
			case *ch <- struct{}{}:
			default:
			}
		}
	}
}

// call sends one echo on client i and waits for its ack.
func (e *echoers) call(ctx context.Context, i int, ch chan struct{}) bool {
	if e.conns[i].writeText(e.packet) != nil {
		return false
	}
	select {
	case <-ch:
		return true
	case <-ctx.Done():
		return false
	}
}

// peak runs all clients for d and gives round trips per second.
func (e *echoers) peak(ctx context.Context, d time.Duration) float64 {
	end := time.Now().Add(d)
	var total atomic.Int64
	e.each(ctx, d, func(ctx context.Context, i int, ch chan struct{}) {
		for time.Now().Before(end) && e.call(ctx, i, ch) {
			total.Add(1)
		}
	})
	return float64(total.Load()) / d.Seconds()
}

// offered gives the latencies, from the moment each echo was due, when all
// clients together offer rate per second.
func (e *echoers) offered(ctx context.Context, rate int, d time.Duration) (*latencies, error) {
	stop, err := metronome(50 * time.Microsecond)
	if err != nil {
		return nil, err
	}
	defer stop()
	lat := &latencies{}
	gap := time.Duration(echoClients) * time.Second / time.Duration(rate)
	began := time.Now().Add(10 * time.Millisecond)
	e.each(ctx, d, func(ctx context.Context, i int, ch chan struct{}) {
		due := began.Add(gap * time.Duration(i) / echoClients)
		for ; due.Sub(began) < d; due = due.Add(gap) {
			time.Sleep(time.Until(due))
			if !e.call(ctx, i, ch) {
				return
			}
			lat.add(time.Since(due))
		}
	})
	return lat, nil
}

// each runs f for each client, which is to end after d. An echo that is in the air
// then is still waited for: an ack that came later would be taken for that of
// another echo, and its client have two in the air from then on.
func (e *echoers) each(ctx context.Context, d time.Duration, f func(ctx context.Context, i int, ch chan struct{})) {
	ctx, cancel := context.WithTimeout(ctx, d+lossTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for i := range e.conns {
		ch := make(chan struct{}, 1)
		e.waiting[i].Store(&ch)
		wg.Go(func() { f(ctx, i, ch) })
	}
	wg.Wait()
}
