// Package ledger holds the rules of every change to a user's expenses, budgets
// and notifications and of accounts, one function per change, called by every
// door: HTTP, sockets and the offline queue.
//
// What it promises:
//
//   - A change, its version, its entry in the user's log and whatever makes its
//     repetition harmless are one transaction. Nobody hears of a change that was
//     rolled back, for events are read from the log.
//   - A version that a client names is respected: if a newer one is stored,
//     nothing changes (docs/contract.md#versions). Not named, the change is applied.
//   - An absent expense and another user's look the same, so ids cannot be
//     probed; so do an unknown address and a wrong password, in answer and time.
//   - What somebody may do with an expense of somebody else is decided here, under
//     the locks of all who have it, whichever door they come through (models.Role).
//     A change of it is in the log of each of them, or of none.
//   - A budget that rises to a higher level is alerted once, in the transaction
//     that raised it, whichever door it came through (see settle).
//   - A temporary id that a device gave an offline expense works wherever an
//     expense's id does (docs/contract.md#d14).
package ledger

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/failpoint"
	"expenseflow/internal/store"
	"expenseflow/models"
)

// A Ledger changes what users own. Its methods may be called concurrently.
type Ledger struct {
	store *store.Store
	wake  func(userID string)
	opts  Options

	maxReceived int64         // invitations that wait for one user; models.MaxReceived
	undelivered chan struct{} // holds a token after a commit that left invitations to be delivered
}

// Options are what a Ledger allows users, and tells them beside their budgets. The
// zero value allows everything and tells nothing.
type Options struct {
	// MaxExpenses is how many expenses a user may have of their own; 0 is no limit.
	MaxExpenses int64

	// LowBalance is the balance below which a user is told so; nil is none. It is
	// told each time that the balance falls below it.
	LowBalance *models.Money

	// NotifyExpenses makes a notification of each change of an expense, one for
	// all of a transaction that makes several.
	NotifyExpenses bool

	// NotifyBalance makes a notification of each transaction that changes the
	// balance, unless it is told that the balance is low.
	NotifyBalance bool

	// Activity hears, after the commit, of each comment and of each update of an
	// expense, for whoever looks at it: the author's own devices, if it is shared
	// with nobody. It must not block; nil hears nothing.
	Activity func(models.Activity)

	// Rights hears, after the commit and before whoever caused it is answered, of
	// the changes of users' logs by which they have an expense no more: it was
	// deleted, or is not shared with them any longer. Who follows those logs hears
	// the same a moment later, in this process and in others. It must not block; nil
	// hears nothing.
	Rights func(c *models.Change)
}

// New makes a Ledger on s. wake is told after each commit whose log may have
// grown; it must not block, and may be nil.
func New(s *store.Store, wake func(userID string), o Options) *Ledger {
	if wake == nil {
		wake = func(string) {}
	}
	return &Ledger{store: s, wake: wake, opts: o, maxReceived: models.MaxReceived, undelivered: make(chan struct{}, 1)}
}

// NewID makes an id as the original's database does: 24 hex digits that grow
// with time.
func NewID() string { return bson.NewObjectID().Hex() }

// Write runs fn as one transaction of the user, draws the consequences of what
// it did for everybody (see settle), and wakes the tails of their logs after the
// commit. fn may run more than once, so it resets its own results first. Errors
// are store.Write's.
func (l *Ledger) Write(ctx context.Context, userID string, fn func(w *Work) error) error {
	var done *store.Tx
	err := l.store.Write(ctx, userID, func(tx *store.Tx) error {
		done = tx
		if err := fn(&Work{Tx: tx, maxExpenses: l.opts.MaxExpenses, maxReceived: l.maxReceived}); err != nil {
			return err
		}
		for _, t := range tx.Each() {
			if err := l.settle(&Work{Tx: t}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		failpoint.Here(failpoint.BeforeWake)
		l.wake(userID)
		l.tell(userID, done)
		l.wakeDelivery(done)
	}
	return err
}

func (l *Ledger) wakeDelivery(tx *store.Tx) {
	if !tx.Undelivered() {
		return
	}
	select {
	case l.undelivered <- struct{}{}:
	default:
	}
}

// tell wakes those whose logs have grown by somebody else's doing, and says who
// lost what.
func (l *Ledger) tell(userID string, tx *store.Tx) {
	for _, t := range tx.Each() {
		changes := t.Appended()
		if id := t.User().ID; id != userID && len(changes) > 0 {
			l.wake(id)
		} else if id == userID {
			l.tellUpdates(t, changes)
		}
		for i := range changes {
			if l.opts.Rights != nil && changes[i].Kind == models.ExpenseDeleted {
				l.opts.Rights(&changes[i])
			}
		}
	}
}

// tellUpdates says which expenses a user changed.
func (l *Ledger) tellUpdates(t *store.Tx, changes []models.Change) {
	u := t.User()
	for i := range changes {
		c := &changes[i]
		if l.opts.Activity != nil && c.Kind == models.ExpenseUpdated {
			l.opts.Activity(models.Activity{
				ExpenseID: c.EntityID, UserID: u.ID, UserName: u.Name, Type: models.ActivityUpdated, At: c.At,
				Audience: t.AudienceOf(c.EntityID),
			})
		}
	}
}

// A Creation is a new expense as a door received it.
type Creation struct {
	Draft  models.Draft
	Author models.Author
	Date   *time.Time // the expense's if the draft has none; nil is now

	// RequestID and ClientID are the client's own names for this request, "" if it
	// has none: RequestID among all of the user's (the header Idempotency-Key),
	// ClientID among those of its device. The first of them that is there counts; a
	// creation that has both is found by either. A repetition with the same data gets
	// the first expense again, as it was then, and nobody hears of it.
	RequestID, ClientID string

	// Posted says that the creation came as an HTTP request, whose answer may be
	// lost: then the device queues the same again (docs/contract.md#d17).
	Posted bool
}

// CreateExpense stores a new expense. Errors: *models.InvalidError for a draft
// that breaks a rule, models.Conflict for other data under a name that was used,
// and store.Write's.
func (l *Ledger) CreateExpense(ctx context.Context, userID string, c Creation) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		e, _, err = w.CreateOnce(c)
		return err
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("create expense: %w", err)
	}
	return e, nil
}

// UpdateExpense changes the fields that p names. id may be a temporary one of
// the author's device, or of any device of the user if the author names none.
// seen is the version that the client last read, nil if it named none: if a
// newer one is stored, nothing changes and the error is a *models.ConflictError
// with the stored expense. Other errors: *models.InvalidError, models.NotFound,
// models.Forbidden for a viewer, and store.Write's.
func (l *Ledger) UpdateExpense(ctx context.Context, userID, id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) error {
		target, err := w.Resolve(id, by.DeviceID)
		if err != nil {
			return err
		}
		e, err = w.Update(target, seen, p, by)
		return err
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("update expense: %w", err)
	}
	return e, nil
}

// DeleteExpense removes an expense and gives its last state. id is as for
// UpdateExpense. Errors: models.NotFound, also for what is deleted already,
// models.Forbidden for whoever does not own it, and store.Write's.
func (l *Ledger) DeleteExpense(ctx context.Context, userID, id string, by models.Author) (models.Expense, error) {
	var e models.Expense
	err := l.Write(ctx, userID, func(w *Work) error {
		target, err := w.Resolve(id, by.DeviceID)
		if err != nil {
			return err
		}
		e, err = w.Delete(target, by)
		return err
	})
	if err != nil {
		return models.Expense{}, fmt.Errorf("delete expense: %w", err)
	}
	return e, nil
}
