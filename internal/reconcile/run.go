package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/models"
)

// textFailed is what a user reads about an operation on which this program, not
// the operation, was at fault.
const textFailed = "This operation could not be applied"

// A job is one entry of a device's queue. A transaction may run again, so apply
// and refuse set the job's result anew each time.
type job interface {
	// preload adds to p what can be read for apply in advance. It is called
	// twice: resolved tells that the aliases of the first time are known.
	preload(p *store.Preload, s *session, resolved bool) error
	// apply does what the job asks and notes the result, a refusal by the rules
	// included. Its errors are trouble: of ours, or of the database with the data.
	apply(s *session) error
	// refuse notes that the job can never be applied. lean is for a job whose
	// very data cannot be stored: it is kept without it.
	refuse(s *session, why string, lean bool) error
}

// A session is what the jobs of one transaction share.
type session struct {
	*ledger.Work
	*call
	parked []models.QueuedOperation // in this transaction
	before *parkedUse               // of what the transaction found parked; nil until it is needed
	full   bool                     // something was rejected because too much is parked
}

// A call is what the transactions of one call share.
type call struct {
	by       models.Author
	devices  devices
	toldFull bool // the user's devices heard that too much is parked
}

// redact takes out of a stored result what its user has no right to any more.
func (s *session) redact(r *models.Result) error {
	for _, e := range r.Foreign() {
		_, err := s.Tx.RoleOf((*e).ID)
		switch {
		case models.KindOf(err) == models.NotFound:
			*e = nil
		case err != nil:
			return err
		}
	}
	return nil
}

// run applies jobs in chunks of one transaction each, in order.
func (r *Reconciler) run(ctx context.Context, userID string, by models.Author, jobs []job) error {
	c := &call{by: by, devices: devices{}}
	for chunk := range slices.Chunk(jobs, r.opts.ChunkSize) {
		err := r.transact(ctx, userID, c, func(s *session) error { return together(s, chunk) })
		if forGood(err) {
			r.complain(ctx, userID, "a chunk of operations failed; applying them one by one", err)
			err = r.transact(ctx, userID, c, func(s *session) error { return r.oneByOne(ctx, s, chunk) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// transact is one transaction, after whose commit whoever listens hears of the
// operations that were parked in it, and once in a call that no more can be.
func (r *Reconciler) transact(ctx context.Context, userID string, c *call, fn func(*session) error) error {
	var parked []models.QueuedOperation
	var full bool
	err := r.ledger.Write(ctx, userID, func(w *ledger.Work) error {
		s := &session{Work: w, call: c}
		err := guard(func() error { return fn(s) })
		parked, full = s.parked, s.full
		return err
	})
	if err == nil && full && !c.toldFull {
		c.toldFull = true
		parked = append(parked, parkedFull(userID))
	}
	if err == nil && len(parked) > 0 {
		r.opts.Parked(userID, parked)
	}
	return err
}

// together applies jobs so that few statements read and write for all of them.
func together(s *session, jobs []job) error {
	for _, resolved := range []bool{false, true} {
		var p store.Preload
		for _, j := range jobs {
			if err := j.preload(&p, s, resolved); err != nil {
				return err
			}
		}
		if err := s.Tx.Preload(p); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if err := j.apply(s); err != nil {
			return err
		}
	}
	return nil
}

// oneByOne applies jobs so that the failure of one leaves the others alone.
func (r *Reconciler) oneByOne(ctx context.Context, s *session, jobs []job) error {
	for _, j := range jobs {
		if err := r.attempt(ctx, s, j); err != nil {
			return err
		}
	}
	return nil
}

// attempt applies a job, or refuses it if it can never be applied. Its error is
// trouble that will pass.
func (r *Reconciler) attempt(ctx context.Context, s *session, j job) error {
	err := survivably(s, func() error { return j.apply(s) })
	if !forGood(err) {
		return err
	}
	r.complain(ctx, s.Tx.User().ID, "an operation can never be applied", err)
	why := reason(err)
	err = survivably(s, func() error { return j.refuse(s, why, false) })
	if forGood(err) {
		err = survivably(s, func() error { return j.refuse(s, why, true) })
	}
	return err
}

// survivably runs fn so that its failure, a panic included, undoes fn alone.
func survivably(s *session, fn func() error) error {
	parked := len(s.parked)
	err := s.Tx.Attempt(func() error { return guard(fn) })
	if err != nil {
		s.parked = s.parked[:parked]
	}
	return err
}

// A panicError is a panic as an error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// guard turns a panic of fn into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return fn()
}

// forGood tells whether doing the same again would fail again
// (docs/contract.md#permanent-or-retryable): unless it is known to pass, trouble is taken to stay, or a browser would
// send its queue for ever. That the token has ended says nothing of the operation.
func forGood(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return models.KindOf(err) != models.Unavailable && models.KindOf(err) != models.Unauthorized
}

// reason is what a user reads about an error that is for good.
func reason(err error) string {
	if models.KindOf(err) == models.Internal {
		return textFailed
	}
	return models.Message(err)
}

// complain logs trouble; a panic is our fault and comes with its stack.
func (r *Reconciler) complain(ctx context.Context, userID, what string, err error) {
	level, attrs := slog.LevelWarn, []slog.Attr{slog.String("user_id", userID), slog.Any("error", err)}
	var p *panicError
	if errors.As(err, &p) {
		level, attrs = slog.LevelError, append(attrs, slog.String("stack", string(p.stack)))
	}
	r.opts.Logger.LogAttrs(ctx, level, what, attrs...)
}
