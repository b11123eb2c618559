package engineio

import (
	"runtime"
	"sync"
)

// bufferBytes is how much one turn of a connection copies and writes.
const bufferBytes = 64 << 10

type buffer [bufferBytes]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// A pump writes what waits for plain TCP connections. Those with something to
// write stand in its run list, each once; GOMAXPROCS workers take them in turn
// and try one non-blocking write. What a connection does not take is finished by
// a temporary goroutine, so a stalled client occupies no worker.
type pump struct {
	mu      sync.Mutex
	work    sync.Cond
	head    *wire // linked by wire.next
	tail    *wire
	resting int // workers that wait
	stopped bool

	once    sync.Once // starts the workers with the first connection
	workers sync.WaitGroup
}

func (p *pump) init() { p.work.L = &p.mu }

func (p *pump) start() {
	p.once.Do(func() {
		for range runtime.GOMAXPROCS(0) {
			p.workers.Go(p.run)
		}
	})
}

// push puts w at the end of the run list; it must not stand there already.
func (p *pump) push(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tail == nil {
		p.head = w
	} else {
		p.tail.next = w
	}
	p.tail = w
	if p.resting > 0 {
		p.work.Signal()
	}
}

// pop waits for the next connection; nil once the pump stopped.
func (p *pump) pop() *wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.head == nil && !p.stopped {
		p.resting++
		p.work.Wait()
		p.resting--
	}
	w := p.head
	if w == nil {
		return nil
	}
	if p.head = w.next; p.head == nil {
		p.tail = nil
	}
	w.next = nil
	return w
}

// run is one worker.
func (p *pump) run() {
	t := newTrial()
	for w := p.pop(); w != nil; w = p.pop() {
		w.turn(t)
	}
}

// stop ends the workers. Nothing may be pushed afterwards.
func (p *pump) stop() {
	p.mu.Lock()
	p.stopped = true
	p.work.Broadcast()
	p.mu.Unlock()
	p.workers.Wait()
}
