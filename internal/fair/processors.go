package fair

import "context"

// Processors lets work that computes for many milliseconds use at most half of the
// processors, one by one and fair by key, so that short work finds the others free.
// Its methods may be called concurrently.
type Processors struct{ slots *Pool }

// waitingForProcessors is how many callers may wait.
const waitingForProcessors = 4096

// NewProcessors makes one for a process that has n processors, in which nothing runs.
func NewProcessors(n int) *Processors {
	slots := max(1, n/2)
	return &Processors{New(Options{Capacity: int64(slots), Waiting: waitingForProcessors})}
}

// Do runs work for key when it is its turn. Errors: ErrFull, and ctx's error if it ends
// first; work was not run then.
func (p *Processors) Do(ctx context.Context, key string, work func()) error {
	if err := p.slots.Acquire(ctx, key, 1); err != nil {
		return err
	}
	defer p.slots.Release(key, 1)
	work()
	return nil
}
