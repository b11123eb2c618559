package engineio

// keepQueue is how many places an empty queue keeps for the next burst.
const keepQueue = 32

// A queue holds the groups that wait for one session, first in first out. The
// session's lock guards it.
type queue struct {
	items []*Group
	head  int // items before it were taken
}

func (q *queue) empty() bool { return q.head == len(q.items) }

func (q *queue) push(g *Group) { q.items = append(q.items, g) }

// peek is the oldest group of a queue that is not empty.
func (q *queue) peek() *Group { return q.items[q.head] }

// pop takes the oldest group; nil if there is none.
func (q *queue) pop() *Group {
	if q.empty() {
		return nil
	}
	g := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	q.tidy()
	return g
}

// tidy gives taken places back, so that the slice stays within twice its content.
func (q *queue) tidy() {
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
