package middleware

import (
	"context"
	"io"
	"math"
	"sync"
	"time"

	"expenseflow/internal/fair"
)

// While other bodies wait for memory, a body must arrive at paceRate after paceGrace. A
// slower one keeps only the memory of the bytes that have arrived, plus paceStep.
const (
	paceGrace = 5 * time.Second
	paceRate  = 256 << 10 // bytes per second
	paceCheck = time.Second
	paceStep  = 64 << 10 // bytes
)

// A reservation is a body with the memory that it occupies in a pool. At first that is the
// announced size. If the body arrives slowly while others wait for memory, it is reduced
// and then grows with the body, so that clients that announce much and send little do not
// block others.
type reservation struct {
	io.ReadCloser
	ctx   context.Context
	pool  *fair.Pool
	key   string
	began time.Time
	check *time.Timer

	mu            sync.Mutex
	held, arrived int64 // bytes
	slow          bool  // whether the memory grows with the body
	ended         bool  // whether the body has arrived or its request has ended
}

// reserve waits for size bytes of a pool. The caller sets the ReadCloser, and calls leave
// when the request has ended. The error is errNoMemory.
func reserve(ctx context.Context, pool *fair.Pool, key string, size int64) (*reservation, error) {
	r := &reservation{ctx: ctx, pool: pool, key: key}
	if err := r.grow(size); err != nil {
		return nil, err
	}
	r.mu.Lock() // checkPace reads what is set here
	defer r.mu.Unlock()
	r.began = time.Now()
	r.check = time.AfterFunc(paceGrace, r.checkPace)
	return r, nil
}

// grow waits for size more bytes.
func (r *reservation) grow(size int64) error {
	ctx, cancel := context.WithTimeout(r.ctx, maxBodyWait)
	defer cancel()
	if err := r.pool.Acquire(ctx, r.key, size); err != nil {
		return errNoMemory
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held += size
	return nil
}

// leave releases all memory.
func (r *reservation) leave() {
	r.check.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.shrink(0)
}

// shrink releases all but keep bytes. The caller must hold mu.
func (r *reservation) shrink(keep int64) {
	if r.held > keep {
		r.pool.Release(r.key, r.held-keep)
		r.held = keep
	}
}

// checkPace reduces the memory of a slow body if others wait, else schedules the next
// check.
func (r *reservation) checkPace() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	expected := int64((time.Since(r.began) - paceGrace).Seconds() * paceRate)
	if r.arrived < expected && r.pool.Awaited() {
		r.slow = true
		r.shrink(r.arrived + paceStep)
		return
	}
	r.check.Reset(paceCheck)
}

// Read returns the next bytes. A slow body waits for memory first.
func (r *reservation) Read(p []byte) (int, error) {
	free := r.free()
	for ; free <= 0; free = r.free() {
		if err := r.grow(paceStep); err != nil {
			return 0, err
		}
	}
	n, err := r.ReadCloser.Read(p[:min(int64(len(p)), free)])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived += int64(n)
	r.ended = r.ended || err != nil
	return n, err
}

// free returns the number of bytes that may arrive before more memory is needed.
func (r *reservation) free() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.slow {
		return math.MaxInt64 // the body has its own limit
	}
	return r.held - r.arrived
}
