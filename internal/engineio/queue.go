package engineio

// keepQueue is the capacity that an empty queue keeps for the next burst.
const keepQueue = 32

// A queue is the FIFO queue of the groups that wait for one session. It is guarded by the
// session's lock.
type queue struct {
	items []*Group
	head  int // index of the oldest item
}

func (q *queue) empty() bool { return q.head == len(q.items) }

func (q *queue) push(g *Group) { q.items = append(q.items, g) }

// peek returns the oldest group of a queue that is not empty.
func (q *queue) peek() *Group { return q.items[q.head] }

// pop removes and returns the oldest group; nil if there is none.
func (q *queue) pop() *Group {
	if q.empty() {
		return nil
	}
	g := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	q.shrink()
	return g
}

// shrink frees the memory of removed items, so that the slice is at most twice as long as
// its content.
func (q *queue) shrink() {
	switch {
	case q.empty() && cap(q.items) > keepQueue:
		*q = queue{}
	case q.empty():
		q.items, q.head = q.items[:0], 0
	case q.head > keepQueue && q.head > len(q.items)/2:
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
}

func (q *queue) clear() { *q = queue{} }
