package timers

import (
	"container/heap"
	"time"
)

// A dueHeap has the timers that are set, the next one first.
type dueHeap[T any] []entry[T]

// An entry is a timer that is set. The moment is compared here, without a look at the timer.
type entry[T any] struct {
	due   time.Duration // since Queue.began
	timer *Timer[T]
}

// set adds a timer, or moves it to another moment.
func (h *dueHeap[T]) set(t *Timer[T], due time.Duration) {
	if t.place == 0 {
		*h = append(*h, entry[T]{timer: t})
		t.place = len(*h)
	}
	(*h)[t.place-1].due = due
	heap.Fix(h, t.place-1)
}

func (h *dueHeap[T]) remove(t *Timer[T]) { heap.Remove(h, t.place-1) }

// Len and the next three methods are those of heap.Interface.
func (h dueHeap[T]) Len() int           { return len(h) }
func (h dueHeap[T]) Less(i, j int) bool { return h[i].due < h[j].due }

func (h dueHeap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer.place, h[j].timer.place = i+1, j+1
}

// Push is not used: set appends without an allocation.
func (h *dueHeap[T]) Push(any) {}

// Pop removes the last entry.
func (h *dueHeap[T]) Pop() any {
	last := len(*h) - 1
	(*h)[last].timer.place = 0
	(*h)[last] = entry[T]{}
	*h = (*h)[:last]
	return nil
}
