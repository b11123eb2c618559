package engineio

import (
	"runtime"
	"sync"
)

// writeBufferBytes is how much is copied and written for one connection before it is the
// next one's turn.
const writeBufferBytes = 64 << 10

type writeBuffer [writeBufferBytes]byte

var writeBuffers = sync.Pool{New: func() any { return new(writeBuffer) }}

// A writePool writes what waits for plain TCP connections. Connections with something to
// write are in its run list, each at most once; GOMAXPROCS workers take them in FIFO order
// and try one non-blocking write each. What a connection does not accept is finished by a
// temporary goroutine, so a stalled client occupies no worker.
type writePool struct {
	mu      sync.Mutex
	work    sync.Cond
	head    *wsConn // run list, linked by wsConn.next
	tail    *wsConn
	idle    int // workers that wait
	stopped bool

	once    sync.Once // starts the workers with the first connection
	workers sync.WaitGroup
}

func (p *writePool) init() { p.work.L = &p.mu }

// start starts the workers unless they run.
func (p *writePool) start() {
	p.once.Do(func() {
		for range runtime.GOMAXPROCS(0) {
			p.workers.Go(p.run)
		}
	})
}

// push appends c to the run list; it must not be in it.
func (p *writePool) push(c *wsConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tail == nil {
		p.head = c
	} else {
		p.tail.next = c
	}
	p.tail = c
	if p.idle > 0 {
		p.work.Signal()
	}
}

// pop waits for the next connection and removes it from the run list. It returns nil once
// the pool was stopped.
func (p *writePool) pop() *wsConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.head == nil && !p.stopped {
		p.idle++
		p.work.Wait()
		p.idle--
	}
	c := p.head
	if c == nil {
		return nil
	}
	if p.head = c.next; p.head == nil {
		p.tail = nil
	}
	c.next = nil
	return c
}

// run is one worker.
func (p *writePool) run() {
	w := newNonblockingWriter()
	for c := p.pop(); c != nil; c = p.pop() {
		c.flushOnce(w)
	}
}

// stop ends the workers. push must not be called afterwards.
func (p *writePool) stop() {
	p.mu.Lock()
	p.stopped = true
	p.work.Broadcast()
	p.mu.Unlock()
	p.workers.Wait()
}
