package entries

import (
	"context"
	"time"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A listing is a list of a user's expenses that is streamed to a caller who may be slow.
//
// Invariants: a result of at most StreamChunk expenses is read before the caller gets
// any of it, and takes no place for long reads. A longer one is read by one statement, at
// most readAhead chunks ahead of the caller; a caller who holds that up for LongHold
// while others wait for a place, or for LongKeep at all, loses connection and place. The
// rest is then read in parts, each by a statement of its own, and a part is in memory
// before the caller gets any of it. So nobody keeps others waiting, or SQLite's WAL and
// PostgreSQL's old rows from being cleaned up, by reading slowly.
type listing struct {
	userID string
	// query selects the list in its order; more is a further condition on expenses, "e".
	query func(more string, args ...any) (string, []any)
	// saw, if not nil, is called with the sequence of the user's log as each row was read.
	saw func(seq int64)
	// after is the condition on what follows an expense.
	after func(*models.Expense) (more string, args []any)

	// exact says that all of the list has to be of one moment: that of seq, the sequence
	// of the user's log. A part that is read later has to be of the same sequence.
	exact bool
	seq   int64
}

// A listedExpense is a row of a listing; Head is 0 if its query does not select it.
type listedExpense struct {
	models.Expense
	Head int64
}

// expense returns the row's expense in its user's view.
func (l *listing) expense(row listedExpense) models.Expense {
	if l.saw != nil {
		l.saw(row.Head)
	}
	return access.InView(row.Expense)
}

const (
	// StreamChunk is how many rows are read before they are handed out.
	StreamChunk = 256
	// readAhead is how many chunks are read before the caller is ready for them.
	readAhead = 1
	// LongHold is how long a statement may run for a slow caller while others wait.
	LongHold = time.Second
	// LongKeep is how long it may run in any case.
	LongKeep = time.Minute
	// LongLook is how often that is checked.
	LongLook = 100 * time.Millisecond
)

// stream calls fn with each expense of a listing. An error of fn ends it and is
// returned as it is.
func (s Entries) stream(ctx context.Context, l *listing, short bool, fn func(models.Expense) error) error {
	if short {
		first, err := s.part(ctx, s.db.Reader, l, nil, StreamChunk+1)
		if err != nil {
			return err
		}
		if len(first) <= StreamChunk { // else it has grown meanwhile
			return handOut(first, fn)
		}
	}
	free, err := s.db.ListingPlace(ctx, l.userID)
	if err != nil {
		return err
	}
	defer free()
	last, more, err := s.streamAtOnce(ctx, l, fn)
	for err == nil && more {
		last, more, err = s.streamPart(ctx, l, last, fn)
	}
	return err
}

func handOut(list []models.Expense, fn func(models.Expense) error) error {
	for i := range list {
		if err := fn(list[i]); err != nil {
			return err
		}
	}
	return nil
}

// part reads at most limit expenses of a listing, those after one of them or from the
// beginning.
func (s Entries) part(
	ctx context.Context, from *gorm.DB, l *listing, after *models.Expense, limit int,
) ([]models.Expense, error) {
	var more string
	var args []any
	if after != nil {
		more, args = l.after(after)
	}
	query, args := l.query(more, args...)
	found, err := find.All[listedExpense](from.WithContext(ctx).Raw(query+" LIMIT ?", append(args, limit)...))
	return find.Mapped(found, l.expense), err
}

// streamAtOnce calls fn with the listing while one statement reads it. more says that the
// caller was too slow: the statement ended early, after last.
func (s Entries) streamAtOnce(
	ctx context.Context, l *listing, fn func(models.Expense) error,
) (last *models.Expense, more bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &reading{s: s, listing: l, chunks: make(chan []models.Expense, readAhead), ended: make(chan struct{})}
	defer func() { // also if fn panics
		cancel()
		<-r.ended
	}()
	go r.run(ctx)
	for chunk := range r.chunks {
		if err := handOut(chunk, fn); err != nil {
			return nil, false, err
		}
		last = &chunk[len(chunk)-1]
	}
	return last, r.gaveUp, r.err
}

// streamPart calls fn with the next expenses after last. A list that has to be exact and
// has changed meanwhile is models.Unavailable.
func (s Entries) streamPart(
	ctx context.Context, l *listing, last *models.Expense, fn func(models.Expense) error,
) (_ *models.Expense, more bool, err error) {
	list, err := s.longPart(ctx, l, last)
	if err == nil && l.exact {
		err = s.unchanged(ctx, l)
	}
	if err != nil || len(list) == 0 {
		return nil, false, err
	}
	return &list[len(list)-1], len(list) == StreamChunk, handOut(list, fn)
}

func (s Entries) longPart(ctx context.Context, l *listing, last *models.Expense) (list []models.Expense, err error) {
	done, err := s.db.LongRead(ctx, l.userID)
	if err != nil {
		return nil, err
	}
	defer func() { done(int64(len(list))) }()
	return s.part(ctx, s.db.Long, l, last, StreamChunk)
}

// unchanged is models.Unavailable if the user's log has grown since the listing began:
// what was read before that is of its sequence.
func (s Entries) unchanged(ctx context.Context, l *listing) error {
	head, err := s.head(ctx, l.userID)
	if err == nil && head != l.seq {
		err = ErrListChanged()
	}
	return err
}

// ErrListChanged is the error for a list that has changed while it was read.
func ErrListChanged() error {
	return &models.Error{
		Kind: models.Unavailable, Code: "LIST_CHANGED", Msg: "The list has changed while it was read, please try again",
	}
}

// A reading is the statement that reads a listing, in a goroutine of its own.
type reading struct {
	s Entries
	*listing
	chunks chan []models.Expense // none is empty; closed at the end

	// read when ended is closed, which is after chunks
	ended  chan struct{}
	gaveUp bool
	err    error

	began time.Time
	rows  int64
	chunk []models.Expense
}

// run reads until the end of the listing, of ctx, or of the patience with its caller.
func (r *reading) run(ctx context.Context) {
	defer close(r.ended)
	defer close(r.chunks)
	done, err := r.s.db.LongRead(ctx, r.userID)
	if err != nil {
		r.err = err
		return
	}
	r.began = time.Now()
	query, args := r.query("")
	r.err = find.Each(r.s.db.Long.WithContext(ctx).Raw(query, args...), func(row listedExpense) error { return r.add(ctx, row) })
	if r.gaveUp {
		r.err = nil
		done(0) // it has rested for longer than it has read
		return
	}
	done(r.rows)
	if r.err == nil && len(r.chunk) > 0 {
		r.err = r.last(ctx)
	}
}

func (r *reading) add(ctx context.Context, row listedExpense) error {
	r.rows++
	if r.chunk = append(r.chunk, r.expense(row)); len(r.chunk) < StreamChunk {
		return nil
	}
	return r.hand(ctx)
}

// hand sends a chunk to the caller, and waits for that while it may; errLong if it may
// no longer.
func (r *reading) hand(ctx context.Context) error {
	chunk := r.chunk
	r.chunk = make([]models.Expense, 0, StreamChunk)
	look := time.NewTicker(LongLook)
	defer look.Stop()
	for {
		select {
		case r.chunks <- chunk:
			return nil
		case <-ctx.Done():
			return dialect.Unavailable(ctx.Err())
		case <-look.C:
			if held := time.Since(r.began); held >= LongKeep || held >= LongHold && r.s.db.LongReadsAwaited() {
				r.gaveUp = true
				return errLong
			}
		}
	}
}

// last sends the last chunk to the caller, when connection and place are released.
func (r *reading) last(ctx context.Context) error {
	select {
	case r.chunks <- r.chunk:
		return nil
	case <-ctx.Done():
		return dialect.Unavailable(ctx.Err())
	}
}
