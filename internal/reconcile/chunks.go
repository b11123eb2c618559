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

// textFailed is the error of an operation that failed because of a defect of the server.
const textFailed = "This operation could not be applied"

// A job is an entry of a device's queue. A transaction may run more than once, so apply
// and refuse must set the job's result anew each time.
type job interface {
	// preload adds the rows that apply reads to p. It is called twice: with resolved,
	// the aliases that it added the first time have been read.
	preload(p *store.Preload, s *txScope, resolved bool) error
	// apply performs the job and sets its result, which may be that it was refused. An
	// error means that the job failed: by a server error, or because the database did
	// not accept the data.
	apply(s *txScope) error
	// refuse sets the result of a job that can never be applied. withoutData is for a
	// job whose data cannot be stored.
	refuse(s *txScope, why string, withoutData bool) error
}

// A txScope is the state that the jobs of one transaction share.
type txScope struct {
	*ledger.Work
	*callState
}

// A callState is the state that the transactions of one call of Reconciler share.
type callState struct {
	by           models.Author
	devices      devices
	reportedFull bool // whether OnParked was called with the limit of parked operations
}

// redact removes expenses from a stored result to which the user has lost access.
func (s *txScope) redact(r *models.Result) error {
	for _, e := range r.SharedExpenses() {
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
	c := &callState{by: by, devices: devices{}}
	for chunk := range slices.Chunk(jobs, r.opts.ChunkSize) {
		err := r.transact(ctx, userID, c, func(s *txScope) error { return applyChunk(s, chunk) })
		if isPermanent(err) {
			r.logFailure(ctx, userID, "a chunk of operations failed; applying them one by one", err)
			err = r.transact(ctx, userID, c, func(s *txScope) error { return r.applyEach(ctx, s, chunk) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// transact runs fn in a transaction, and calls OnParked after its commit.
func (r *Reconciler) transact(ctx context.Context, userID string, c *callState, fn func(*txScope) error) error {
	var parked []models.QueuedOperation
	var full bool
	err := r.ledger.Write(ctx, userID, func(w *ledger.Work) error {
		s := &txScope{Work: w, callState: c}
		err := recoverPanic(func() error { return fn(s) })
		parked, full = s.Parked()
		return err
	})
	if err == nil && full && !c.reportedFull {
		c.reportedFull = true
		parked = append(parked, ledger.ParkedFullNotice(userID))
	}
	if err == nil && len(parked) > 0 {
		r.opts.OnParked(userID, parked)
	}
	return err
}

// applyChunk applies jobs with few statements for all of them.
func applyChunk(s *txScope, jobs []job) error {
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

// applyEach applies jobs in a savepoint each, so that a failure does not affect the others.
func (r *Reconciler) applyEach(ctx context.Context, s *txScope, jobs []job) error {
	for _, j := range jobs {
		if err := r.attempt(ctx, s, j); err != nil {
			return err
		}
	}
	return nil
}

// attempt applies a job, and refuses it after a permanent error. It returns temporary
// errors.
func (r *Reconciler) attempt(ctx context.Context, s *txScope, j job) error {
	err := inSavepoint(s, func() error { return j.apply(s) })
	if !isPermanent(err) {
		return err
	}
	r.logFailure(ctx, s.Tx.User().ID, "an operation can never be applied", err)
	why := userMessage(err)
	err = inSavepoint(s, func() error { return j.refuse(s, why, false) })
	if isPermanent(err) {
		err = inSavepoint(s, func() error { return j.refuse(s, why, true) })
	}
	return err
}

// inSavepoint runs fn in a savepoint. An error or panic of fn undoes only what fn did.
func inSavepoint(s *txScope, fn func() error) error {
	return s.Attempt(func() error { return recoverPanic(fn) })
}

// A panicError is a panic as an error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// recoverPanic calls fn and converts a panic to a *panicError.
func recoverPanic(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return fn()
}

// isPermanent reports whether a repetition would fail again
// (docs/contract.md#permanent-or-retryable). Unknown errors count as permanent, otherwise
// a browser would send its queue for ever. An expired token says nothing about the
// operation, so it does not count.
func isPermanent(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return models.KindOf(err) != models.Unavailable && models.KindOf(err) != models.Unauthorized
}

// userMessage returns the message of a permanent error to the user.
func userMessage(err error) string {
	if models.KindOf(err) == models.Internal {
		return textFailed
	}
	return models.Message(err)
}

// logFailure logs an error; a panic as an error with its stack.
func (r *Reconciler) logFailure(ctx context.Context, userID, what string, err error) {
	level, attrs := slog.LevelWarn, []slog.Attr{slog.String("user_id", userID), slog.Any("error", err)}
	var p *panicError
	if errors.As(err, &p) {
		level, attrs = slog.LevelError, append(attrs, slog.String("stack", string(p.stack)))
	}
	r.opts.Logger.LogAttrs(ctx, level, what, attrs...)
}
