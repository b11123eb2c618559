package socketio

import (
	"runtime"
	"sync"
)

// workers is a pool of goroutines that run the inboxes of connections. A few idle ones
// are kept: their stacks have grown to what handlers need, and a new goroutine would have
// to grow its own with every event (a tenth of the time of an echo).
type workers struct {
	next    chan *client
	stop    chan struct{}
	once    sync.Once
	idle    chan struct{} // has a value for each idle worker
	running sync.WaitGroup
}

// idlePerCore is how many idle workers are kept for each core.
const idlePerCore = 4

func newWorkers() *workers {
	return &workers{
		next: make(chan *client),
		stop: make(chan struct{}),
		idle: make(chan struct{}, idlePerCore*runtime.GOMAXPROCS(0)),
	}
}

// run has the client's inbox run by an idle worker or a new one. It does not block.
func (w *workers) run(c *client) {
	select {
	case w.next <- c:
	default:
		w.running.Add(1)
		go w.work(c)
	}
}

func (w *workers) work(c *client) {
	defer w.running.Done()
	for {
		c.work()
		select {
		case w.idle <- struct{}{}:
		default:
			return
		}
		select {
		case c = <-w.next:
			<-w.idle
		case <-w.stop:
			return
		}
	}
}

// end stops the idle workers and waits until all have ended. run must not be called any
// more.
func (w *workers) end() {
	w.once.Do(func() { close(w.stop) })
	w.running.Wait()
}
