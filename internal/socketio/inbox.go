package socketio

import "sync"

// A taskKind says what a task does with its socket.
type taskKind uint8

const (
	taskOpen  taskKind = iota // run the OnConnect listeners
	taskEvent                 // handle an event
	taskClose                 // run the OnDisconnect listeners
)

// A task is one thing that happens to a socket, in the order of arrival.
type task struct {
	kind   taskKind
	socket *Socket
	event  *Event // of taskEvent
}

// An inbox is the FIFO queue of one connection's tasks, which are run one at a time. A
// goroutine runs it only while there are tasks. The zero inbox is ready. Its methods are
// safe for concurrent use, but next is for the goroutine that runs it.
type inbox struct {
	mu      sync.Mutex
	tasks   []task
	events  int           // waiting
	bytes   int           // of waiting events
	room    chan struct{} // closed when a task was taken; nil if nobody waits for that
	running bool
}

// push adds t and reports whether the caller must start a goroutine that runs
// the inbox.
func (b *inbox) push(t task) (start bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.add(t)
}

func (b *inbox) add(t task) (start bool) {
	b.tasks = append(b.tasks, t)
	start, b.running = !b.running, true
	return start
}

// pushEvent adds an event, but waits first while maxEvents events wait or they would have
// more than maxBytes together; one event is always accepted. When done is closed it stops
// waiting, drops the event, and ok is false.
func (b *inbox) pushEvent(t task, maxEvents, maxBytes int, done func() <-chan struct{}) (start, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.events > 0 && (b.events >= maxEvents || b.bytes+t.event.size > maxBytes) {
		if !b.wait(done()) {
			return false, false
		}
	}
	b.events++
	b.bytes += t.event.size
	return b.add(t), true
}

// awaitRoom waits until fewer than maxTasks are waiting. It reports false when done
// was closed first.
func (b *inbox) awaitRoom(maxTasks int, done func() <-chan struct{}) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.tasks) >= maxTasks {
		if !b.wait(done()) {
			return false
		}
	}
	return true
}

// wait releases the lock until a task was taken. It reports false when done
// was closed first.
func (b *inbox) wait(done <-chan struct{}) bool {
	if b.room == nil {
		b.room = make(chan struct{})
	}
	room := b.room
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case <-room:
		return true
	case <-done:
		return false
	}
}

// next takes the oldest task. When there is none, the running goroutine must end.
func (b *inbox) next() (task, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tasks) == 0 {
		b.running, b.tasks = false, nil
		return task{}, false
	}
	t := b.tasks[0]
	b.tasks[0] = task{}
	b.tasks = b.tasks[1:]
	if t.kind == taskEvent {
		b.events--
		b.bytes -= t.event.size
	}
	b.wake()
	return t, true
}

func (b *inbox) wake() {
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
}
