package socketio

import (
	"runtime"
	"sync"
)

// workers run the inboxes of connections. A few of those that have nothing to do
// wait for the next inbox: their stacks have grown to what listeners need, which
// a new goroutine would pay for again with every event (a tenth of an echo).
type workers struct {
	next chan *client
	stop chan struct{}
	once sync.Once
	idle chan struct{} // a place for each worker that may wait
	all  sync.WaitGroup
}

// idlePerCore is how many workers may wait for each core: more do not run at once.
const idlePerCore = 4

func newWorkers() *workers {
	return &workers{
		next: make(chan *client),
		stop: make(chan struct{}),
		idle: make(chan struct{}, idlePerCore*runtime.GOMAXPROCS(0)),
	}
}

// run has the client's inbox run, by a worker that waits or by a new one. It
// does not block.
func (w *workers) run(c *client) {
	select {
	case w.next <- c:
	default:
		w.all.Add(1)
		go w.work(c)
	}
}

func (w *workers) work(c *client) {
	defer w.all.Done()
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

// end lets the workers that wait go, and waits for all of them. Nothing may be
// run any more.
func (w *workers) end() {
	w.once.Do(func() { close(w.stop) })
	w.all.Wait()
}
